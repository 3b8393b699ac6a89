// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <signal.h>

#include "base/message.h"
#include "oci/spec_fixture.h"

#include "oci/blockio.h"
#include "oci/golden_fields.h"
#include "oci/golden_message.h"
#include "oci/yaml_tree.h"

/* For each rule of the specification a file NAME.yaml with what is asked for, and NAME.json with
 * the config.json that comes of it, in golden/. In both /DIR stands for a folder that the test
 * makes, which is the pod's. After a change that is meant: oci-golden-test --update, and read the
 * diff. */

enum { FILE_MAX_BYTES = 1024 * 1024, GOLDENS_MAX = 200 };

static bool updating;

/* --- texts --- */

/* Every from in text becomes to; the caller frees. */
static char *replace(const char *text, const char *from, const char *to)
{
    AUTO_FINI(buf) out = BUF(FILE_MAX_BYTES);

    for (const char *at; (at = strstr(text, from)); text = at + strlen(from))
        assert_int_equal(buf_printf(&out, &t.err, "%.*s%s", (int)(at - text), text, to), 0);
    assert_int_equal(buf_append(&out, text, strlen(text), &t.err), 0);
    return buf_take(&out);
}

static char *load(const char *name, const char *end)
{
    AUTO_FREE char *path = xasprintf("%s/%s.%s", GOLDEN_DIR, name, end);
    AUTO_FINI(buf) text = BUF(FILE_MAX_BYTES);

    if (file_load(AT_FDCWD, path, &text, &t.err) < 0)
        return xstrdup("");
    return buf_take(&text);
}

/* --- how config.json is printed: on one line what fits there --- */

enum { LINE_MAX_COLUMNS = 100, STEP = 2 };

static void print_text(struct buf *out, const char *text)
{
    assert_int_equal(buf_append(out, text, strlen(text), &t.err), 0);
}

static void print(struct json_object *value, int indent, struct buf *out);

static void print_member(const char *key, struct json_object *value, int indent, bool is_first,
                         struct buf *out)
{
    assert_int_equal(buf_printf(out, &t.err, "%s\n%*s", is_first ? "" : ",", indent, ""), 0);
    if (key)
        assert_int_equal(buf_printf(out, &t.err, "\"%s\": ", key), 0);
    print(value, indent, out);
}

static bool is_of_texts(struct json_object *list)
{
    for (size_t i = 0; i < json_len(list); i++)
        if (!json_str(json_at(list, i)))
            return false;
    return json_len(list) > 0;
}

/* As many as fit on each line. */
static void print_texts(struct json_object *list, int indent, struct buf *out)
{
    size_t used = LINE_MAX_COLUMNS;

    for (size_t i = 0; i < json_len(list); i++) {
        const char *text = json_text(json_at(list, i));
        bool fits = used + strlen(text) + 1 <= LINE_MAX_COLUMNS;

        print_text(out, i > 0 ? "," : "");
        if (!fits)
            assert_int_equal(buf_printf(out, &t.err, "\n%*s", indent, ""), 0);
        print_text(out, text);
        used = (fits ? used : (size_t)indent) + strlen(text) + 1;
    }
}

static void print(struct json_object *value, int indent, struct buf *out)
{
    bool is_object = json_object_is_type(value, json_type_object), is_first = true;
    const char *text = json_text(value);

    if ((indent > 0 && indent + strlen(text) <= LINE_MAX_COLUMNS) ||
        (!is_object && !json_object_is_type(value, json_type_array))) {
        print_text(out, text);
        return;
    }
    print_text(out, is_object ? "{" : "[");
    if (is_of_texts(value))
        print_texts(value, indent + STEP, out);
    for (size_t i = 0; i < json_len(value) && !is_of_texts(value); i++)
        print_member(NULL, json_at(value, i), indent + STEP, i == 0, out);
    if (is_object) {
        json_object_object_foreach(value, key, member)
        {
            print_member(key, member, indent + STEP, is_first, out);
            is_first = false;
        }
    }
    assert_int_equal(buf_printf(out, &t.err, "\n%*s%s", indent, "", is_object ? "}" : "]"), 0);
}

/* --- what is asked for --- */

static void put_folder(const char *name)
{
    AUTO_FREE char *path = xasprintf("%s/%s", t.dir, name);

    assert_int_equal(file_make_dirs(path, 0755, &t.err), 0);
}

/* Files of the test's folder: names, and what is in them. */
static void make_files(struct json_object *files)
{
    if (!files)
        return;
    json_object_object_foreach(files, name, text)
    {
        AUTO_FREE char *path = xasprintf("%s/%s", t.dir, name);

        if (strrchr(name, '/')) {
            AUTO_FREE char *folder = xstrndup(name, (size_t)(strrchr(name, '/') - name));
            put_folder(folder);
        }
        assert_int_equal(file_store(AT_FDCWD, path, json_object_get_string(text),
                                    strlen(json_object_get_string(text)), 0644, &t.err),
                         0);
    }
}

