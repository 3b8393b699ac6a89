// SPDX-License-Identifier: Apache-2.0
#include "pod/sandbox_selinux.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/message.h"
#include "pod/container_selinux.h"

static struct {
    struct node node;
    struct error err;
} t;

/* A host with SELinux, and three levels. */
static int set_up(void **state)
{
    (void)state;
    memset(&t, 0, sizeof t);
    selinux_levels_init(&t.node.selinux, 3);
    t.node.state = (char *)"/nowhere";
    t.node.selinux_enabled = true;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    selinux_levels_fini(&t.node.selinux);
    return 0;
}

/* A pod whose client asks for that level; NULL: for no label at all. */
static struct sandbox *pod(const char *level)
{
    Runtime__V1__PodSandboxConfig config = RUNTIME__V1__POD_SANDBOX_CONFIG__INIT;
    Runtime__V1__LinuxPodSandboxConfig linux = RUNTIME__V1__LINUX_POD_SANDBOX_CONFIG__INIT;
    Runtime__V1__LinuxSandboxSecurityContext security =
        RUNTIME__V1__LINUX_SANDBOX_SECURITY_CONTEXT__INIT;
    Runtime__V1__SELinuxOption options = RUNTIME__V1__SELINUX_OPTION__INIT;

    if (level) {
        config.linux = &linux;
        linux.security_context = &security;
        security.selinux_options = &options;
        options.level = (char *)level;
    }
    return sandbox_new(&t.node, "id", "name",
                       (Runtime__V1__PodSandboxConfig *)message_copy(&config.base));
}

static const char *level_of(const struct sandbox *s)
{
    return sandbox_selinux_options(s)->level;
}

static void test_a_pod_without_a_level_gets_its_own(void **state)
{
    AUTO(sandbox) *a = pod(NULL), *b = pod(""), *c = pod(NULL), *d = pod(NULL);

    (void)state;
    assert_int_equal(sandbox_selinux_assign(a, &t.err), 0);
    assert_int_equal(sandbox_selinux_assign(b, &t.err), 0);
    assert_int_equal(sandbox_selinux_assign(c, &t.err), 0);
    assert_string_not_equal(level_of(a), level_of(b));
    assert_string_not_equal(level_of(b), level_of(c));
    assert_string_not_equal(level_of(a), level_of(c));
    assert_int_equal(sandbox_selinux_assign(d, &t.err), -1);
    assert_int_equal(t.err.code, ERROR_EXHAUSTED);
    sandbox_selinux_release(b);
    assert_int_equal(sandbox_selinux_assign(d, &t.err), 0);
    assert_string_equal(level_of(d), level_of(b));
}

static void test_what_the_client_says_stays(void **state)
{
    AUTO(sandbox) *a = pod("s0:c1,c0"), *b = pod("s0:c"), *c = pod("s0:c0,c1");

    (void)state;
    assert_int_equal(sandbox_selinux_assign(a, &t.err), 0);
    assert_string_equal(level_of(a), "s0:c1,c0");
    assert_int_equal(sandbox_selinux_assign(b, &t.err), -1);
    assert_string_equal(t.err.text, "selinux_options.level: \"s0:c\" is no level");
    assert_int_equal(sandbox_selinux_assign(c, &t.err), 0);
}

static void test_a_record_tells_what_is_in_use(void **state)
{
    AUTO(sandbox) *a = pod("s0:c0,c1"), *b = pod(NULL), *c = pod(NULL), *d = pod(NULL);

    (void)state;
    sandbox_selinux_hold(a); /* as after a restart */
    assert_int_equal(sandbox_selinux_assign(b, &t.err), 0);
    assert_int_equal(sandbox_selinux_assign(c, &t.err), 0);
    assert_string_not_equal(level_of(b), "s0:c0,c1");
    assert_string_not_equal(level_of(c), "s0:c0,c1");
    assert_int_equal(sandbox_selinux_assign(d, &t.err), -1);
}

static void test_a_container_may_have_a_level_of_its_own(void **state)
{
    Runtime__V1__ContainerConfig config = RUNTIME__V1__CONTAINER_CONFIG__INIT;
    Runtime__V1__LinuxContainerConfig linux = RUNTIME__V1__LINUX_CONTAINER_CONFIG__INIT;
    Runtime__V1__LinuxContainerSecurityContext security =
        RUNTIME__V1__LINUX_CONTAINER_SECURITY_CONTEXT__INIT;
    Runtime__V1__SELinuxOption options = RUNTIME__V1__SELINUX_OPTION__INIT;
    AUTO(sandbox) *a = pod("s0:c0,c1"), *b = pod(NULL), *c = pod(NULL);

    (void)state;
    config.linux = &linux;
    linux.security_context = &security;
    security.selinux_options = &options;
    options.level = (char *)"s0:c0,c2";
    t.node.root = (char *)"/nowhere";
    AUTO(container) *own =
        container_new(a, "id", "name", (Runtime__V1__ContainerConfig *)message_copy(&config.base));
    assert_int_equal(sandbox_selinux_assign(a, &t.err), 0);
    container_selinux_hold(own);
    assert_int_equal(sandbox_selinux_assign(b, &t.err), 0);
    assert_string_equal(level_of(b), "s0:c1,c2"); /* the one that nobody has */
    assert_int_equal(sandbox_selinux_assign(c, &t.err), -1);
    container_selinux_release(own);
    assert_int_equal(sandbox_selinux_assign(c, &t.err), 0);
}

static void test_without_selinux_nothing_is_added(void **state)
{
    AUTO(sandbox) *a = pod(NULL), *b = pod("x");

    (void)state;
    t.node.selinux_enabled = false;
    assert_int_equal(sandbox_selinux_assign(a, &t.err), 0);
    assert_null(sandbox_selinux_options(a));
    assert_int_equal(sandbox_selinux_assign(b, &t.err), -1);
    sandbox_selinux_release(a);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        WITH(test_a_pod_without_a_level_gets_its_own),
        WITH(test_what_the_client_says_stays),
        WITH(test_a_record_tells_what_is_in_use),
        WITH(test_a_container_may_have_a_level_of_its_own),
        WITH(test_without_selinux_nothing_is_added),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
