// SPDX-License-Identifier: Apache-2.0
#include "pod/container_entry.h"

#include <setjmp.h>
#include <shim.pb-c.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/own.h"

enum { ENTRY_MAX = 64 * 1024 };

static const char CONFIG[] =
    "{\"annotations\":{\"io.kubernetes.cri.container-type\":\"container\","
    "\"run.oci.seccomp_bpf_data\":\"x\"},\"linux\":{\"namespaces\":[{\"type\":\"mount\"},"
    "{\"type\":\"pid\"},{\"type\":\"network\",\"path\":\"/n\"}]}}";

static const char PROCESS[] =
    "{\"args\":[\"sh\",\"-c\",\"true\"],\"env\":[\"PATH=/bin\",\"A=b\"],\"cwd\":\"/w\","
    "\"user\":{\"uid\":7,\"gid\":8,\"additionalGids\":[9,10]},\"noNewPrivileges\":true,"
    "\"oomScoreAdj\":-5,\"apparmorProfile\":\"p\",\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\","
    "\"soft\":18446744073709551615,\"hard\":2}],\"capabilities\":{\"bounding\":[\"CAP_CHOWN\","
    "\"CAP_KILL\"],\"effective\":[\"CAP_KILL\"],\"permitted\":[\"CAP_KILL\"]}}";

/* What is packed of config and process, each changed as JSON by a member put into a place. */
static int pack(struct json_object *config, struct json_object *process, enum oci_family family,
                struct buf *out, struct error *err)
{
    struct container_entry_spec spec = {"abc", family, config, process};

    return container_entry_pack(&spec, out, err);
}

static struct json_object *parse(const char *text)
{
    struct error err = {0};
    struct json_object *out = json_parse(text, strlen(text), &err);

    assert_non_null(out);
    return out;
}

static void test_pack_has_all_that_a_process_is(void **state)
{
    JSON_AUTO *config = parse(CONFIG);
    JSON_AUTO *process = parse(PROCESS);
    AUTO_FINI(buf) out = BUF(ENTRY_MAX);
    Berth__Shim__V1__Entry *e;
    struct error err = {0};

    (void)state;
    assert_int_equal(pack(config, process, OCI_FAMILY_CRUN, &out, &err), 0);
    e = berth__shim__v1__entry__unpack(NULL, out.len, (uint8_t *)out.data);
    assert_non_null(e);
    assert_true(e->n_args == 3 && e->n_env == 2);
    assert_string_equal(e->args[2], "true");
    assert_string_equal(e->env[1], "A=b");
    assert_string_equal(e->cwd, "/w");
    assert_true(e->uid == 7 && e->gid == 8 && e->umask == 022);
    assert_true(e->n_additional_gids == 2 && e->additional_gids[1] == 10);
    assert_true(e->bounding == (1 | 1 << 5) && e->effective == 1 << 5 && e->permitted == 1 << 5);
    assert_true(e->inheritable == 0 && e->ambient == 0 && e->no_new_privileges);
    assert_true(e->n_limits == 1 && e->limits[0]->resource == RLIMIT_NOFILE);
    assert_true(e->limits[0]->soft == RLIM_INFINITY && e->limits[0]->hard == 2);
    assert_string_equal(e->oom_score_adj, "-5");
    assert_string_equal(e->apparmor_profile, "p");
    assert_string_equal(e->keyring, "abc");
    assert_false(e->seccomp || e->user_namespace);
    berth__shim__v1__entry__free_unpacked(e, NULL);
}

struct change {
    const char *path; /* of an object: "" is the config, "process" the process */
    const char *key;
    const char *value; /* NULL: taken away */
    const char *why;
};

