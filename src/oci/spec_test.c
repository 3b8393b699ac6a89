// SPDX-License-Identifier: Apache-2.0
#include "oci/spec.h"

#include "oci/spec_fixture.h"

static void test_a_plain_container_is_what_it_should_be(void **state)
{
    (void)state;
    build();
    assert_string_equal(part("ociVersion", NULL), "\"1.0.2\"");
    assert_string_equal(part("root", NULL), "{\"path\":\"rootfs\",\"readonly\":false}");
    assert_string_equal(part("hostname", NULL), "nothing");
    assert_string_equal(part("process", "user"), "{\"uid\":0,\"gid\":0}");
    assert_string_equal(part("process", "args"), "[\"run\",\"it\"]");
    assert_string_equal(part("process", "env"),
                        "[\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\","
                        "\"HOSTNAME=podhost\"]");
    assert_string_equal(part("process", "cwd"), "\"/\"");
    assert_string_equal(part("process", "terminal"), "nothing");
    assert_string_equal(part("process", "rlimits"), "nothing");
    assert_string_equal(part("process", "noNewPrivileges"), "false");
    assert_string_equal(part("process", "oomScoreAdj"), "0");
    assert_string_equal(part("linux", "cgroupsPath"), "\"/x/c1\"");
    assert_string_equal(part("linux", "seccomp"), "nothing");
    assert_string_equal(part("linux", "maskedPaths"), "nothing");
    assert_string_equal(part("linux", "rootfsPropagation"), "nothing");
    assert_string_equal(part("linux", "resources"),
                        "{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]}");
}

static void test_the_command_comes_from_request_and_image(void **state)
{
    static const struct {
        const char *image;
        size_t n_command, n_args;
        const char *wanted;
    } cases[] = {
        {"{\"Entrypoint\":[\"/e\",\"x\"],\"Cmd\":[\"c\"]}", 0, 0, "[\"/e\",\"x\",\"c\"]"},
        {"{\"Entrypoint\":[\"/e\"],\"Cmd\":[\"c\"]}", 0, 1, "[\"/e\",\"run\"]"},
        {"{\"Entrypoint\":[\"/e\"],\"Cmd\":[\"c\"]}", 1, 0, "[\"run\"]"},
        {"{\"Entrypoint\":[\"/e\"],\"Cmd\":[\"c\"]}", 1, 1, "[\"run\",\"run\"]"},
        {"{\"Entrypoint\":[\"\"],\"Cmd\":[\"c\"]}", 0, 0, "[\"c\"]"},
        {"{\"Entrypoint\":null,\"Cmd\":[\"c\"]}", 0, 0, "[\"c\"]"},
    };

    (void)state;
    t.config.args = args;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO_FREE char *image = xasprintf("{\"config\":%s}", cases[i].image);

        set_image(image);
        t.config.n_command = cases[i].n_command;
        t.config.n_args = cases[i].n_args;
        build();
        assert_string_equal(part("process", "args"), cases[i].wanted);
    }
    t.config.n_command = t.config.n_args = 0;
    set_image("{\"config\":{\"Entrypoint\":[\"\"]}}");
    expect_refusal("no command specified");
    t.in.image_config = NULL;
    expect_refusal("no command specified");
}

static Runtime__V1__KeyValue variable(const char *key, const char *value)
{
    Runtime__V1__KeyValue v = RUNTIME__V1__KEY_VALUE__INIT;

    v.key = (char *)key;
    v.value.data = (uint8_t *)value;
    v.value.len = strlen(value);
    return v;
}

static void test_the_last_of_several_variables_counts(void **state)
{
    static Runtime__V1__KeyValue a, path, *envs[] = {&a, &path};

    (void)state;
    a = variable("A", "of request");
    path = variable("PATH", "/p");
    set_image("{\"config\":{\"Env\":[\"A=of image\",\"AB=2\",\"TERM\",\"PATH=/i\",\"Q=\\\"\"],"
              "\"WorkingDir\":\"srv\"}}");
    t.config.tty = true;
    t.config.envs = envs;
    t.config.n_envs = 2;
    t.pod.hostname = (char *)"";
    build();
    assert_string_equal(part("process", "env"),
                        "[\"PATH=/p\",\"HOSTNAME=node\",\"A=of request\",\"AB=2\",\"Q=\\\"\"]");
    assert_string_equal(part("process", "terminal"), "true");
    assert_string_equal(part("process", "cwd"), "\"/srv\"");
    a = variable("", "x");
    expect_refusal("envs: \"\" is no name of a variable");
    a = variable("A=B", "x");
    expect_refusal("envs: \"A=B\" is no name of a variable");
    a = variable("A", "\xff");
    expect_refusal("envs: the value of A is not UTF-8");
    a = variable("A", "x");
    a.value.len = 2;
    expect_refusal("envs: the value of A contains a NUL byte");
    a = variable("A", "x");
    t.config.working_dir = (char *)"/\xc0\x80";
    expect_refusal("text that is not UTF-8");
}

