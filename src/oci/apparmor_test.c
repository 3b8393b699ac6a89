// SPDX-License-Identifier: Apache-2.0
#include "oci/spec_fixture.h"

#include <signal.h>

/* The kernel's list of profiles is a file of the test, and the parser a script that adds the
 * profile which it reads to that list. */

static const char DEFAULT[] = "\"cri-containerd.apparmor.d\"";

static char profiles[64], parser[64];
static Runtime__V1__SecurityProfile profile;

static void store(const char *path, const char *text, mode_t mode)
{
    assert_int_equal(file_store(AT_FDCWD, path, text, strlen(text), mode, &t.err), 0);
}

static int set_up_apparmor(void **state)
{
    AUTO_FREE char *script = NULL;

    signal(SIGPIPE, SIG_IGN); /* a parser may end before it has read anything */
    if (set_up(state) < 0)
        return -1;
    snprintf(profiles, sizeof profiles, "%s/profiles", t.dir);
    snprintf(parser, sizeof parser, "%s/parser", t.dir);
    script = xasprintf("#!/bin/sh\n[ \"$1\" = -Kr ] || exit 7\n"
                       "sed -n 's/^profile \\([^ ]*\\) .*/\\1 (enforce)/p' >>%s\n",
                       profiles);
    store(parser, script, 0755);
    store(profiles, "my (profile) (enforce)\nother (complain)\n", 0644);
    t.host.has_apparmor = true;
    t.host.apparmor_profiles = profiles;
    t.host.apparmor_parser = parser;
    runtime__v1__security_profile__init(&profile);
    return 0;
}

static void ask_for(Runtime__V1__SecurityProfile__ProfileType type, const char *name)
{
    profile.profile_type = type;
    profile.localhost_ref = (char *)name;
    t.security.apparmor = &profile;
}

#define LOCALHOST  RUNTIME__V1__SECURITY_PROFILE__PROFILE_TYPE__Localhost
#define UNCONFINED RUNTIME__V1__SECURITY_PROFILE__PROFILE_TYPE__Unconfined
#define BY_DEFAULT RUNTIME__V1__SECURITY_PROFILE__PROFILE_TYPE__RuntimeDefault

static void test_the_default_profile_is_loaded_when_it_is_needed(void **state)
{
    AUTO_FINI(buf) text = BUF(4096);

    (void)state;
    ask_for(UNCONFINED, "");
    build();
    assert_string_equal(part("process", "apparmorProfile"), "nothing");
    t.security.apparmor = NULL; /* whoever says nothing gets the default */
    build();
    assert_string_equal(part("process", "apparmorProfile"), DEFAULT);
    ask_for(BY_DEFAULT, "");
    build();
    assert_string_equal(part("process", "apparmorProfile"), DEFAULT);
    assert_int_equal(file_load(AT_FDCWD, profiles, &text, &t.err), 0);
    assert_string_equal(text.data, "my (profile) (enforce)\nother (complain)\n"
                                   "cri-containerd.apparmor.d (enforce)\n"); /* once */
}

static void test_a_profile_of_the_node_must_be_loaded(void **state)
{
    (void)state;
    ask_for(LOCALHOST, "localhost/other");
    build();
    assert_string_equal(part("process", "apparmorProfile"), "\"other\"");
    ask_for(LOCALHOST, "my (profile)");
    build();
    assert_string_equal(part("process", "apparmorProfile"), "\"my (profile)\"");
    ask_for(LOCALHOST, "my");
    expect_refusal("apparmor profile \"my\" is not loaded");
    ask_for(LOCALHOST, "");
    expect_refusal("apparmor.localhost_ref is empty");
    ask_for(BY_DEFAULT, "other");
    expect_refusal("apparmor.localhost_ref \"other\" is only for the type Localhost");
    ask_for(7, "");
    expect_refusal("apparmor.profile_type: 7 is not known");
}

static void test_the_old_field_counts_when_the_new_one_is_not_there(void **state)
{
    (void)state;
    t.security.apparmor_profile = (char *)"localhost/other";
    build();
    assert_string_equal(part("process", "apparmorProfile"), "\"other\"");
    t.security.apparmor_profile = (char *)"runtime/default";
    build();
    assert_string_equal(part("process", "apparmorProfile"), DEFAULT);
    t.security.apparmor_profile = (char *)"other";
    expect_refusal("apparmor profile \"other\" is not known");
    ask_for(UNCONFINED, "");
    build();
    assert_string_equal(part("process", "apparmorProfile"), "nothing");
}

static void test_privileged_containers_have_only_what_is_named(void **state)
{
    (void)state;
    t.security.privileged = t.pod_security.privileged = true;
    build();
    assert_string_equal(part("process", "apparmorProfile"), "nothing");
    ask_for(LOCALHOST, "other");
    build();
    assert_string_equal(part("process", "apparmorProfile"), "\"other\"");
}

static void test_a_parser_that_fails_is_quoted(void **state)
{
    (void)state;
    store(parser, "#!/bin/sh\necho 'no such abstraction' >&2; exit 3\n", 0755);
    expect_refusal("load AppArmor profile cri-containerd.apparmor.d: ");
    expect_refusal("status 3: no such abstraction");
}

static void test_without_apparmor_only_a_wish_is_an_error(void **state)
{
    (void)state;
    t.host.has_apparmor = false;
    build();
    assert_string_equal(part("process", "apparmorProfile"), "nothing");
    ask_for(UNCONFINED, "");
    build();
    ask_for(LOCALHOST, "localhost/other");
    expect_refusal("apparmor is not supported by this node, and profile other was asked for");
    ask_for(BY_DEFAULT, "");
    expect_refusal("and profile RuntimeDefault was asked for");
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up_apparmor, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        WITH(test_the_default_profile_is_loaded_when_it_is_needed),
        WITH(test_a_profile_of_the_node_must_be_loaded),
        WITH(test_the_old_field_counts_when_the_new_one_is_not_there),
        WITH(test_privileged_containers_have_only_what_is_named),
        WITH(test_a_parser_that_fails_is_quoted),
        WITH(test_without_apparmor_only_a_wish_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
