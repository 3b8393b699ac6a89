// SPDX-License-Identifier: Apache-2.0
/* berth-tls: speaks TLS with the clients of the streaming server, so that berthd needs neither the
 * library nor the key. berthd starts it; stream/tls_gate.h tells what they say to each other.
 *
 * berth-tls CERTIFICATE KEY CLIENT-CA VERSION; the first three may be empty. */
#include <signal.h>
#include <sys/resource.h>

#include "base/fd.h"
#include "base/log.h"
#include "os/fd_message.h"
#include "os/pool.h"
#include "stream/stream_server.h"
#include "stream/tls_gate.h"
#include "tls/carrier.h"
#include "tls/certificate.h"
#include "tls/fence.h"

enum { END_S = 3 };

struct connection {
    SSL *ssl;
    int client;
    int inside;
};

static void run_connection(void *data)
{
    AUTO_FREE struct connection *c = data;

    carrier_run(c->ssl, c->client, c->inside);
    OPENSSL_thread_stop(); /* or the thread keeps its random numbers while it is idle */
}

static void serve(struct certificate *certificate, struct pool *pool, int fds[2])
{
    struct connection *c;
    struct error err;
    SSL *ssl = certificate_new_ssl(certificate, &err);

    if (!ssl) {
        log_warn("streaming: %s", err.text);
        fd_close(&fds[0]);
        fd_close(&fds[1]);
        return;
    }
    c = xcalloc(1, sizeof *c);
    *c = (struct connection){ssl, fds[0], fds[1]};
    pool_submit(pool, run_connection, c);
}

/* Until berthd ends. */
static int serve_all(struct certificate *certificate, struct pool *pool, struct error *err)
{
    for (;;) {
        char word;
        int fds[2];
        ssize_t n = fd_message_receive(STDIN_FILENO, &word, 1, fds, 2, err);

        if (n <= 0)
            return (int)n;
        if (fds[0] >= 0 && fds[1] >= 0) {
            serve(certificate, pool, fds);
            continue;
        }
        fd_close(&fds[0]);
        fd_close(&fds[1]);
    }
}

/* Two descriptors for each connection. */
static void raise_limits(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

static int run(const struct certificate_options *options, struct error *err)
{
    static const char yes = TLS_GATE_YES;
    AUTO(certificate) *certificate = NULL;
    struct pool *pool;
    int outcome;

    if (fence_drop_powers(err) < 0)
        return -1;
    certificate = certificate_new(options, err);
    pool = certificate ? pool_new(STREAM_SERVER_SESSIONS_MAX, err) : NULL;
    if (!pool || fence_close(err) < 0 || fd_message_send(STDIN_FILENO, &yes, 1, NULL, 0, err) < 0)
        return -1;
    outcome = serve_all(certificate, pool, err);
    alarm(END_S); /* berthd has closed all connections; their last bytes have so long */
    pool_free(pool);
    return outcome;
}

static void refuse(const struct error *err)
{
    char words[TLS_GATE_WORDS_MAX];
    int len = snprintf(words, sizeof words, "%c%.900s", TLS_GATE_NO, err->text);
    struct error ignored;

    if (fd_message_send(STDIN_FILENO, words, (size_t)len, NULL, 0, &ignored) < 0)
        log_error("%s", err->text);
}

int main(int argc, char **argv)
{
    struct certificate_options options;
    struct error err;

    if (argc != 5) {
        fputs("berth-tls is started by berthd\n", stderr);
        return 2;
    }
    options = (struct certificate_options){
        .cert_file = argv[1],
        .key_file = argv[2],
        .client_ca = argv[3],
        .min_version = strcmp(argv[4], "1.3") == 0 ? TLS1_3_VERSION : TLS1_2_VERSION};
    signal(SIGPIPE, SIG_IGN);
    raise_limits();
    if (run(&options, &err) == 0)
        return 0;
    refuse(&err);
    return 1;
}