static void test_the_user_is_written_with_its_groups(void **state)
{
    uint32_t groups[] = {7, 100};

    (void)state;
    t.user = (struct oci_user){.uid = 1000, .gid = 100, .groups = groups, .n_groups = 2};
    t.security.no_new_privs = true;
    t.security.readonly_rootfs = true;
    build();
    assert_string_equal(part("process", "user"),
                        "{\"uid\":1000,\"gid\":100,\"additionalGids\":[7,100]}");
    assert_string_equal(part("process", "noNewPrivileges"), "true");
    assert_string_equal(part("root", "readonly"), "true");
    assert_string_equal(options_at("/etc/hosts"), "[\"rbind\",\"rprivate\",\"ro\"]");
    assert_string_equal(options_at("/dev/shm"), "[\"rbind\",\"rprivate\",\"rw\"]");
}

static void test_ambient_capabilities_are_those_that_are_asked_for(void **state)
{
    static char *ambient[] = {(char *)"net_bind_service", (char *)"KILL"}, *odd[] = {(char *)"X"};
    static char *drop[] = {(char *)"ALL"}, *dropped[] = {(char *)"KILL"};
    static Runtime__V1__Capability wanted = RUNTIME__V1__CAPABILITY__INIT;
    static const char all[] = "{\"bounding\":[%s],\"effective\":[%s],\"permitted\":[%s],"
                              "\"inheritable\":[%s],\"ambient\":[%s]}";
    static const char both[] = "\"CAP_KILL\",\"CAP_NET_BIND_SERVICE\"";
    static const char one[] = "\"CAP_NET_BIND_SERVICE\"";
    AUTO_FREE char *of_both = xasprintf(all, both, both, both, both, both);
    AUTO_FREE char *of_one = xasprintf(all, one, one, one, one, one);

    (void)state;
    t.security.capabilities = &wanted;
    wanted.add_ambient_capabilities = ambient;
    wanted.n_add_ambient_capabilities = 2;
    wanted.drop_capabilities = drop;
    wanted.n_drop_capabilities = 1;
    build();
    assert_string_equal(part("process", "capabilities"), of_both);
    wanted.drop_capabilities = dropped;
    build();
    assert_null(strstr(part("process", "capabilities"), "CAP_KILL"));
    wanted.n_add_ambient_capabilities = 1;
    wanted.drop_capabilities = drop;
    build();
    assert_string_equal(part("process", "capabilities"), of_one);
    wanted.add_ambient_capabilities = odd;
    expect_refusal("capabilities.add_ambient_capabilities: \"X\" is no capability");
}

static const char *bounding(void)
{
    struct json_object *all = json_get(json_get(t.out, "process"), "capabilities");

    assert_null(json_get(all, "ambient"));
    assert_null(json_get(all, "inheritable"));
    assert_string_equal(json_text(json_get(all, "effective")),
                        json_text(json_get(all, "permitted")));
    assert_string_equal(json_text(json_get(all, "effective")),
                        json_text(json_get(all, "bounding")));
    return json_text(json_get(all, "bounding"));
}

static void test_capabilities_are_added_then_dropped(void **state)
{
    static char *add[] = {(char *)"ALL"}, *drop[] = {(char *)"all"},
                *sys[] = {(char *)"cap_sys_time"};
    static char *odd[] = {(char *)"NOSUCH"};
    static Runtime__V1__Capability wanted = RUNTIME__V1__CAPABILITY__INIT;

    (void)state;
    build();
    assert_string_equal(
        bounding(),
        "[\"CAP_CHOWN\",\"CAP_DAC_OVERRIDE\",\"CAP_FOWNER\",\"CAP_FSETID\",\"CAP_KILL\","
        "\"CAP_SETGID\",\"CAP_SETUID\",\"CAP_SETPCAP\",\"CAP_NET_BIND_SERVICE\","
        "\"CAP_NET_RAW\",\"CAP_SYS_CHROOT\",\"CAP_MKNOD\",\"CAP_AUDIT_WRITE\","
        "\"CAP_SETFCAP\"]");
    t.security.capabilities = &wanted;
    wanted.add_capabilities = add;
    wanted.n_add_capabilities = 1;
    build();
    assert_string_equal(bounding(), "[\"CAP_CHOWN\",\"CAP_SYS_ADMIN\"]");
    wanted.drop_capabilities = drop;
    wanted.n_drop_capabilities = 1;
    build();
    assert_string_equal(bounding(), "[]");
    wanted.add_capabilities = sys;
    build();
    assert_string_equal(bounding(), "[\"CAP_SYS_TIME\"]");
    wanted.drop_capabilities = sys;
    build();
    assert_null(strstr(bounding(), "SYS_TIME"));
    wanted.drop_capabilities = odd;
    build();
    wanted.add_capabilities = odd;
    expect_refusal("capabilities.add_capabilities: \"NOSUCH\" is no capability");
}

