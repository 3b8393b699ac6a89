// SPDX-License-Identifier: Apache-2.0
#include "tls/carrier.h"

#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/own.h"
#include "os/deadline.h"
#include "stream/tls_gate.h"
#include "tls/tls_error.h"

enum { CHUNK = 16 * 1024 };

/* Bytes in one direction. */
struct way {
    char data[CHUNK];
    size_t at;
    size_t len;
    bool ended; /* no more will come into it */
};

struct carrier {
    SSL *ssl;
    int client;
    int inside;
    struct way in;  /* from the client to berthd */
    struct way out; /* to the client */
    bool is_broken; /* the client is gone */
    bool said_goodbye;
    short client_events; /* what OpenSSL waits for */
};

/* --- handshake --- */

static int wait_for_handshake(struct carrier *c, int rc, const struct deadline *by,
                              struct error *err)
{
    switch (SSL_get_error(c->ssl, rc)) {
    case SSL_ERROR_WANT_READ:
        return deadline_wait(by, c->client, POLLIN, err);
    case SSL_ERROR_WANT_WRITE:
        return deadline_wait(by, c->client, POLLOUT, err);
    default:
        break;
    }
    if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_CERTIFICATE_VERIFY_FAILED)
        return tls_error_set(err, "the client's certificate: %s",
                             X509_verify_cert_error_string(SSL_get_verify_result(c->ssl)));
    return tls_error_set(err, "handshake");
}

