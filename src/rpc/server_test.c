// SPDX-License-Identifier: Apache-2.0
#include "rpc/server.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/fd.h"
#include "rpc/server_fixture_test.h"
#include "wire/grpc_frame.h"
#include "wire/http2_probe_test.h"

struct link {
    struct http2_probe probe;
    int fd;
};

static int connect_to(struct rpc_fixture *f)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", f->path);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static struct link *open_link(struct rpc_fixture *f, uint32_t window, bool reads_slowly)
{
    struct link *l = xcalloc(1, sizeof *l);

    l->fd = connect_to(f);
    http2_probe_open(&l->probe, window, reads_slowly);
    return l;
}

static void close_link(struct link *l)
{
    http2_probe_close(&l->probe);
    fd_close(&l->fd);
    free(l);
}

/* The server may be gone already; reading tells. */
static void link_send(struct link *l)
{
    const uint8_t *bytes;
    ssize_t n;

    while ((n = nghttp2_session_mem_send(l->probe.session, &bytes)) > 0)
        while (n > 0) {
            ssize_t written = send(l->fd, bytes, (size_t)n, MSG_NOSIGNAL);

            if (written < 0)
                return;
            bytes += written;
            n -= written;
        }
}

/* Sends and receives once; false when the server has closed or is silent. */
static bool link_turn(struct link *l, int timeout_ms)
{
    struct pollfd ready = {.fd = l->fd, .events = POLLIN};
    static uint8_t bytes[65536];
    ssize_t n;

    link_send(l);
    if (poll(&ready, 1, timeout_ms) <= 0)
        return false;
    n = read(l->fd, bytes, sizeof bytes);
    if (n <= 0)
        return false;
    assert_int_equal(nghttp2_session_mem_recv(l->probe.session, bytes, (size_t)n), n);
    return true;
}

static void link_until_closed(struct link *l, size_t n_closed)
{
    while (l->probe.n_closed < n_closed && link_turn(l, PATIENCE_MS))
        ;
    assert_int_equal(l->probe.n_closed, n_closed);
}

static struct grpc_frame *version_frame(const char *version)
{
    Runtime__V1__VersionRequest request = RUNTIME__V1__VERSION_REQUEST__INIT;
    struct grpc_frame *frame;
    struct error err;

    request.version = (char *)version;
    frame = grpc_frame_new(&request.base, 1000, &err);
    assert_non_null(frame);
    return frame;
}

static struct http2_probe_stream *link_ask(struct link *l, const char *path,
                                           const struct grpc_frame *frame)
{
    return http2_probe_request(&l->probe, path, NULL, (const char *)frame->data, frame->len);
}

static void test_a_reset_calls_off(void **state)
{
    struct rpc_fixture *f = *state;
    struct link *l = open_link(f, 65535, false);
    struct grpc_frame *frame = version_frame("wait");
    struct http2_probe_stream *s = link_ask(l, VERSION, frame);

    link_send(l);
    rpc_fixture_wait_until(&f->waiting, 1);
    http2_probe_reset(&l->probe, s);
    link_send(l);
    rpc_fixture_wait_until(&f->waiting, 0);
    assert_int_equal(atomic_load(&f->outcome), ERROR_CANCELLED);
    grpc_frame_free(frame);
    close_link(l);
}

static void test_the_end_of_the_connection_calls_off(void **state)
{
    struct rpc_fixture *f = *state;
    struct link *l = open_link(f, 65535, false);
    struct grpc_frame *frame = version_frame("wait");

    link_ask(l, VERSION, frame);
    link_send(l);
    rpc_fixture_wait_until(&f->waiting, 1);
    close_link(l);
    rpc_fixture_wait_until(&f->waiting, 0);
    assert_int_equal(atomic_load(&f->outcome), ERROR_CANCELLED);
    grpc_frame_free(frame);
}

static void test_bytes_that_are_no_message_are_an_internal_error(void **state)
{
    struct link *l = open_link(*state, 65535, false);
    struct http2_probe_stream *s =
        http2_probe_request(&l->probe, VERSION, NULL, "\0\0\0\0\3\x0a\xffx", 8);

    link_until_closed(l, 1);
    assert_int_equal(s->grpc_status, ERROR_INTERNAL);
    assert_string_equal(s->message, "grpc: error unmarshalling request: the bytes are no "
                                    "runtime.v1.VersionRequest");
    close_link(l);
}