static void read_host(struct json_object *host)
{
    struct json_object *capabilities = json_get(host, "capabilities");
    const char *cgroups = json_get_str(host, "cgroups");

    if (cgroups)
        t.host.cgroup_mode = strcmp(cgroups, "v1") == 0 ? OCI_CGROUP_V1 : OCI_CGROUP_V2;
    t.host.swap_controlled = json_get_flag(host, "swap", true);
    t.host.hugetlb_controlled = json_get_flag(host, "hugetlb", true);
    t.host.oom_score_bounded = json_get_flag(host, "oom_score_bounded", false);
    t.host.oom_score_adj = (int)json_get_int(host, "oom_score_adj", 0);
    t.host.has_selinux = json_get_flag(host, "selinux", false);
    t.host.apparmor_profiles = json_get_str(host, "apparmor_profiles");
    t.host.has_apparmor = t.host.apparmor_profiles;
    t.host.kernel_minor = 1;
    for (size_t i = 0; i < json_len(capabilities); i++)
        strv_add(&t.host.capabilities, json_str(json_at(capabilities, i)));
}

static char userns[64];

static void read_input(struct json_object *in)
{
    struct json_object *groups = json_get(in, "groups");

    t.in.pod_owns_network = json_get_flag(in, "pod_owns_network", true);
    t.in.pod_owns_uts = json_get_flag(in, "pod_owns_uts", t.in.pod_owns_network);
    t.in.pod_owns_ipc = json_get_flag(in, "pod_owns_ipc", true);
    t.in.host_pid = json_get_flag(in, "host_pid", false);
    t.in.target_pid_ns = json_get_str(in, "target_pid_ns");
    t.features.recursive_read_only = json_get_flag(in, "recursive_read_only", false);
    t.features.idmapped_mounts = json_get_flag(in, "idmapped_mounts", false);
    if (json_get_int(in, "userns_first", 0)) {
        uint32_t first = (uint32_t)json_get_int(in, "userns_first", 0);

        snprintf(userns, sizeof userns, "%s/ns/user", t.dir);
        t.in.userns = userns;
        t.in.ids = (struct idmap){{first, 65536}, {first, 65536}};
    }
    t.user.uid = (uint32_t)json_get_int(in, "uid", 0);
    t.user.gid = (uint32_t)json_get_int(in, "gid", 0);
    t.user.n_groups = json_len(groups);
    t.user.groups = xcalloc(t.user.n_groups + 1, sizeof *t.user.groups);
    for (size_t i = 0; i < t.user.n_groups; i++)
        t.user.groups[i] = (uint32_t)json_object_get_int64(json_at(groups, i));
}

static struct strv pod_globs, container_globs;

static void read_policy(struct json_object *policy)
{
    struct oci_policy *p = &t.in.policy;
    const char *classes = json_get_str(policy, "blockio_classes");

    p->privileged_without_host_devices =
        json_get_flag(policy, "privileged_without_host_devices", false);
    p->device_ownership_from_security_context =
        json_get_flag(policy, "device_ownership_from_security_context", false);
    p->cgroup_writable = json_get_flag(policy, "cgroup_writable", false);
    p->selinux_enabled = json_get_flag(policy, "enable_selinux", false);
    p->unset_seccomp_profile = json_get_str(policy, "unset_seccomp_profile");
    p->pod_annotations = &pod_globs;
    p->container_annotations = &container_globs;
    if (json_get_str(policy, "pod_annotations"))
        strv_add(&pod_globs, json_get_str(policy, "pod_annotations"));
    if (json_get_str(policy, "container_annotations"))
        strv_add(&container_globs, json_get_str(policy, "container_annotations"));
    if (classes)
        p->blockio_classes = oci_blockio_parse(classes, strlen(classes), &t.err);
}

/* --- one rule --- */

struct rule {
    struct json_object *wanted;
    Runtime__V1__ContainerConfig *config;
    Runtime__V1__PodSandboxConfig *pod;
};

static void read_rule(struct rule *r, const char *name)
{
    AUTO_FREE char *text = load(name, "yaml");
    AUTO_FREE char *placed = replace(text, "/DIR", t.dir);
    AUTO_FINI(strv) folders = {0};

    r->wanted = yaml_tree_parse(placed, strlen(placed), &t.err);
    if (!r->wanted)
        fail_msg("%s: %s", name, t.err.text);
    r->config = golden_message(&runtime__v1__container_config__descriptor,
                               json_get(r->wanted, "container"));
    r->pod =
        golden_message(&runtime__v1__pod_sandbox_config__descriptor, json_get(r->wanted, "pod"));
    r->config->metadata = (void *)message_copy(&t.metadata.base);
    r->pod->metadata = (void *)message_copy(&t.pod_metadata.base);
    t.in.config = r->config;
    t.in.pod_config = r->pod;
    t.in.image_config = json_get(r->wanted, "image");
    if (r->pod->linux && r->pod->linux->security_context)
        t.in.pod_selinux = r->pod->linux->security_context->selinux_options;
    make_files(json_get(r->wanted, "files"));
    read_host(json_get(r->wanted, "host"));
    read_input(json_get(r->wanted, "input"));
    read_policy(json_get(r->wanted, "policy"));
    strv_add(&folders, t.dir);
    t.in.cdi = cdi_cache_new(&folders);
}