static void test_a_privileged_container_is_free(void **state)
{
    char *paths[] = {(char *)"/proc/kcore"};
    static Runtime__V1__SecurityProfile profile = RUNTIME__V1__SECURITY_PROFILE__INIT;

    (void)state;
    t.security.privileged = true;
    t.security.seccomp = &profile;
    t.security.masked_paths = paths;
    t.security.n_masked_paths = 1;
    expect_refusal("no privileged container allowed in sandbox");
    t.pod_security.privileged = true;
    build();
    assert_string_equal(bounding(), "[\"CAP_CHOWN\",\"CAP_SYS_ADMIN\"]");
    assert_string_equal(part("linux", "seccomp"), "nothing");
    assert_string_equal(part("linux", "maskedPaths"), "nothing");
    assert_string_equal(options_at("/sys"), "[\"nosuid\",\"noexec\",\"nodev\",\"rw\"]");
    assert_non_null(strstr(options_at("/sys/fs/cgroup"), "\"rw\""));
    assert_null(strstr(part("linux", "namespaces"), "cgroup"));
    assert_non_null(strstr(part("linux", "devices"), "{\"path\":\"/dev/null\",\"type\":\"c\","
                                                     "\"major\":1,\"minor\":3,\"fileMode\":438,"
                                                     "\"uid\":0,\"gid\":0}"));
    assert_null(strstr(part("linux", "devices"), "/dev/pts/"));
    assert_non_null(strstr(part("linux", "resources"), "{\"allow\":true,\"access\":\"rwm\"}"));
    t.in.policy.privileged_without_host_devices = true;
    build();
    assert_string_equal(part("linux", "devices"), "[]");
}

static void test_namespaces_are_those_of_the_pod(void **state)
{
    AUTO_FREE char *wanted = xasprintf(
        "[{\"type\":\"pid\"},{\"type\":\"ipc\",\"path\":\"%s/ns/ipc\"},{\"type\":\"uts\","
        "\"path\":\"%s/ns/uts\"},{\"type\":\"mount\"},{\"type\":\"network\",\"path\":\"%s/ns/net\"}"
        ",{\"type\":\"cgroup\"}]",
        t.dir, t.dir, t.dir);

    (void)state;
    build();
    assert_string_equal(part("linux", "namespaces"), wanted);
    t.in.pod_owns_network = t.in.pod_owns_ipc = t.in.pod_owns_uts = false;
    t.in.target_pid_ns = "/proc/7/ns/pid";
    t.host.cgroup_mode = OCI_CGROUP_V1;
    build();
    assert_string_equal(part("linux", "namespaces"),
                        "[{\"type\":\"pid\",\"path\":\"/proc/7/ns/pid\"},{\"type\":\"mount\"}]");
    t.in.host_pid = true;
    build();
    assert_string_equal(part("linux", "namespaces"), "[{\"type\":\"mount\"}]");
}

/* A pod whose ids from 0 to 9 are 5000 to 5009 on the node. */
static void give_user_namespace(Runtime__V1__UserNamespace *userns)
{
    static Runtime__V1__IDMapping mapping = RUNTIME__V1__IDMAPPING__INIT, *mappings[] = {&mapping};
    static Runtime__V1__NamespaceOption options, of_pod;

    mapping.host_id = 5000;
    mapping.length = 10;
    runtime__v1__user_namespace__init(userns);
    userns->mode = RUNTIME__V1__NAMESPACE_MODE__POD;
    userns->uids = userns->gids = mappings;
    userns->n_uids = userns->n_gids = 1;
    runtime__v1__namespace_option__init(&options);
    options.userns_options = userns;
    of_pod = options;
    t.security.namespace_options = &options;
    t.pod_security.namespace_options = &of_pod;
    t.in.userns = "/pod/ns/user";
    t.in.ids = (struct idmap){{5000, 10}, {5000, 10}};
}

