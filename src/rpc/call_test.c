// SPDX-License-Identifier: Apache-2.0
#include "rpc/call.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "base/buf.h"
#include "base/fd.h"
#include "rpc/server_fixture_test.h"
#include "wire/grpc_frame.h"
#include "wire/http2_probe_test.h"

static void test_brief_requests_are_served_on_the_loops_thread_and_others_are_not(void **state)
{
    struct rpc_fixture *f = *state;
    struct rpc_client *c = rpc_fixture_open(f);
    struct error err = {0};

    assert_int_equal(rpc_fixture_ask(c, "v1", PATIENCE_MS, &err), 0);
    assert_int_equal(f->on_loop, 0);
    assert_int_equal(rpc_fixture_ask(c, "brief", PATIENCE_MS, &err), 0);
    assert_int_equal(f->on_loop, 1);
    assert_int_equal(f->on_pool, 1);
    assert_int_equal(f->observed, 2);
    rpc_client_close(c);
}

static void test_a_brief_request_that_fails_tells_its_status(void **state)
{
    struct rpc_fixture *f = *state;
    struct rpc_client *c = rpc_fixture_open(f);
    struct error err = {0};

    assert_int_equal(rpc_fixture_ask(c, "brief fail", PATIENCE_MS, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_int_equal(f->on_loop, 1);
    assert_int_equal(rpc_fixture_ask(c, "brief", PATIENCE_MS, &err), 0);
    rpc_client_close(c);
}

static void test_a_long_request_is_not_brief(void **state)
{
    struct rpc_fixture *f = *state;
    struct rpc_client *c = rpc_fixture_open(f);
    char version[RPC_BRIEF_MAX + 1];
    struct error err = {0};

    memset(version, 'x', sizeof version - 1);
    memcpy(version, "brief", 5);
    version[sizeof version - 1] = '\0';
    assert_int_equal(rpc_fixture_ask(c, version, PATIENCE_MS, &err), 0);
    assert_int_equal(f->on_loop, 0);
    rpc_client_close(c);
}

static void test_strings_that_are_no_text_are_refused(void **state)
{
    struct rpc_fixture *f = *state;
    struct rpc_client *c = rpc_fixture_open(f);
    struct error err = {0};

    assert_int_equal(rpc_fixture_ask(c, "f\xFCr", PATIENCE_MS, &err), -1);
    assert_int_equal(err.code, ERROR_INTERNAL);
    assert_non_null(strstr(err.text, "invalid UTF-8"));
    assert_int_equal(rpc_fixture_ask(c, "brief f\xFCr", PATIENCE_MS, &err), -1);
    assert_int_equal(err.code, ERROR_INTERNAL);
    assert_int_equal(rpc_fixture_ask(c, "f\xC3\xBCr", PATIENCE_MS, &err), 0);
    rpc_client_close(c);
}

static int connect_to(struct rpc_fixture *f)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", f->path);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* In one piece, so that the server reads it at once. */
static void send_all(struct http2_probe *probe, int fd)
{
    AUTO_FINI(buf) all = BUF(65536);
    const uint8_t *bytes;
    struct error err;
    ssize_t n;

    while ((n = nghttp2_session_mem_send(probe->session, &bytes)) > 0)
        assert_int_equal(buf_append(&all, bytes, (size_t)n, &err), 0);
    assert_int_equal(fd_write_all(fd, all.data, all.len, &err), 0);
}

static void test_brief_requests_do_not_hold_up_the_loop_for_long(void **state)
{
    enum { REQUESTS = 6 };
    struct rpc_fixture *f = *state;
    Runtime__V1__VersionRequest request = RUNTIME__V1__VERSION_REQUEST__INIT;
    static struct http2_probe probe;
    struct grpc_frame *frame;
    struct error err;
    int fd = connect_to(f);

    request.version = (char *)"brief nap"; /* which it is not */
    frame = grpc_frame_new(&request.base, 1000, &err);
    http2_probe_open(&probe, 65535, false);
    for (int i = 0; i < REQUESTS; i++)
        http2_probe_request(&probe, VERSION, NULL, (const char *)frame->data, frame->len);
    send_all(&probe, fd);
    rpc_fixture_wait_until(&f->naps, REQUESTS);
    assert_int_equal(f->on_loop, 1);
    assert_int_equal(f->on_pool, REQUESTS - 1);
    grpc_frame_free(frame);
    http2_probe_close(&probe);
    fd_close(&fd);
}

#define CALL_TEST(f) cmocka_unit_test_setup_teardown(f, rpc_fixture_setup, rpc_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CALL_TEST(test_brief_requests_are_served_on_the_loops_thread_and_others_are_not),
        CALL_TEST(test_a_brief_request_that_fails_tells_its_status),
        CALL_TEST(test_a_long_request_is_not_brief),
        CALL_TEST(test_strings_that_are_no_text_are_refused),
        CALL_TEST(test_brief_requests_do_not_hold_up_the_loop_for_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