static void forget_rule(struct rule *r)
{
    message_free(&r->config->base);
    message_free(&r->pod->base);
    json_object_put(r->wanted);
    json_object_put(t.in.policy.blockio_classes);
    cdi_cache_free(t.in.cdi);
    oci_user_fini(&t.user);
    strv_fini(&pod_globs);
    strv_fini(&container_globs);
}

/* What comes of it: the specification, or why there is none. */
static char *outcome(void *rule)
{
    const struct rule *r = rule;
    struct json_object *out = NULL;
    char *text;

    t.in.pod_selinux = r->pod->linux && r->pod->linux->security_context
                           ? r->pod->linux->security_context->selinux_options
                           : NULL;
    if (oci_spec_build(&t.in, &out, &t.err) < 0)
        return xstrdup(t.err.text);
    text = xstrdup(json_text(out));
    json_object_put(out);
    return text;
}

/* Whether a field is read shows when it is taken away. */
static void try_fields(struct rule *r)
{
    AUTO_FREE char *whole = outcome(r);

    golden_fields_try(&r->config->base, outcome, r, whole);
    golden_fields_try(&r->pod->base, outcome, r, whole);
}

static void test_one(void **state)
{
    const char *name = *state;
    AUTO_FREE char *wanted = load(name, "json"), *path = NULL, *got = NULL;
    AUTO_FINI(buf) whole = BUF(FILE_MAX_BYTES);
    struct rule r = {0};

#ifndef __x86_64__ /* system calls differ */
    if (strcmp(name, "seccomp-by-default") == 0)
        skip();
#endif
    assert_int_equal(set_up(NULL), 0);
    read_rule(&r, name);
    build();
    print(t.out, 0, &whole);
    print_text(&whole, "\n");
    got = replace(whole.data, t.dir, "/DIR");
    path = xasprintf("%s/%s.json", GOLDEN_DIR, name);
    if (updating)
        assert_int_equal(file_store(AT_FDCWD, path, got, strlen(got), 0644, &t.err), 0);
    else
        assert_string_equal(got, wanted);
    try_fields(&r);
    forget_rule(&r);
    assert_int_equal(tear_down(NULL), 0);
}

static void test_every_field_of_a_request_is_shown_by_something(void **state)
{
    AUTO_FINI(strv) visited = {0}, missing = {0};

    (void)state;
    golden_fields_check(&runtime__v1__container_config__descriptor, GOLDEN_DIR "/../../..",
                        golden_fields_others, &visited, &missing);
    golden_fields_check(&runtime__v1__pod_sandbox_config__descriptor, GOLDEN_DIR "/../../..",
                        golden_fields_others, &visited, &missing);
    for (size_t i = 0; i < missing.len; i++)
        print_error("nothing shows what becomes of %s\n", missing.items[i]);
    assert_int_equal(missing.len, 0);
}

static int is_rule(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');

    return dot && strcmp(dot, ".yaml") == 0;
}

int main(int argc, char **argv)
{
    static struct CMUnitTest tests[GOLDENS_MAX + 1];
    struct dirent **entries = NULL;
    int n = scandir(GOLDEN_DIR, &entries, is_rule, alphasort), failed;

    signal(SIGPIPE, SIG_IGN); /* a parser may end before it has read anything */
    updating = argc > 1 && strcmp(argv[1], "--update") == 0;
    if (n <= 0 || n > GOLDENS_MAX)
        return 1;
    for (int i = 0; i < n; i++) {
        char *name = xstrndup(entries[i]->d_name, strlen(entries[i]->d_name) - strlen(".yaml"));

        tests[i] = (struct CMUnitTest){.name = name, .test_func = test_one, .initial_state = name};
        free(entries[i]);
    }
    /* After all the others. */
    tests[n] =
        (struct CMUnitTest){.name = "test_every_field_of_a_request_is_shown_by_something",
                            .test_func = test_every_field_of_a_request_is_shown_by_something};
    failed = _cmocka_run_group_tests("golden", tests, (size_t)n + 1, NULL, NULL);
    for (int i = 0; i < n; i++)
        free((char *)tests[i].name);
    free(entries);
    return failed;
}