static void test_a_hundred_calls_at_once_on_one_connection(void **state)
{
    struct rpc_fixture *f = *state;
    struct link *l = open_link(f, 65535, false);
    struct grpc_frame *frame = version_frame("nap");

    for (int i = 0; i < 100; i++)
        link_ask(l, VERSION, frame);
    link_until_closed(l, 100);
    assert_true(atomic_load(&f->most_napping) > 1);
    for (int i = 0; i < 100; i++)
        assert_int_equal(l->probe.streams[i].grpc_status, 0);
    grpc_frame_free(frame);
    close_link(l);
}

static void test_connections_over_the_limit_are_turned_away(void **state)
{
    struct rpc_client *clients[RPC_CONNECTIONS_MAX];
    struct rpc_fixture *f = *state;
    struct error err = {0};
    struct link *l;

    for (size_t i = 0; i < COUNT_OF(clients); i++)
        clients[i] = rpc_fixture_open(f);
    for (size_t i = 0; i < COUNT_OF(clients); i++)
        assert_int_equal(rpc_fixture_ask(clients[i], "v1", PATIENCE_MS, &err), 0);
    l = open_link(f, 65535, false);
    while (link_turn(l, PATIENCE_MS))
        ;
    assert_int_equal(l->probe.goaways, 1);
    close_link(l);
    for (size_t i = 0; i < COUNT_OF(clients); i++)
        rpc_client_close(clients[i]);
    /* The places are free again, as soon as the server has seen it. */
    for (int i = 0; i < PATIENCE_MS / 10; i++) {
        struct rpc_client *c = rpc_fixture_open(f);
        int rc = rpc_fixture_ask(c, "v1", PATIENCE_MS, &err);

        rpc_client_close(c);
        if (rc == 0)
            return;
        usleep(10000);
    }
    fail_msg("%s", err.text);
}

/* Neither a small window nor a socket that is not read makes the server buffer more than the queue
 * of the call and what the kernel takes. */
static void check_backpressure(struct rpc_fixture *f, uint32_t window)
{
    struct link *l = open_link(f, window, true);
    static const char empty[5];
    struct rpc_client *c = rpc_fixture_open(f);
    struct http2_probe_stream *s =
        http2_probe_request(&l->probe, EVENTS, NULL, empty, sizeof empty);
    struct error err = {0};
    int sent;

    link_send(l);
    do {
        sent = atomic_load(&f->sent);
        usleep(100 * 1000);
    } while (sent < 200 || atomic_load(&f->sent) != sent);
    assert_in_range(sent, 200, 2000);
    assert_int_equal(rpc_fixture_ask(c, "v1", PATIENCE_MS, &err), 0);
    http2_probe_reset(&l->probe, s);
    link_until_closed(l, 1);
    rpc_fixture_wait_until(&f->outcome, ERROR_CANCELLED);
    rpc_client_close(c);
    close_link(l);
}

static void test_a_small_window_holds_the_handler_back(void **state)
{
    check_backpressure(*state, 1000);
}

static void test_an_unread_socket_holds_the_handler_back(void **state)
{
    check_backpressure(*state, 1 << 30);
}

static void test_a_stream_that_is_not_read_ends_at_its_deadline(void **state)
{
    struct rpc_fixture *f = *state;
    struct link *l = open_link(f, 1000, true);
    nghttp2_nv timeout = http2_field("grpc-timeout", "100m");
    static const char empty[5];
    struct http2_probe_stream *s =
        http2_probe_request(&l->probe, EVENTS, &timeout, empty, sizeof empty);

    link_send(l);
    rpc_fixture_wait_until(&f->outcome, ERROR_DEADLINE);
    assert_false(s->closed);
    close_link(l);
}

static void test_a_slow_reader_gets_it_all(void **state)
{
    struct rpc_fixture *f = *state;
    struct link *l = open_link(f, 5000, true);
    static const char empty[5];
    struct http2_probe_stream *s;
    size_t seen = 0;

    atomic_store(&f->events, 1000);
    s = http2_probe_request(&l->probe, EVENTS, NULL, empty, sizeof empty);
    while (!s->closed && link_turn(l, PATIENCE_MS)) {
        http2_probe_consume(&l->probe, s, s->received - seen);
        seen = s->received;
    }
    assert_int_equal(s->grpc_status, 0);
    assert_true(s->received > 1000 * EVENT_SIZE);
    close_link(l);
}

