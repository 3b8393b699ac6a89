// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"
#include "rpc/ttrpc_client.h"
#include "ttrpc.pb-c.h"
#include "wire/ttrpc.h"

enum { ARENA_MAX = 32 * 1024 * 1024, BUFFER_SIZE = 64 * 1024 };

enum manner { ANSWER, FAIL, HANG_UP, BE_SILENT, OTHER_STREAM_FIRST };

/* A server for one call: answers with what the test wants, and notes what came. */
static struct {
    char dir[64];
    char path[300];
    int listener;
    pthread_t thread;
    enum manner manner;
    int got_fd;
    size_t got_len;
    char got_method[32];
} server;

static int receive(int fd, char *data, size_t size)
{
    char control[CMSG_SPACE(sizeof(int))];
    struct iovec iov = {data, size};
    struct msghdr message = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    int n = (int)recvmsg(fd, &message, MSG_CMSG_CLOEXEC);

    if (n > 0 && CMSG_FIRSTHDR(&message))
        memcpy(&server.got_fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
    return n;
}

static void answer(int fd, const struct ttrpc_frame *frame)
{
    Ttrpc__Request *request = ttrpc__request__unpack(NULL, frame->len, frame->data);
    Ttrpc__KeyValue response = TTRPC__KEY_VALUE__INIT;
    AUTO_FINI(buf) out = BUF(ARENA_MAX);
    struct error err = {0};

    assert_non_null(request);
    server.got_len = request->payload.len;
    snprintf(server.got_method, sizeof server.got_method, "%s", request->method);
    response.key = (char *)"answer";
    error_set(&err, ERROR_NOT_FOUND, "no such thing");
    if (server.manner == OTHER_STREAM_FIRST)
        assert_int_equal(ttrpc_encode_response(&out, 99, &err, NULL, &err), 0);
    assert_int_equal(ttrpc_encode_response(&out, frame->stream, server.manner == FAIL ? &err : NULL,
                                           &response.base, &err),
                     0);
    assert_int_equal(fd_write_all(fd, out.data, out.len, &err), 0);
    ttrpc__request__free_unpacked(request, NULL);
}

static void *serve(void *data)
{
    AUTO_FREE char *bytes = xmalloc(BUFFER_SIZE);
    AUTO_CLOSE int fd = accept(server.listener, NULL, NULL);
    struct ttrpc_decoder decoder;
    struct ttrpc_frame frame;
    struct error err;
    int n;

    ttrpc_decoder_init(&decoder);
    while (server.manner != HANG_UP && (n = receive(fd, bytes, BUFFER_SIZE)) > 0) {
        assert_int_equal(ttrpc_decoder_feed(&decoder, bytes, (size_t)n, &err), 0);
        while (ttrpc_decoder_next(&decoder, &frame))
            if (server.manner != BE_SILENT)
                answer(fd, &frame);
    }
    ttrpc_decoder_fini(&decoder);
    return data;
}

static void listen_in(const char *folder)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    AUTO_CLOSE int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

    snprintf(server.path, sizeof server.path, "%s/shim.sock", folder);
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/shim.sock", dir);
    server.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server.listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(server.listener, 1), 0);
}

static int make_dir(void **state)
{
    (void)state;
    memset(&server, 0, sizeof server);
    server.got_fd = server.listener = -1;
    snprintf(server.dir, sizeof server.dir, "/tmp/ttrpc-client-XXXXXX");
    assert_non_null(mkdtemp(server.dir));
    return 0;
}

static int remove_dir(void **state)
{
    struct error err;

    (void)state;
    fd_close(&server.listener);
    fd_close(&server.got_fd);
    return file_remove_tree(AT_FDCWD, server.dir, &err);
}

static int call_with(const char *value, const int *fds, size_t n_fds, int64_t ms, char *out_key,
                     struct error *err)
{
    Ttrpc__KeyValue request = TTRPC__KEY_VALUE__INIT;
    struct deadline by = ms ? deadline_in_ms(ms) : DEADLINE_NONE;
    struct ttrpc_call call = {.socket = server.path,
                              .service = "a.B",
                              .method = "Do",
                              .request = &request.base,
                              .response = &ttrpc__key_value__descriptor,
                              .fds = fds,
                              .n_fds = n_fds};
    AUTO_FINI(arena) arena;
    ProtobufCMessage *response;