static void test_the_user_namespace_of_the_pod_is_joined(void **state)
{
    static const char mapping[] = "[{\"containerID\":0,\"hostID\":5000,\"size\":10}]";
    static Runtime__V1__UserNamespace userns;

    (void)state;
    give_user_namespace(&userns);
    build();
    assert_non_null(strstr(part("linux", "namespaces"),
                           "[{\"type\":\"user\",\"path\":\"/pod/ns/user\"},{\"type\":\"pid\"}"));
    assert_string_equal(part("linux", "uidMappings"), mapping);
    assert_string_equal(part("linux", "gidMappings"), mapping);
    assert_non_null(strstr(options_at("/dev/pts"), "gid=5"));
    t.in.ids.gids.count = 5;
    userns.gids[0]->length = 5;
    t.in.ids.uids.count = 5;
    build();
    assert_null(strstr(options_at("/dev/pts"), "gid=5"));
    t.in.host_pid = true;
    expect_refusal("namespace_options.pid: NODE");
}

static void test_a_user_namespace_must_be_that_of_the_pod(void **state)
{
    static Runtime__V1__UserNamespace userns;

    (void)state;
    give_user_namespace(&userns);
    t.security.namespace_options->userns_options = NULL;
    expect_refusal("userns_options differ from the pod's");
    t.pod_security.namespace_options->userns_options = NULL;
    expect_refusal("userns_options differ from those that the pod was made with");
    t.in.ids = (struct idmap){0};
    t.in.userns = NULL;
    build();
    userns.n_uids = userns.n_gids = 0;
    userns.mode = RUNTIME__V1__NAMESPACE_MODE__NODE;
    t.security.namespace_options->userns_options = &userns;
    t.pod_security.namespace_options->userns_options = &userns;
    build();
    assert_null(strstr(part("linux", "namespaces"), "user"));
}

static void test_nobody_is_outside_of_the_user_namespace(void **state)
{
    static Runtime__V1__UserNamespace userns;
    static uint32_t groups[] = {3, 11};

    (void)state;
    give_user_namespace(&userns);
    t.user.uid = 10;
    expect_refusal("user 10 is not among the 10 of the user namespace");
    t.user.uid = 9;
    t.user.gid = 4000000000;
    expect_refusal("group 4000000000 is not among the 10");
    t.user.gid = 9;
    t.user.groups = groups;
    t.user.n_groups = 2;
    expect_refusal("group 11 is not among the 10");
    t.user.n_groups = 1;
    build();
}

static void test_on_the_nodes_network_sys_is_the_nodes(void **state)
{
    static Runtime__V1__UserNamespace userns;

    (void)state;
    give_user_namespace(&userns);
    t.in.pod_owns_network = false;
    expect_refusal("namespace_options.network: NODE with a user namespace needs");
    t.features.recursive_read_only = true;
    build();
    assert_string_equal(options_at("/sys"),
                        "[\"rbind\",\"rprivate\",\"rro\",\"nosuid\",\"noexec\",\"nodev\"]");
}

static void test_texts_that_no_program_can_be_given_are_refused(void **state)
{
    size_t len = 32 * (size_t)sysconf(_SC_PAGESIZE) - 1;
    AUTO_FREE char *text = xcalloc(1, len + 2);
    static Runtime__V1__KeyValue a = RUNTIME__V1__KEY_VALUE__INIT, *envs[] = {&a};
    char *long_args[] = {text};

    (void)state;
    memset(text, 'x', len);
    t.config.args = long_args;
    t.config.n_args = 1;
    build();
    text[len] = 'x';
    expect_refusal("argument 2 of the command is longer than");
    t.config.args = args;
    a.key = (char *)"A";
    a.value = (ProtobufCBinaryData){.len = len - strlen("A="), .data = (uint8_t *)text};
    t.config.envs = envs;
    t.config.n_envs = 1;
    build();
    a.value.len++;
    expect_refusal("envs: A and its value are longer than");
}

