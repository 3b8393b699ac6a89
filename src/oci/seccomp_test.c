// SPDX-License-Identifier: Apache-2.0
#include "oci/spec_fixture.h"

/* The rule of the default profile that names a call first, or "nothing". */
static const char *rule_of(const char *name, size_t nth)
{
    struct json_object *rules = json_get(json_get(json_get(t.out, "linux"), "seccomp"), "syscalls");

    for (size_t i = 0; i < json_len(rules); i++) {
        struct json_object *names = json_get(json_at(rules, i), "names");

        for (size_t n = 0; n < json_len(names); n++)
            if (strcmp(json_str(json_at(names, n)), name) == 0 && nth-- == 0)
                return json_text(json_at(rules, i));
    }
    return "nothing";
}

/* Without conditions. */
static bool allows(const char *call)
{
    struct json_object *rules = json_get(json_get(json_get(t.out, "linux"), "seccomp"), "syscalls");

    for (size_t i = 0; i < json_len(rules); i++) {
        struct json_object *names = json_get(json_at(rules, i), "names");

        if (json_len(json_get(json_at(rules, i), "args")) > 0 ||
            strcmp(json_get_str(json_at(rules, i), "action"), "SCMP_ACT_ALLOW") != 0)
            continue;
        for (size_t n = 0; n < json_len(names); n++)
            if (strcmp(json_str(json_at(names, n)), call) == 0)
                return true;
    }
    return false;
}

static void test_the_default_seccomp_profile_follows_capabilities(void **state)
{
    char *add[] = {(char *)"SYS_ADMIN"};
    static Runtime__V1__Capability wanted = RUNTIME__V1__CAPABILITY__INIT;
    static Runtime__V1__SecurityProfile profile = RUNTIME__V1__SECURITY_PROFILE__INIT;

    (void)state;
    t.security.seccomp = &profile; /* its zero value is the default profile */
    build();
    assert_string_equal(rule_of("clone", 0),
                        "{\"names\":[\"clone\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{"
                        "\"index\":0,\"value\":2114060288,\"op\":\"SCMP_CMP_MASKED_EQ\","
                        "\"valueTwo\":0}]}");
    assert_string_equal(rule_of("clone3", 0), "{\"names\":[\"clone3\"],\"action\":"
                                              "\"SCMP_ACT_ERRNO\",\"errnoRet\":38}");
    assert_string_equal(rule_of("socket", 2), "{\"names\":[\"socket\"],\"action\":"
                                              "\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":"
                                              "40,\"op\":\"SCMP_CMP_GT\"}]}");
    assert_string_equal(rule_of("chroot", 0),
                        "{\"names\":[\"chroot\"],\"action\":\"SCMP_ACT_ALLOW\"}");
    assert_string_equal(rule_of("mount", 0), "nothing");
    assert_string_equal(rule_of("keyctl", 0), "nothing");
    t.security.capabilities = &wanted;
    wanted.add_capabilities = add;
    wanted.n_add_capabilities = 1;
    build();
    assert_non_null(strstr(rule_of("mount", 0), "\"SCMP_ACT_ALLOW\""));
    assert_null(strstr(rule_of("clone3", 0), "errnoRet"));
}