static const struct change refused[] = {
    {"annotations", "run.oci.handler", "\"krun\"", "the container has annotation run.oci.handler"},
    {"annotations", "module.wasm.image/variant", "\"compat\"",
     "the container has annotation module.wasm.image/variant"},
    {"linux", "namespaces", "[{\"type\":\"pid\"}]", "the container has no mount namespace"},
    {"linux", "namespaces", "[{\"type\":\"mount\"},{\"type\":\"time\"}]",
     "the container has a namespace of kind time"},
    {"linux", "personality", "{}", "the container has a personality or is in RDT"},
    {"linux", "intelRdt", "{}", "the container has a personality or is in RDT"},
    {"linux", "seccomp", "{\"flags\":[]}", "the seccomp profile has flags or a listener"},
    {"linux", "seccomp", "{\"listenerPath\":\"/l\"}",
     "the seccomp profile has flags or a listener"},
    {"process", "ioPriority", "{}", "the process has ioPriority"},
    {"process", "terminal", "true", "the process has a terminal or an SELinux label"},
    {"process", "selinuxLabel", "\"a:b\"", "the process has a terminal or an SELinux label"},
    {"process", "args", "[]", "the process has no program"},
    {"process", "args", "[\"\"]", "the process has no program"},
    {"process", "args", "[\"a\\u0000b\"]", "args has something that is no text"},
    {"process", "env", "[1]", "env has something that is no text"},
    {"process", "env", "[\"HOME=\"]", "HOME is empty"},
    {"process", "user", NULL, "the process has no user"},
    {"process", "user", "{\"username\":\"x\"}", "the user has username"},
    {"process", "user", "{\"uid\":-1}", "uid is -1"},
    {"process", "user", "{\"additionalGids\":[-1]}", "group -1"},
    {"process", "capabilities", NULL, "the process has no capabilities"},
    {"process", "capabilities", "{\"bounding\":[\"CAP_FLY\"]}", "capability CAP_FLY"},
    {"process", "capabilities", "{\"outer\":[]}", "capabilities has outer"},
    {"process", "rlimits", "[{\"type\":\"RLIMIT_FUN\"}]", "limit RLIMIT_FUN"},
};

static void test_pack_leaves_to_the_runtime_what_it_does_not_know(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        const struct change *c = &refused[i];
        JSON_AUTO *config = parse(CONFIG);
        JSON_AUTO *process = parse(PROCESS);
        AUTO_FINI(buf) out = BUF(ENTRY_MAX);
        struct json_object *at =
            strcmp(c->path, "process") == 0 ? process : json_get(config, c->path);
        struct error err = {0};

        if (c->value)
            json_object_object_add(at, c->key, parse(c->value));
        else
            json_object_object_del(at, c->key);
        assert_int_equal(pack(config, process, OCI_FAMILY_CRUN, &out, &err), -1);
        assert_string_equal(err.text, c->why);
        assert_int_equal(out.len, 0);
    }
}

static void test_only_crun_leaves_a_program_for_seccomp(void **state)
{
    JSON_AUTO *config = parse(CONFIG);
    JSON_AUTO *process = parse(PROCESS);
    AUTO_FINI(buf) out = BUF(ENTRY_MAX);
    Berth__Shim__V1__Entry *e;
    struct error err = {0};

    (void)state;
    json_object_object_add(json_get(config, "linux"), "seccomp", parse("{}"));
    assert_int_equal(pack(config, process, OCI_FAMILY_RUNC, &out, &err), -1);
    assert_int_equal(pack(config, process, OCI_FAMILY_CRUN, &out, &err), 0);
    e = berth__shim__v1__entry__unpack(NULL, out.len, (uint8_t *)out.data);
    assert_true(e && e->seccomp);
    assert_int_equal(e->seccomp_flags, 4); /* SPEC_ALLOW */
    berth__shim__v1__entry__free_unpacked(e, NULL);
}

static void test_only_crun_and_runc_by_name_and_by_what_they_say(void **state)
{
    (void)state;
    assert_true(container_entry_is_for(OCI_FAMILY_CRUN, "/usr/bin/crun"));
    assert_true(container_entry_is_for(OCI_FAMILY_RUNC, "/usr/bin/runc-1.2"));
    assert_false(container_entry_is_for(OCI_FAMILY_CRUN, "/usr/bin/krun"));
    assert_false(container_entry_is_for(OCI_FAMILY_CRUN, "/usr/bin/crun/wrapper"));
    assert_false(container_entry_is_for(OCI_FAMILY_RUNC, "/usr/bin/crun"));
    assert_false(container_entry_is_for(OCI_FAMILY_OTHER, "/usr/bin/crun"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pack_has_all_that_a_process_is),
        cmocka_unit_test(test_pack_leaves_to_the_runtime_what_it_does_not_know),
        cmocka_unit_test(test_only_crun_leaves_a_program_for_seccomp),
        cmocka_unit_test(test_only_crun_and_runc_by_name_and_by_what_they_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
