// SPDX-License-Identifier: Apache-2.0
#include "stream/conversation.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/fd.h"
#include "wire/websocket.h"
#include "wire/websocket_client_test.h"

/* A client over WebSocket at one end of a socket pair, a command that is a pair of threads of ours
 * at the other ends of pipes, and the conversation between them. */
enum { MUCH = 3 << 20, CODE_NONE = 0 };

struct set_up {
    struct mux *mux;
    struct remote remote;
    struct conversation conversation;
    int client;   /* the client's end of its socket */
    int stdin_fd; /* the command's ends */
    int stdout_fd;
    int stderr_fd;
    int ended_fd;
    int stop_fd;
    struct remotecommand_size size; /* the last */
};

static void resize(void *data, const struct remotecommand_size *size)
{
    ((struct set_up *)data)->size = *size;
}

static void open_pipe(int *ours, int *theirs, bool we_write)
{
    int ends[2];
    struct error err;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    *ours = ends[we_write];
    *theirs = ends[!we_write];
    assert_int_equal(fd_set_nonblocking(*ours, &err), 0);
}

static void set_up(struct set_up *s, const char *protocol)
{
    const struct stream_request request = {
        .has_stdin = true, .has_stdout = true, .has_stderr = true, .tty = false};
    struct input nothing = {(uint8_t *)"", 0};
    struct deadline by = deadline_in_ms(60 * 1000);
    int ends[2];
    struct error err;

    *s = (struct set_up){0};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    s->client = ends[1];
    assert_int_equal(fd_set_nonblocking(ends[0], &err), 0);
    s->mux = mux_new(ends[0], MUX_CHANNELS, protocol, &nothing);
    s->stop_fd = eventfd(0, EFD_CLOEXEC);
    s->ended_fd = eventfd(0, EFD_CLOEXEC);
    remote_init(&s->remote, s->mux, protocol);
    assert_int_equal(remote_open(&s->remote, &request, &by, &err), 0);
    s->conversation = (struct conversation){.remote = &s->remote,
                                            .ended_fd = s->ended_fd,
                                            .stop_fd = s->stop_fd,
                                            .resize = resize,
                                            .data = s};
    open_pipe(&s->conversation.in, &s->stdin_fd, true);
    open_pipe(&s->conversation.outs[0], &s->stdout_fd, false);
    open_pipe(&s->conversation.outs[1], &s->stderr_fd, false);
}

static void tear_down(struct set_up *s)
{
    remote_fini(&s->remote);
    mux_free(s->mux);
    fd_close(&s->client);
    fd_close(&s->stdin_fd);
    fd_close(&s->stdout_fd);
    fd_close(&s->stderr_fd);
    fd_close(&s->ended_fd);
    fd_close(&s->stop_fd);
}

static void raise_event(int fd)
{
    uint64_t one = 1;

    assert_int_equal(write(fd, &one, sizeof one), sizeof one);
}

/* --- the client --- */

struct reader {
    int fd;
    size_t step; /* reads so much at once, slowly */
    struct buf bytes;
};

static void *read_slowly(void *data)
{
    struct reader *r = data;
    struct error err;

    for (size_t rounds = 0;; rounds++) {
        char *at = buf_reserve(&r->bytes, r->step, &err);
        ssize_t n = read(r->fd, at, r->step);

        assert_non_null(at);
        if (n <= 0)
            return NULL;
        buf_added(&r->bytes, (size_t)n);
        if (rounds % 16 == 0)
            usleep(200);
    }
}

/* What came on a channel; returns the code with which the connection was closed. */
static unsigned collect(const struct buf *bytes, unsigned channel, bool is_base64, struct buf *out)
{
    const uint8_t *at = (const uint8_t *)bytes->data, *end = at + bytes->len;
    unsigned code = CODE_NONE;
    struct error err;

    while (at < end) {
        bool is_long = at[1] == 126;
        size_t len = is_long ? (size_t)at[2] << 8 | at[3] : at[1];
        const uint8_t *body = at + (is_long ? 4 : 2);

        if (at[0] == 0x88)
            code = (unsigned)body[0] << 8 | body[1];
        else if (len > 1 && body[0] == (is_base64 ? channel + '0' : channel)) {
            struct base64_decoder decoder = {0};
            AUTO_FREE uint8_t *plain = xmalloc(len);
            int n = is_base64 ? base64_decode(&decoder, (const char *)body + 1, len - 1, plain)
                              : (int)(len - 1);

            assert_true(n > 0);
            assert_int_equal(buf_append(out, is_base64 ? plain : body + 1, (size_t)n, &err), 0);
        }
        at = body + len;
    }
    return code;
}

/* --- the command --- */

static char pattern(size_t at)
{
    return (char)(at * 7 + at / 251);
}

/* Writes much in odd portions, and ends. */
static void *write_much(void *data)
{
    struct set_up *s = data;
    AUTO_FREE char *bytes = xmalloc(MUCH);
    struct error err;

    for (size_t i = 0; i < MUCH; i++)
        bytes[i] = pattern(i);
    for (size_t at = 0, n = 1; at < MUCH; at += n, n = n % 50000 + 777) {
        if (n > MUCH - at)
            n = MUCH - at;
        assert_int_equal(fd_write_all(s->stdout_fd, bytes + at, n, &err), 0);
    }
    assert_int_equal(fd_write_all(s->stderr_fd, "last", 4, &err), 0);
    raise_event(s->ended_fd);
    fd_close(&s->stdout_fd);
    fd_close(&s->stderr_fd);
    return NULL;
}

