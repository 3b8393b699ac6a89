// SPDX-License-Identifier: Apache-2.0
#include "rpc/listener.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/file.h"

static char folder[32], path[64];

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/rpc-test-XXXXXX");
    snprintf(path, sizeof path, "%s/s.sock", mkdtemp(folder));
    return 0;
}

static int teardown(void **state)
{
    struct error err;
    (void)state;

    return file_remove_tree(AT_FDCWD, folder, &err);
}

static void test_the_socket_has_its_mode_and_goes_with_the_listener(void **state)
{
    struct rpc_listener l = RPC_LISTENER_NONE;
    struct error err = {0};
    struct stat st;
    (void)state;

    assert_int_equal(rpc_listener_open(&l, path, 0660, &err), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0660);
    rpc_listener_close(&l);
    assert_false(file_exists(path));
    rpc_listener_close(&l);
}

static void test_a_dead_socket_is_replaced(void **state)
{
    struct rpc_listener dead = RPC_LISTENER_NONE, l = RPC_LISTENER_NONE;
    struct error err = {0};
    (void)state;

    assert_int_equal(rpc_listener_open(&dead, path, 0600, &err), 0);
    fd_close(&dead.fd);
    assert_int_equal(rpc_listener_open(&l, path, 0600, &err), 0);
    free(dead.path);
    rpc_listener_close(&l);
}

static void test_a_socket_that_has_taken_our_place_stays(void **state)
{
    struct rpc_listener ours = RPC_LISTENER_NONE, other = RPC_LISTENER_NONE;
    struct error err = {0};
    (void)state;

    assert_int_equal(rpc_listener_open(&ours, path, 0600, &err), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rpc_listener_open(&other, path, 0600, &err), 0);
    rpc_listener_close(&ours);
    assert_true(file_exists(path));
    rpc_listener_close(&other);
}

static void test_a_live_socket_is_left_alone(void **state)
{
    struct rpc_listener live = RPC_LISTENER_NONE, l = RPC_LISTENER_NONE;
    struct error err = {0};
    (void)state;

    assert_int_equal(rpc_listener_open(&live, path, 0600, &err), 0);
    assert_int_equal(rpc_listener_open(&l, path, 0600, &err), -1);
    assert_int_equal(err.code, ERROR_EXISTS);
    assert_int_equal(l.fd, -1);
    assert_true(file_exists(path));
    rpc_listener_close(&live);
}

static void test_a_file_that_is_no_socket_is_left_alone(void **state)
{
    struct rpc_listener l = RPC_LISTENER_NONE;
    struct error err = {0};
    (void)state;

    assert_int_equal(file_store(AT_FDCWD, path, "x", 1, 0600, &err), 0);
    assert_int_equal(rpc_listener_open(&l, path, 0600, &err), -1);
    assert_int_equal(err.code, ERROR_EXISTS);
    assert_true(file_exists(path));
}

static void test_a_path_that_is_too_long_is_refused(void **state)
{
    char longer[200];
    struct rpc_listener l = RPC_LISTENER_NONE;
    struct error err = {0};
    (void)state;

    snprintf(longer, sizeof longer, "/tmp/%0150d", 0);
    assert_int_equal(rpc_listener_open(&l, longer, 0600, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
}

#define LISTENER_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        LISTENER_TEST(test_the_socket_has_its_mode_and_goes_with_the_listener),
        LISTENER_TEST(test_a_dead_socket_is_replaced),
        LISTENER_TEST(test_a_socket_that_has_taken_our_place_stays),
        LISTENER_TEST(test_a_live_socket_is_left_alone),
        LISTENER_TEST(test_a_file_that_is_no_socket_is_left_alone),
        LISTENER_TEST(test_a_path_that_is_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