    arena_init(&arena, ARENA_MAX);
    request.value = (char *)value;
    if (ttrpc_client_call(&call, &arena, &by, &response, err) < 0)
        return -1;
    snprintf(out_key, 32, "%s", ((Ttrpc__KeyValue *)response)->key);
    return 0;
}

/* One call to a server with that manner. */
static int call_once(enum manner manner, const char *value, int64_t ms, struct error *err)
{
    char key[32];
    int failed;

    server.manner = manner;
    if (server.listener < 0)
        listen_in(server.dir);
    assert_int_equal(pthread_create(&server.thread, NULL, serve, NULL), 0);
    failed = call_with(value, NULL, 0, ms, key, err);
    assert_int_equal(pthread_join(server.thread, NULL), 0);
    if (!failed)
        assert_string_equal(key, "answer");
    return failed;
}

static void test_a_call_is_answered(void **state)
{
    struct error err;
    (void)state;

    assert_int_equal(call_once(ANSWER, "v", 0, &err), 0);
    assert_string_equal(server.got_method, "Do");
    assert_int_equal(call_once(OTHER_STREAM_FIRST, "v", 5000, &err), 0);
}

static void test_a_status_fails_with_its_code_and_words(void **state)
{
    struct error err;
    (void)state;

    assert_int_equal(call_once(FAIL, "v", 5000, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_string_equal(err.text, "no such thing");
}

static void test_a_large_request_goes_through(void **state)
{
    AUTO_FREE char *value = xcalloc(1, 4000001);
    struct error err;
    (void)state;

    memset(value, 'x', 4000000);
    assert_int_equal(call_once(ANSWER, value, 5000, &err), 0);
    assert_true(server.got_len > 4000000);
}

static void test_the_deadline_ends_a_call(void **state)
{
    struct error err;
    (void)state;

    assert_int_equal(call_once(BE_SILENT, "v", 50, &err), -1);
    assert_int_equal(err.code, ERROR_DEADLINE);
}

static void test_nobody_there_is_unavailable(void **state)
{
    char key[32];
    struct error err;
    (void)state;

    snprintf(server.path, sizeof server.path, "%s/nothing", server.dir);
    assert_int_equal(call_with("v", NULL, 0, 5000, key, &err), -1);
    assert_int_equal(err.code, ERROR_UNAVAILABLE);
    assert_int_equal(call_once(HANG_UP, "v", 5000, &err), -1);
    assert_int_equal(err.code, ERROR_UNAVAILABLE);
    fd_close(&server.listener);
    assert_int_equal(call_with("v", NULL, 0, 5000, key, &err), -1);
    assert_int_equal(err.code, ERROR_UNAVAILABLE);
}

static void test_a_long_path_and_a_descriptor_go_through(void **state)
{
    char folder[300], key[32], byte = 0;
    int ends[2];
    struct error err;
    (void)state;

    snprintf(folder, sizeof folder, "%s/%0100d/%0100d", server.dir, 1, 2);
    assert_int_equal(file_make_dirs(folder, 0755, &err), 0);
    listen_in(folder);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(pthread_create(&server.thread, NULL, serve, NULL), 0);
    if (call_with("v", &ends[1], 1, 5000, key, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(pthread_join(server.thread, NULL), 0);
    close(ends[1]);
    assert_true(server.got_fd >= 0);
    assert_int_equal(write(server.got_fd, "x", 1), 1);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_int_equal(byte, 'x');
    close(ends[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_call_is_answered, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_a_status_fails_with_its_code_and_words, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(test_a_large_request_goes_through, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_the_deadline_ends_a_call, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_nobody_there_is_unavailable, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_a_long_path_and_a_descriptor_go_through, make_dir,
                                        remove_dir),
    };

    return cmocka_run_group_tests_name("ttrpc_client", tests, NULL, NULL);
}