static void expect_all_of_much(const char *protocol, size_t step)
{
    static const struct remotecommand_end good = {0};
    AUTO_FINI(buf) out = BUF(8 << 20), last = BUF(100), status = BUF(1000);
    bool is_base64 = strstr(protocol, "base64") != NULL;
    struct reader reader = {.step = step, .bytes = BUF(16 << 20)};
    pthread_t client, command;
    struct set_up s;
    struct error err;

    set_up(&s, protocol);
    reader.fd = s.client;
    pthread_create(&client, NULL, read_slowly, &reader);
    pthread_create(&command, NULL, write_much, &s);
    assert_int_equal(conversation_run(&s.conversation, &err), 0);
    pthread_join(command, NULL);
    remote_finish(&s.remote, &good, s.stop_fd);
    mux_close(s.mux, s.stop_fd, NULL);
    mux_free(TAKE(s.mux));
    pthread_join(client, NULL);
    assert_int_equal(collect(&reader.bytes, 1, is_base64, &out), WEBSOCKET_NORMAL);
    collect(&reader.bytes, 2, is_base64, &last);
    collect(&reader.bytes, 3, is_base64, &status);
    assert_int_equal(out.len, MUCH);
    for (size_t i = 0; i < MUCH; i++)
        if (out.data[i] != pattern(i))
            fail_msg("byte %zu is wrong", i);
    assert_string_equal(last.data, "last");
    assert_string_equal(status.data, "{\"status\":\"Success\"}");
    buf_fini(&reader.bytes);
    tear_down(&s);
}

static void test_a_slow_client_gets_every_byte(void **state)
{
    (void)state;
    expect_all_of_much("v4.channel.k8s.io", 5003);
    expect_all_of_much("v5.channel.k8s.io", 100003);
    expect_all_of_much("v4.base64.channel.k8s.io", 7001);
}

static void test_stdin_arrives_and_its_end(void **state)
{
    AUTO_FINI(buf) frames = BUF(1000);
    struct set_up s;
    char got[20] = "";
    struct error err;
    (void)state;

    set_up(&s, "v5.channel.k8s.io");
    add_frame(&frames, 0x82, "\0hello", 6);
    add_frame(&frames, 0x82, "\4{\"Width\":80,\"Height\":24}", 25);
    add_frame(&frames, 0x82, "\xff\0", 2);
    assert_int_equal(fd_write_all(s.client, frames.data, frames.len, &err), 0);
    raise_event(s.ended_fd);
    fd_close(&s.stdout_fd);
    fd_close(&s.stderr_fd);
    assert_int_equal(conversation_run(&s.conversation, &err), 0);
    assert_int_equal(fd_read_full(s.stdin_fd, got, sizeof got, &err), 5);
    assert_string_equal(got, "hello");
    assert_int_equal(s.size.width, 80);
    tear_down(&s);
}

static void test_a_client_that_is_gone_ends_it(void **state)
{
    struct set_up s;
    struct error err;
    (void)state;

    set_up(&s, "v4.channel.k8s.io");
    fd_close(&s.client);
    assert_int_equal(conversation_run(&s.conversation, &err), -1);
    assert_int_equal(err.code, ERROR_CANCELLED);
    assert_null(mux_fault(s.mux));
    assert_int_equal(write(s.stdout_fd, "x", 1), -1); /* the pipes are closed */
    assert_int_equal(errno, EPIPE);
    tear_down(&s);
}

static void test_a_client_that_breaks_the_protocol_reads_why(void **state)
{
    AUTO_FREE char *garbage = xmalloc(100000);
    AUTO_FINI(buf) out = BUF(1000);
    struct reader reader = {.step = 4096, .bytes = BUF(1 << 20)};
    pthread_t client;
    struct set_up s;
    struct error err;
    (void)state;

    set_up(&s, "v4.channel.k8s.io");
    memset(garbage, 0xff, 100000);
    assert_int_equal(fd_write_all(s.client, garbage, 100000, &err), 0);
    assert_int_equal(conversation_run(&s.conversation, &err), -1);
    assert_non_null(strstr(mux_fault(s.mux), "reserved bits"));
    reader.fd = s.client;
    pthread_create(&client, NULL, read_slowly, &reader);
    shutdown(s.client, SHUT_WR);
    mux_close(s.mux, s.stop_fd, &err);
    mux_free(TAKE(s.mux));
    pthread_join(client, NULL);
    assert_int_equal(collect(&reader.bytes, 1, false, &out), WEBSOCKET_PROTOCOL_ERROR);
    buf_fini(&reader.bytes);
    tear_down(&s);
}

static void test_it_stops_when_it_is_told_to(void **state)
{
    struct set_up s;
    struct error err;
    (void)state;

    set_up(&s, "v4.channel.k8s.io");
    raise_event(s.stop_fd);
    assert_int_equal(conversation_run(&s.conversation, &err), -1);
    assert_int_equal(err.code, ERROR_UNAVAILABLE);
    tear_down(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_slow_client_gets_every_byte),
        cmocka_unit_test(test_stdin_arrives_and_its_end),
        cmocka_unit_test(test_a_client_that_is_gone_ends_it),
        cmocka_unit_test(test_a_client_that_breaks_the_protocol_reads_why),
        cmocka_unit_test(test_it_stops_when_it_is_told_to),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
