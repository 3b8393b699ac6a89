// SPDX-License-Identifier: Apache-2.0
#include "os/fd_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/fd.h"

static void open_pair(int ends[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
}

static void test_a_message_brings_its_descriptors(void **state)
{
    int ends[2], data[2], fds[2];
    char text[8] = "";
    struct error err;
    (void)state;

    open_pair(ends);
    assert_int_equal(pipe(data), 0);
    assert_int_equal(fd_message_send(ends[0], "ab", 2, &data[1], 1, &err), 0);
    assert_int_equal(fd_message_receive(ends[1], text, sizeof text, fds, 2, &err), 2);
    assert_string_equal(text, "ab");
    assert_true(fds[0] >= 0);
    assert_int_equal(fds[1], -1);
    assert_int_equal(write(fds[0], "x", 1), 1);
    assert_int_equal(read(data[0], text, 1), 1);
    fd_close(&fds[0]);
    fd_close(&ends[0]);
    assert_int_equal(fd_message_receive(ends[1], text, sizeof text, fds, 2, &err), 0);
    fd_close(&ends[1]);
    fd_close(&data[0]);
    fd_close(&data[1]);
}

static void test_what_is_too_much_is_refused_and_closed(void **state)
{
    int ends[2], data[2], fds[1];
    char text[2];
    struct error err;
    (void)state;

    open_pair(ends);
    assert_int_equal(pipe(data), 0);
    assert_int_equal(fd_message_send(ends[0], "a", 1, data, 2, &err), 0);
    assert_int_equal(fd_message_receive(ends[1], text, sizeof text, fds, 1, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
    assert_int_equal(fds[0], -1);
    fd_close(&data[1]);
    assert_int_equal(read(data[0], text, 1), 0); /* nobody has the other end */
    assert_int_equal(fd_message_send(ends[0], "abc", 3, NULL, 0, &err), 0);
    assert_int_equal(fd_message_receive(ends[1], text, sizeof text, fds, 1, &err), -1);
    fd_close(&data[0]);
    fd_close(&ends[0]);
    fd_close(&ends[1]);
}

static void test_a_peer_that_is_gone_is_an_error(void **state)
{
    int ends[2];
    struct error err;
    (void)state;

    open_pair(ends);
    fd_close(&ends[1]);
    assert_int_equal(fd_message_send(ends[0], "a", 1, NULL, 0, &err), -1);
    fd_close(&ends[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_message_brings_its_descriptors),
        cmocka_unit_test(test_what_is_too_much_is_refused_and_closed),
        cmocka_unit_test(test_a_peer_that_is_gone_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
