// SPDX-License-Identifier: Apache-2.0
#include "tls/carrier.h"

#include <linux/sockios.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/own.h"
#include "stream/tls_gate.h"
#include "tls/certificate.h"

/* A carrier on a thread of its own, OpenSSL as its client, and us as berthd. */
enum { MUCH = 2 << 20 };

struct set_up {
    struct certificate *certificate;
    pthread_t thread;
    SSL *ssl; /* the carrier's, which takes these three */
    int carrier_client;
    int carrier_inside;
    SSL_CTX *context;
    SSL *client;
    int client_fd;
    int inside;
};

static void *run_carrier(void *data)
{
    struct set_up *s = data;

    carrier_run(s->ssl, s->carrier_client, s->carrier_inside);
    return NULL;
}

static void open_pair(int *ours, int *theirs)
{
    int ends[2];
    struct error err;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    *ours = ends[0];
    *theirs = ends[1];
    assert_int_equal(fd_set_nonblocking(*theirs, &err), 0);
}

static void start(struct set_up *s)
{
    static const struct certificate_options options = {"", "", "", TLS1_2_VERSION};
    struct error err;

    *s = (struct set_up){.client_fd = -1};
    s->certificate = certificate_new(&options, &err);
    assert_non_null(s->certificate);
    s->ssl = certificate_new_ssl(s->certificate, &err);
    assert_non_null(s->ssl);
    open_pair(&s->client_fd, &s->carrier_client);
    open_pair(&s->inside, &s->carrier_inside);
    assert_int_equal(pthread_create(&s->thread, NULL, run_carrier, s), 0);
}

static void shake_hands(struct set_up *s)
{
    char verdict;

    s->context = SSL_CTX_new(TLS_client_method());
    s->client = SSL_new(s->context);
    assert_int_equal(SSL_set_fd(s->client, s->client_fd), 1);
    assert_int_equal(SSL_connect(s->client), 1);
    assert_int_equal(read(s->inside, &verdict, 1), 1);
    assert_int_equal(verdict, TLS_GATE_YES);
}

static void clean_up(struct set_up *s)
{
    fd_close(&s->inside);
    SSL_free(s->client);
    SSL_CTX_free(s->context);
    certificate_free(s->certificate);
}

static void stop(struct set_up *s)
{
    fd_close(&s->inside);
    fd_close(&s->client_fd);
    pthread_join(s->thread, NULL);
    clean_up(s);
}

static void *write_much(void *data)
{
    AUTO_FREE char *bytes = xcalloc(1, MUCH);
    struct set_up *s = data;
    struct error err;

    memset(bytes, 'x', MUCH);
    assert_int_equal(fd_write_all(s->inside, bytes, MUCH, &err), 0);
    assert_int_equal(fd_write_all(s->inside, "last", 4, &err), 0);
    shutdown(s->inside, SHUT_WR);
    return NULL;
}

static void test_bytes_go_both_ways_and_berthds_end_is_told(void **state)
{
    AUTO_FINI(buf) got = BUF(4 << 20);
    char text[8] = "";
    pthread_t writer;
    struct set_up s;
    struct error err;
    int n;
    (void)state;

    start(&s);
    shake_hands(&s);
    assert_int_equal(SSL_write(s.client, "hello", 5), 5);
    assert_int_equal(fd_read_full(s.inside, text, 5, &err), 5);
    assert_string_equal(text, "hello");
    pthread_create(&writer, NULL, write_much, &s);
    do {
        char *at = buf_reserve(&got, 10007, &err);

        n = SSL_read(s.client, at, 10007);
        if (n > 0)
            buf_added(&got, (size_t)n);
    } while (n > 0);
    assert_int_equal(SSL_get_error(s.client, n), SSL_ERROR_ZERO_RETURN);
    pthread_join(writer, NULL);
    assert_int_equal(got.len, MUCH + 4);
    assert_string_equal(got.data + MUCH, "last");
    stop(&s);
}

/* Also when the last bytes have left no room for it. */
static void test_the_goodbye_comes_whatever_was_before_it(void **state)
{
    AUTO_FREE char *bytes = xcalloc(1, MUCH);
    (void)state;

    for (size_t chunks = 1; chunks <= 32; chunks++) {
        struct set_up s;
        ssize_t got = 0, sent;
        int n, left;

        start(&s);
        shake_hands(&s);
        sent = send(s.inside, bytes, chunks * 16384, MSG_DONTWAIT);
        shutdown(s.inside, SHUT_WR);
        for (int i = 0; i < 50 && ioctl(s.inside, SIOCOUTQ, &left) == 0 && left > 0; i++)
            usleep(1000);
        usleep(2000); /* or the carrier may find room, which shows nothing */
        while ((n = SSL_read(s.client, bytes, MUCH)) > 0)
            got += n;
        assert_int_equal(SSL_get_error(s.client, n), SSL_ERROR_ZERO_RETURN);
        assert_int_equal(got, sent);
        stop(&s);
    }
}

static void test_the_end_of_the_client_is_the_end_inside(void **state)
{
    char byte;
    struct set_up s;
    (void)state;

    start(&s);
    shake_hands(&s);
    assert_int_equal(SSL_write(s.client, "x", 1), 1);
    fd_close(&s.client_fd);
    assert_int_equal(read(s.inside, &byte, 1), 1);
    assert_int_equal(read(s.inside, &byte, 1), 0);
    stop(&s);
}

static void test_who_vanishes_while_nothing_is_taken_is_noticed(void **state)
{
    AUTO_FREE char *bytes = xcalloc(1, MUCH);
    struct error err;
    struct set_up s;
    (void)state;

    start(&s);
    shake_hands(&s);
    assert_int_equal(fd_set_nonblocking(s.client_fd, &err), 0);
    while (send(s.carrier_inside, bytes, 16384, MSG_DONTWAIT) > 0) /* there is no room */
        continue;
    while (SSL_write(s.client, bytes, 16384) > 0)
        continue;
    fd_close(&s.client_fd);
    pthread_join(s.thread, NULL); /* although we have read nothing */
    clean_up(&s);
}

static void expect_no(const char *said, const char *words)
{
    char verdict[TLS_GATE_WORDS_MAX] = "";
    struct set_up s;
    struct error err;

    start(&s);
    assert_int_equal(fd_write_all(s.client_fd, said, strlen(said), &err), 0);
    shutdown(s.client_fd, SHUT_WR);
    assert_true(fd_read_full(s.inside, verdict, sizeof verdict - 1, &err) > 1);
    assert_int_equal(verdict[0], TLS_GATE_NO);
    if (!strstr(verdict, words))
        fail_msg("%s", verdict);
    stop(&s);
}

static void test_what_is_no_tls_is_refused_with_words(void **state)
{
    (void)state;

    expect_no("", "the client is gone");
    expect_no("\x16\x03\x01\xff\xff", "packet length too long");
    expect_no("GET / HTTP/1.1\r\n\r\n", "http request");
    expect_no("SSH-2.0-what\r\n12345", "wrong version number");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_go_both_ways_and_berthds_end_is_told),
        cmocka_unit_test(test_the_goodbye_comes_whatever_was_before_it),
        cmocka_unit_test(test_the_end_of_the_client_is_the_end_inside),
        cmocka_unit_test(test_who_vanishes_while_nothing_is_taken_is_noticed),
        cmocka_unit_test(test_what_is_no_tls_is_refused_with_words),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
