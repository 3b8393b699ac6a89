// SPDX-License-Identifier: Apache-2.0
#include "stream/tls_gate.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/list.h"
#include "base/log.h"
#include "base/own.h"
#include "os/fd_message.h"
#include "os/process.h"

enum { READY_MS = 10 * 1000, END_MS = 4 * 1000 };

struct tls_gate {
    char *argv[6]; /* program, certificate, key, CA of clients, version; NULL */
    pthread_mutex_t lock;
    struct process process; /* under the lock, as the next */
    int control;            /* -1: it does not run */
    struct loop *loop;
    pthread_mutex_t watching; /* held for the length of list operations */
    struct list watches;      /* one; or more for a moment, after one was killed */
};

/* The loop's thread reaps the process when it ends, whatever the sessions do then. */
struct watch {
    struct list link;
    struct tls_gate *gate;
    int pidfd;
    struct loop_source *source; /* NULL: not yet */
};

/* What it says first: yes, or why not. */
static int read_verdict(int fd, const struct deadline *by, struct error *err)
{
    char words[TLS_GATE_WORDS_MAX + 1];
    ssize_t n;

    do {
        if (deadline_wait(by, fd, POLLIN, err) < 0)
            return -1;
        n = recv(fd, words, 1, MSG_PEEK | MSG_DONTWAIT);
    } while (n < 0 && (errno == EAGAIN || errno == EINTR));
    if (n < 0)
        return error_errno(err, errno, "receive from berth-tls");
    /* What comes behind a yes are bytes of the client already. */
    n = n > 0 ? recv(fd, words, *words == TLS_GATE_YES ? 1 : sizeof words - 1, MSG_DONTWAIT) : 0;
    if (n <= 0)
        return error_set(err, ERROR_UNAVAILABLE, "berth-tls has ended");
    words[n] = '\0';
    return *words == TLS_GATE_YES ? 0 : error_set(err, ERROR_INVALID, "%s", words + 1);
}

/* --- its end --- */

static void watch_free(struct watch *w)
{
    if (w->source)
        loop_remove(w->source);
    pthread_mutex_lock(&w->gate->watching);
    list_remove(&w->link);
    pthread_mutex_unlock(&w->gate->watching);
    fd_close(&w->pidfd);
    free(w);
}

static void on_end(void *data, uint32_t events)
{
    struct watch *w = data;
    siginfo_t info;

    (void)events;
    if (waitid((idtype_t)P_PIDFD, (id_t)w->pidfd, &info, WEXITED | WNOHANG) == 0)
        log_warn("streaming: berth-tls has ended; the next client starts it again");
    watch_free(w);
}

static void begin_watch(void *data)
{
    struct watch *w = data;
    struct error err;

    w->source = loop_add(w->gate->loop, w->pidfd, EPOLLIN, on_end, w, &err);
    if (w->source)
        return;
    log_warn("streaming: berth-tls is not watched: %s", err.text);
    watch_free(w);
}

static int watch(struct tls_gate *g, struct error *err)
{
    int pidfd = fcntl(g->process.pidfd, F_DUPFD_CLOEXEC, 0);
    struct watch *w;

    if (pidfd < 0)
        return error_errno(err, errno, "duplicate a pidfd");
    w = xcalloc(1, sizeof *w);
    *w = (struct watch){.gate = g, .pidfd = pidfd};
    pthread_mutex_lock(&g->watching);
    list_add(&g->watches, &w->link);
    pthread_mutex_unlock(&g->watching);
    loop_post(g->loop, begin_watch, w);
    return 0;
}

/* --- the process --- */

static void stop(struct tls_gate *g)
{
    struct deadline by = deadline_in_ms(END_MS);
    struct error ignored;
    int status;

    fd_close(&g->control);
    if (g->process.pidfd >= 0 && process_wait(&g->process, &by, &status, &ignored) < 0)
        process_kill(&g->process);
}

static int start(struct tls_gate *g, struct error *err)
{
    struct process_spec spec = PROCESS_SPEC((const char *const *)g->argv);
    struct deadline by = deadline_in_ms(READY_MS);
    AUTO_CLOSE int ours = -1, theirs = -1;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return error_errno(err, errno, "make a socket pair");
    ours = ends[0];
    theirs = ends[1];
    spec.stdio[0] = theirs;
    spec.stdio[2] = STDERR_FILENO;
    spec.own_session = true;
    if (process_start(&spec, &g->process, err) < 0)
        return -1;
    fd_close(&theirs);
    if (read_verdict(ours, &by, err) < 0 || watch(g, err) < 0) {
        process_kill(&g->process);
        return -1;
    }
    g->control = fd_take(&ours);
    return 0;
}

/* One end of the pair and the client's socket; with the lock. */
static int hand_over(struct tls_gate *g, const int fds[2], struct error *err)
{
    static const char word = TLS_GATE_YES;

    if (g->control >= 0 && fd_message_send(g->control, &word, 1, fds, 2, err) == 0)
        return 0;
    if (g->control >= 0 && err->code == ERROR_EXHAUSTED)
        return -1; /* it lives, and is behind */
    if (g->control >= 0) {
        log_warn("streaming: berth-tls is started again: %s", err->text);
        process_kill(&g->process);
        fd_close(&g->control);
    }
    if (start(g, err) < 0)
        return error_wrap(err, "start berth-tls");
    return fd_message_send(g->control, &word, 1, fds, 2, err);
}

/* --- verbs --- */

struct tls_gate *tls_gate_new(const struct tls_gate_options *o, struct error *err)
{
    struct tls_gate *g = xcalloc(1, sizeof *g);

    g->argv[0] = xstrdup(o->helper);
    g->argv[1] = xstrdup(o->cert_file);
    g->argv[2] = xstrdup(o->key_file);
    g->argv[3] = xstrdup(o->client_ca);
    g->argv[4] = xstrdup(o->min_version);
    g->process.pidfd = g->control = -1;
    g->loop = o->loop;
    list_init(&g->watches);
    pthread_mutex_init(&g->lock, NULL);
    pthread_mutex_init(&g->watching, NULL);
    if (start(g, err) == 0)
        return g;
    tls_gate_free(g);
    return NULL;
}

void tls_gate_free(struct tls_gate *g)
{
    if (!g)
        return;
    stop(g);
    LIST_EACH(entry, &g->watches)
    watch_free(LIST_OF(entry, struct watch, link));
    for (size_t i = 0; g->argv[i]; i++)
        free(g->argv[i]);
    pthread_mutex_destroy(&g->lock);
    pthread_mutex_destroy(&g->watching);
    free(g);
}

int tls_gate_pass(struct tls_gate *g, int *client, const struct deadline *by, struct error *err)
{
    AUTO_CLOSE int encrypted = fd_take(client), ours = -1, theirs = -1;
    int ends[2], outcome;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return error_errno(err, errno, "make a socket pair");
    ours = ends[0];
    theirs = ends[1];
    pthread_mutex_lock(&g->lock);
    outcome = hand_over(g, (int[2]){encrypted, theirs}, err);
    pthread_mutex_unlock(&g->lock);
    fd_close(&theirs);
    if (outcome < 0 || read_verdict(ours, by, err) < 0)
        return error_wrap(err, "TLS");
    *client = fd_take(&ours);
    return 0;
}