/* Somebody who does not know that this is TLS can read why nothing comes. */
static void answer_plain_http(const struct carrier *c)
{
    static const char answer[] = "HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain\r\n\r\n"
                                 "this port speaks TLS: use https\n";

    if (send(c->client, answer, sizeof answer - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        log_debug("streaming: a client is gone before its answer");
}

static int shake_hands(struct carrier *c, struct error *err)
{
    struct deadline by = deadline_in_ms(CARRIER_HANDSHAKE_MS);

    for (;;) {
        int rc;

        ERR_clear_error();
        rc = SSL_accept(c->ssl);
        if (rc == 1)
            return 0;
        if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST)
            answer_plain_http(c);
        if (wait_for_handshake(c, rc, &by, err) < 0)
            return -1;
    }
}

/* --- bytes --- */

/* What OpenSSL could not do: it waits for the socket, or the client has ended, or is gone. Returns
 * true for an end in good order. */
static bool judge(struct carrier *c, int rc)
{
    switch (SSL_get_error(c->ssl, rc)) {
    case SSL_ERROR_WANT_READ:
        c->client_events |= POLLIN;
        return false;
    case SSL_ERROR_WANT_WRITE:
        c->client_events |= POLLOUT;
        return false;
    case SSL_ERROR_ZERO_RETURN:
        return true;
    default:
        c->is_broken = true;
        return false;
    }
}

static bool from_client(struct carrier *c)
{
    int n;

    if (c->in.len > 0 || c->in.ended || c->is_broken)
        return false;
    ERR_clear_error();
    n = SSL_read(c->ssl, c->in.data, CHUNK);
    if (n <= 0 && !judge(c, n))
        return false;
    c->in.at = 0;
    c->in.len = n > 0 ? (size_t)n : 0;
    c->in.ended = n <= 0;
    if (c->in.ended)
        shutdown(c->inside, SHUT_WR);
    return true;
}

static bool to_client(struct carrier *c)
{
    int n;

    if (c->out.len == 0 || c->is_broken)
        return false;
    ERR_clear_error();
    n = SSL_write(c->ssl, c->out.data + c->out.at, (int)c->out.len);
    if (n <= 0) {
        judge(c, n);
        return false;
    }
    c->out.at += (size_t)n;
    c->out.len -= (size_t)n;
    return true;
}

static bool from_inside(struct carrier *c)
{
    ssize_t n;

    if (c->out.len > 0 || c->out.ended)
        return false;
    n = recv(c->inside, c->out.data, CHUNK, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    c->out.at = 0;
    c->out.len = n > 0 ? (size_t)n : 0;
    c->out.ended = n <= 0;
    return true;
}

static bool to_inside(struct carrier *c)
{
    ssize_t n;

    if (c->in.len == 0)
        return false;
    n = send(c->inside, c->in.data + c->in.at, c->in.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n < 0)
        c->in.ended = true; /* berthd takes no more of it */
    c->in.at += n > 0 ? (size_t)n : 0;
    c->in.len = n > 0 ? c->in.len - (size_t)n : 0;
    return true;
}

/* berthd has said its last, and all of it is sent. */
static bool say_goodbye(struct carrier *c)
{
    int rc;

    if (!c->out.ended || c->out.len > 0 || c->said_goodbye || c->is_broken)
        return false;
    ERR_clear_error();
    rc = SSL_shutdown(c->ssl);
    if (rc < 0 && SSL_get_error(c->ssl, rc) == SSL_ERROR_WANT_WRITE) {
        c->client_events |= POLLOUT; /* there is no room for it yet */
        return false;
    }
    c->said_goodbye = true;
    shutdown(c->client, SHUT_WR);
    return true;
}

/* As long as anything moves. */
static void move(struct carrier *c)
{
    bool moved = true;

    while (moved && !c->is_broken) {
        c->client_events = 0;
        moved = from_client(c);
        moved |= to_inside(c);
        moved |= from_inside(c);
        moved |= to_client(c);
        moved |= say_goodbye(c);
    }
}

/* While berthd does not take what came, only the client's hang-up is looked for. */
static void set_up(const struct carrier *c, struct pollfd polled[2])
{
    polled[0] = (struct pollfd){.fd = c->client, .events = c->client_events};
    if (c->in.len > 0)
        polled[0].events |= POLLRDHUP;
    else if (c->in.ended && !polled[0].events)
        polled[0].fd = -1;
    polled[1] = (struct pollfd){.fd = c->inside};
    if (c->in.len > 0)
        polled[1].events |= POLLOUT;
    if (c->out.len == 0 && !c->out.ended)
        polled[1].events |= POLLIN;
    if (!polled[1].events)
        polled[1].fd = -1;
}

static int timeout_of(const struct carrier *c)
{
    if (c->said_goodbye)
        return CARRIER_LINGER_MS;
    return c->out.ended ? CARRIER_STALL_MS : -1;
}

static bool is_over(const struct carrier *c)
{
    return c->is_broken || (c->said_goodbye && c->in.ended && c->in.len == 0);
}

static void carry(struct carrier *c)
{
    for (;;) {
        struct pollfd polled[2];
        int n;

        move(c);
        if (is_over(c))
            return;
        set_up(c, polled);
        n = poll(polled, 2, timeout_of(c));
        if (n == 0 || (n < 0 && errno != EINTR))
            return;
        if (c->in.len > 0 && (polled[0].revents & (POLLRDHUP | POLLHUP | POLLERR)))
            return;
    }
}

/* --- the connection --- */

static void tell(const struct carrier *c, const char *words, size_t len)
{
    if (send(c->inside, words, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        log_debug("streaming: berthd is gone before the handshake's end");
}

static void run(struct carrier *c)
{
    static const char yes = TLS_GATE_YES;
    struct error err;

    if (shake_hands(c, &err) < 0) {
        char words[TLS_GATE_WORDS_MAX];
        int len = snprintf(words, sizeof words, "%c%.900s", TLS_GATE_NO, err.text);

        tell(c, words, (size_t)len);
        return;
    }
    tell(c, &yes, 1);
    carry(c);
}

void carrier_run(SSL *ssl, int client, int inside)
{
    AUTO_FREE struct carrier *c = xcalloc(1, sizeof *c);

    *c = (struct carrier){.ssl = ssl, .client = client, .inside = inside};
    if (SSL_set_fd(ssl, client) == 1)
        run(c);
    SSL_free(ssl);
    fd_close(&client);
    fd_close(&inside);
}