static void test_annotations_cannot_be_forged(void **state)
{
    static Runtime__V1__ContainerConfig__AnnotationsEntry forged =
        RUNTIME__V1__CONTAINER_CONFIG__ANNOTATIONS_ENTRY__INIT;
    static Runtime__V1__ContainerConfig__AnnotationsEntry passed =
        RUNTIME__V1__CONTAINER_CONFIG__ANNOTATIONS_ENTRY__INIT;
    static Runtime__V1__ContainerConfig__AnnotationsEntry *annotations[] = {&forged, &passed};
    AUTO_FINI(strv) globs = {0};

    (void)state;
    forged.key = (char *)"io.kubernetes.cri.sandbox-id";
    forged.value = (char *)"forged";
    passed.key = (char *)"run.example/x";
    passed.value = (char *)"1";
    t.config.annotations = annotations;
    t.config.n_annotations = 2;
    strv_add(&globs, "io.*");
    strv_add(&globs, "run.example/*");
    t.in.policy.container_annotations = &globs;
    build();
    assert_string_equal(part("annotations", NULL),
                        "{\"io.kubernetes.cri.sandbox-id\":\"p1\",\"run.example/x\":\"1\","
                        "\"io.kubernetes.cri.container-type\":\"container\","
                        "\"io.kubernetes.cri.sandbox-namespace\":\"ns\","
                        "\"io.kubernetes.cri.sandbox-uid\":\"u-1\","
                        "\"io.kubernetes.cri.sandbox-name\":\"pod\","
                        "\"io.kubernetes.cri.container-name\":\"web\","
                        "\"io.kubernetes.cri.image-name\":\"docker.io/library/web:1\"}");
}

static void test_an_exec_is_the_containers_process_with_other_args(void **state)
{
    char *cmd[] = {(char *)"sh", (char *)"-c", (char *)"x"};
    struct json_object *process;

    (void)state;
    t.user.uid = 5;
    build();
    assert_int_equal(oci_process_build_exec(t.out, cmd, 3, false, &process, &t.err), 0);
    assert_string_equal(json_text(json_get(process, "args")), "[\"sh\",\"-c\",\"x\"]");
    assert_null(json_get(process, "terminal"));
    assert_int_equal(json_get_int(json_get(process, "user"), "uid", 0), 5);
    assert_string_equal(json_text(json_get(process, "env")), part("process", "env"));
    json_object_put(process);
    assert_int_equal(oci_process_build_exec(t.out, cmd, 1, true, &process, &t.err), 0);
    assert_true(json_get_flag(process, "terminal", false));
    assert_non_null(strstr(json_text(json_get(process, "env")), "\"TERM=xterm\""));
    json_object_put(process);
    assert_null(strstr(part("process", "env"), "TERM"));
    assert_int_equal(oci_process_build_exec(t.out, cmd, 0, false, &process, &t.err), -1);
}

static void test_the_cgroup_path_fits_its_driver(void **state)
{
    static const struct {
        const char *parent;
        bool systemd;
        const char *path;
    } cases[] = {
        {"", false, "/berth/c1"},
        {"/", false, "/berth/c1"},
        {"", true, "system.slice:cri-containerd:c1"},
        {"/x/y", false, "/x/y/c1"},
        {"/x/y", true, "/x/y/c1"},
        {"x//y/", false, "/x/y/c1"},
        {"/kubepods.slice/kubepods-pod1.slice", true, "kubepods-pod1.slice:cri-containerd:c1"},
        {"a.slice", false, "a.slice:cri-containerd:c1"},
    };
    char *path;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(oci_cgroups_path(cases[i].parent, "c1", cases[i].systemd, &path, &t.err),
                         0);
        assert_string_equal(path, cases[i].path);
        assert_int_equal(oci_cgroups_path_is_scope(path), path[0] != '/');
        free(path);
    }
    assert_int_equal(oci_cgroups_path("/a/../..", "c1", false, &path, &t.err), -1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        PLAIN(test_a_plain_container_is_what_it_should_be),
        PLAIN(test_the_command_comes_from_request_and_image),
        PLAIN(test_the_last_of_several_variables_counts),
        PLAIN(test_the_user_is_written_with_its_groups),
        PLAIN(test_ambient_capabilities_are_those_that_are_asked_for),
        PLAIN(test_capabilities_are_added_then_dropped),
        PLAIN(test_a_privileged_container_is_free),
        PLAIN(test_namespaces_are_those_of_the_pod),
        PLAIN(test_the_user_namespace_of_the_pod_is_joined),
        PLAIN(test_a_user_namespace_must_be_that_of_the_pod),
        PLAIN(test_nobody_is_outside_of_the_user_namespace),
        PLAIN(test_on_the_nodes_network_sys_is_the_nodes),
        PLAIN(test_texts_that_no_program_can_be_given_are_refused),
        PLAIN(test_annotations_cannot_be_forged),
        PLAIN(test_an_exec_is_the_containers_process_with_other_args),
        PLAIN(test_the_cgroup_path_fits_its_driver),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