static void on_drained(void *data)
{
    struct rpc_fixture *f = data;

    atomic_store(&f->is_drained, true);
    loop_stop(f->loop);
}

static void *ask_nap(void *data)
{
    struct error err = {0};
    struct rpc_client *c = rpc_fixture_open(data);
    int rc = rpc_fixture_ask(c, "nap", PATIENCE_MS, &err);

    rpc_client_close(c);
    return (void *)(intptr_t)rc;
}

static void *read_without_end(void *data)
{
    struct rpc_reading r = {0};
    struct error err = {0};
    struct rpc_client *c = rpc_fixture_open(data);

    assert_int_equal(rpc_fixture_read(c, &r, &err), -1);
    rpc_client_close(c);
    return (void *)(intptr_t)err.code;
}

static void test_draining_ends_calls_well_and_calls_streams_off(void **state)
{
    struct rpc_fixture *f = *state;
    struct rpc_client *idle = rpc_fixture_open(f);
    pthread_t nap, stream;
    struct error err = {0};
    void *nap_result, *stream_result;

    assert_int_equal(rpc_fixture_ask(idle, "v1", PATIENCE_MS, &err), 0);
    pthread_create(&stream, NULL, read_without_end, f);
    while (atomic_load(&f->sent) == 0)
        usleep(1000);
    pthread_create(&nap, NULL, ask_nap, f);
    rpc_fixture_wait_until(&f->naps, 1); /* one that comes later is turned away */
    rpc_server_drain(f->server, PATIENCE_MS, on_drained, f);
    pthread_join(nap, &nap_result);
    pthread_join(stream, &stream_result);
    assert_int_equal((intptr_t)nap_result, 0);
    assert_int_equal((intptr_t)stream_result, ERROR_UNAVAILABLE);
    while (!atomic_load(&f->is_drained))
        usleep(1000);
    assert_int_equal(access(f->path, F_OK), -1);
    assert_int_equal(rpc_fixture_ask(idle, "v1", PATIENCE_MS, &err), -1);
    assert_int_equal(err.code, ERROR_UNAVAILABLE);
    rpc_client_close(idle);
}

static void test_draining_does_not_wait_longer_than_its_grace(void **state)
{
    struct rpc_fixture *f = *state;
    struct link *l = open_link(f, 65535, false);
    struct grpc_frame *frame = version_frame("wait");

    link_ask(l, VERSION, frame);
    link_send(l);
    rpc_fixture_wait_until(&f->waiting, 1);
    rpc_server_drain(f->server, 100, on_drained, f);
    while (!atomic_load(&f->is_drained))
        usleep(1000);
    assert_int_equal(atomic_load(&f->waiting), 1);
    grpc_frame_free(frame);
    close_link(l);
}

static void test_a_second_server_leaves_the_first_alone(void **state)
{
    struct rpc_fixture *f = *state;
    struct rpc_server_options options = {.loop = f->loop, .pool = f->pool};
    struct error err = {0};
    struct rpc_server *second = rpc_server_new(&options, &err);
    struct rpc_client *c;

    assert_int_equal(rpc_server_listen(second, f->path, 0660, &err), -1);
    assert_int_equal(err.code, ERROR_EXISTS);
    rpc_server_free(second);
    c = rpc_fixture_open(f);
    assert_int_equal(rpc_fixture_ask(c, "v1", PATIENCE_MS, &err), 0);
    rpc_client_close(c);
}

#define SERVER_TEST(test)                                                                          \
    cmocka_unit_test_setup_teardown(test, rpc_fixture_setup, rpc_fixture_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        SERVER_TEST(test_a_reset_calls_off),
        SERVER_TEST(test_the_end_of_the_connection_calls_off),
        SERVER_TEST(test_bytes_that_are_no_message_are_an_internal_error),
        SERVER_TEST(test_a_hundred_calls_at_once_on_one_connection),
        SERVER_TEST(test_connections_over_the_limit_are_turned_away),
        SERVER_TEST(test_a_small_window_holds_the_handler_back),
        SERVER_TEST(test_an_unread_socket_holds_the_handler_back),
        SERVER_TEST(test_a_stream_that_is_not_read_ends_at_its_deadline),
        SERVER_TEST(test_a_slow_reader_gets_it_all),
        SERVER_TEST(test_draining_ends_calls_well_and_calls_streams_off),
        SERVER_TEST(test_draining_does_not_wait_longer_than_its_grace),
        SERVER_TEST(test_a_second_server_leaves_the_first_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