static void test_seccomp_profiles_are_chosen_as_asked(void **state)
{
    AUTO_FREE char *path = xasprintf("%s/profile.json", t.dir);
    AUTO_FREE char *old = xasprintf("localhost/%s", path);
    static Runtime__V1__SecurityProfile profile = RUNTIME__V1__SECURITY_PROFILE__INIT;
    static const char text[] = "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"archMap\":[],"
                               "\"syscalls\":[{\"names\":[\"x\"],\"action\":\"SCMP_ACT_ERRNO\"}]}";

    (void)state;
    assert_int_equal(file_store(AT_FDCWD, path, text, strlen(text), 0644, &t.err), 0);
    t.security.seccomp_profile_path = old;
    build();
    assert_string_equal(part("linux", "seccomp"),
                        "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"x\"],"
                        "\"action\":\"SCMP_ACT_ERRNO\"}]}");
    t.security.seccomp_profile_path = (char *)"unconfined";
    build();
    assert_string_equal(part("linux", "seccomp"), "nothing");
    t.security.seccomp_profile_path = (char *)"strange";
    expect_refusal("seccomp profile \"strange\" is not known");
    t.security.seccomp = &profile; /* counts instead of the old field */
    build();
    profile.localhost_ref = path;
    expect_refusal("is only for the type Localhost");
    profile.profile_type = RUNTIME__V1__SECURITY_PROFILE__PROFILE_TYPE__Localhost;
    build();
    profile.localhost_ref = t.dir;
    expect_refusal("is not a regular file");
    profile.localhost_ref = (char *)"relative.json";
    expect_refusal("seccomp.localhost_ref: \"relative.json\" is no absolute path");
    t.host.has_seccomp = false;
    expect_refusal("seccomp is not supported by the kernel");
}

/* What a capability lets a container call, beyond what all containers may. */
static void test_each_capability_brings_its_calls(void **state)
{
    static const struct {
        const char *capability, *calls[26];
    } cases[] = {
        {"DAC_READ_SEARCH", {"open_by_handle_at"}},
        {"SYS_ADMIN",
         {"bpf",           "clone",         "clone3",      "fanotify_init",   "fsconfig",
          "fsmount",       "fsopen",        "fspick",      "lookup_dcookie",  "mount",
          "mount_setattr", "move_mount",    "open_tree",   "perf_event_open", "quotactl",
          "quotactl_fd",   "setdomainname", "sethostname", "setns",           "syslog",
          "umount",        "umount2",       "unshare"}},
        {"SYS_BOOT", {"reboot"}},
        {"SYS_CHROOT", {"chroot"}},
        {"SYS_MODULE", {"delete_module", "init_module", "finit_module"}},
        {"SYS_PACCT", {"acct"}},
        {"SYS_PTRACE",
         {"kcmp", "pidfd_getfd", "process_madvise", "process_vm_readv", "process_vm_writev",
          "ptrace"}},
        {"SYS_RAWIO", {"iopl", "ioperm"}},
        {"SYS_TIME", {"settimeofday", "stime", "clock_settime", "clock_settime64"}},
        {"SYS_TTY_CONFIG", {"vhangup"}},
        {"SYS_NICE", {"get_mempolicy", "mbind", "set_mempolicy", "set_mempolicy_home_node"}},
        {"SYSLOG", {"syslog"}},
        {"BPF", {"bpf"}},
        {"PERFMON", {"perf_event_open"}},
    };
    static char *add[1], *drop[] = {(char *)"ALL"};
    static Runtime__V1__Capability wanted = RUNTIME__V1__CAPABILITY__INIT;
    static Runtime__V1__SecurityProfile profile = RUNTIME__V1__SECURITY_PROFILE__INIT;

    (void)state;
    t.security.seccomp = &profile;
    t.security.capabilities = &wanted;
    t.host.kernel_major = 4; /* before 4.8 nobody may trace without the capability */
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        wanted.add_capabilities = NULL;
        wanted.n_add_capabilities = 0;
        wanted.drop_capabilities = drop;
        wanted.n_drop_capabilities = 1;
        build();
        for (size_t c = 0; cases[i].calls[c]; c++)
            if (allows(cases[i].calls[c]))
                fail_msg("%s is allowed without %s", cases[i].calls[c], cases[i].capability);
        add[0] = (char *)cases[i].capability;
        wanted.add_capabilities = add;
        wanted.n_add_capabilities = 1;
        wanted.n_drop_capabilities = 0;
        build();
        for (size_t c = 0; cases[i].calls[c]; c++)
            if (!allows(cases[i].calls[c]))
                fail_msg("%s is not allowed with %s", cases[i].calls[c], cases[i].capability);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        PLAIN(test_the_default_seccomp_profile_follows_capabilities),
        PLAIN(test_each_capability_brings_its_calls),
        PLAIN(test_seccomp_profiles_are_chosen_as_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
