// SPDX-License-Identifier: Apache-2.0
#include "shim/attachment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"

struct attachment;

/* One output on its way to one client. */
struct ear {
    struct attachment *attachment;
    struct poller_source source; /* owns its descriptor; -1: not wanted, or closed */
    char *held;                  /* what it did not take yet; NULL: nothing */
    size_t at;
    size_t len;
};

struct attachment {
    struct list link; /* of the streams */
    struct streams *streams;
    struct ear ears[2];
    struct relay in;
    bool stdin_once;
    struct poller_timer stall;
};

static bool is_behind(const struct attachment *a)
{
    return a->ears[0].held || a->ears[1].held;
}

static void close_ear(struct ear *e)
{
    int fd = e->source.fd;

    poller_remove(e->attachment->streams->poller, &e->source);
    fd_close(&fd);
    free(TAKE(e->held));
}

void attachment_resume(struct streams *s)
{
    bool is_held[2] = {false, false};

    LIST_EACH(entry, &s->attachments)
    {
        const struct attachment *a = LIST_OF(entry, struct attachment, link);

        for (size_t i = 0; i < 2; i++)
            is_held[i] |= a->ears[i].held != NULL;
    }
    for (size_t i = 0; i < 2; i++)
        if (!is_held[i])
            output_resume(&s->outputs[i]);
}

static void attachment_free(struct attachment *a)
{
    list_remove(&a->link);
    a->streams->n_attachments--;
    poller_timer_clear(&a->stall);
    relay_stop(&a->in);
    for (size_t i = 0; i < 2; i++)
        close_ear(&a->ears[i]);
    free(a);
}

/* One of its descriptors was closed. What the client sent before it left still goes to the
 * container, unless that takes too long. */
static void settle(struct attachment *a)
{
    bool hears = a->ears[0].source.fd >= 0 || a->ears[1].source.fd >= 0;

    if (!hears && !relay_is_open(&a->in))
        attachment_free(a);
    else if (!hears)
        poller_timer_set(a->streams->poller, &a->stall, ATTACHMENT_STALL_MS);
    else if (!is_behind(a))
        poller_timer_clear(&a->stall);
}

static void on_stalled(struct poller_timer *timer)
{
    struct attachment *a = LIST_OF(timer, struct attachment, stall);
    struct streams *s = a->streams;

    attachment_free(a);
    attachment_resume(s);
}

/* Returns how much was taken, or -1 when the client is gone. */
static ssize_t give(struct ear *e, const char *data, size_t len)
{
    ssize_t n;

    do
        n = write(e->source.fd, data, len);
    while (n < 0 && errno == EINTR);
    return n < 0 && errno == EAGAIN ? 0 : n;
}

static void on_ready(struct poller_source *source, uint32_t events)
{
    struct ear *e = LIST_OF(source, struct ear, source);
    struct attachment *a = e->attachment;
    struct streams *s = a->streams;
    ssize_t n = -1;

    if (e->held && !(events & (EPOLLERR | EPOLLHUP)))
        n = give(e, e->held + e->at, e->len);
    if (n < 0) {
        close_ear(e);
        settle(a);
        attachment_resume(s);
        return;
    }
    e->at += (size_t)n;
    e->len -= (size_t)n;
    poller_timer_set(s->poller, &a->stall, ATTACHMENT_STALL_MS);
    if (e->len > 0)
        return;
    free(TAKE(e->held));
    poller_change(s->poller, &e->source, 0);
    settle(a);
    attachment_resume(s);
}

/* Gives to one client, and holds the rest. */
static void feed(struct ear *e, const char *data, size_t len)
{
    struct attachment *a = e->attachment;
    ssize_t n = give(e, data, len);

    if (n < 0) {
        close_ear(e);
        settle(a);
        return;
    }
    if ((size_t)n == len)
        return;
    e->at = 0;
    e->len = len - (size_t)n;
    e->held = xmemdup(data + n, e->len);
    poller_change(a->streams->poller, &e->source, EPOLLOUT);
    poller_timer_set(a->streams->poller, &a->stall, ATTACHMENT_STALL_MS);
}

void attachment_feed(struct streams *s, size_t which, const char *data, size_t len)
{
    bool is_held = false;

    LIST_EACH(entry, &s->attachments)
    {
        struct ear *e = &LIST_OF(entry, struct attachment, link)->ears[which];

        if (e->source.fd >= 0)
            feed(e, data, len);
    }
    LIST_EACH(entry, &s->attachments)
    is_held |= LIST_OF(entry, struct attachment, link)->ears[which].held != NULL;
    if (is_held)
        output_pause(&s->outputs[which]);
}

static void on_input_ended(struct relay *r)
{
    struct attachment *a = LIST_OF(r, struct attachment, in);

    if (a->stdin_once && !a->streams->has_terminal)
        streams_close_in(a->streams);
    settle(a);
}

static int open_ear(struct ear *e, const struct streams_spec *spec, const char *name,
                    struct error *err)
{
    AUTO_CLOSE int fd = -1;

    if (!*name)
        return 0;
    fd = streams_take_passed(spec, name, err);
    if (fd < 0 || fd_set_nonblocking(fd, err) < 0 ||
        poller_add(e->attachment->streams->poller, &e->source, fd, 0, err) < 0)
        return -1;
    fd_take(&fd);
    return 0;
}

static int open_input(struct attachment *a, const struct streams_spec *spec, struct error *err)
{
    int own = a->streams->has_terminal ? a->streams->master : a->streams->held;
    AUTO_CLOSE int from = -1, to = -1;

    if (!*spec->in)
        return 0;
    if (own < 0)
        return error_set(err, ERROR_PRECONDITION, "the container has no stdin, or it is closed");
    to = fcntl(own, F_DUPFD_CLOEXEC, 3);
    if (to < 0)
        return error_errno(err, errno, "copy a descriptor");
    from = streams_take_passed(spec, spec->in, err);
    if (from < 0)
        return -1;
    return relay_start(&a->in, a->streams->poller, fd_take(&from), fd_take(&to), err);
}

static struct attachment *attachment_new(struct streams *s)
{
    struct attachment *a = xcalloc(1, sizeof *a);

    a->streams = s;
    for (size_t i = 0; i < 2; i++)
        a->ears[i] = (struct ear){.attachment = a, .source = {.fd = -1, .ready = on_ready}};
    relay_init(&a->in);
    a->in.ended = on_input_ended;
    poller_timer_init(&a->stall, on_stalled);
    list_add(&s->attachments, &a->link);
    s->n_attachments++;
    return a;
}

int attachment_open(struct streams *s, const struct streams_spec *spec, bool stdin_once,
                    struct error *err)
{
    struct attachment *a;

    if (s->n_attachments >= ATTACHMENTS_MAX)
        return error_set(err, ERROR_EXHAUSTED, "more than %d clients are attached",
                         ATTACHMENTS_MAX);
    a = attachment_new(s);
    a->stdin_once = stdin_once;
    if (open_ear(&a->ears[0], spec, spec->out, err) < 0 ||
        open_ear(&a->ears[1], spec, spec->err, err) < 0 || open_input(a, spec, err) < 0) {
        attachment_free(a);
        return -1;
    }
    return 0;
}

void attachment_close_all(struct streams *s)
{
    LIST_EACH(entry, &s->attachments)
    attachment_free(LIST_OF(entry, struct attachment, link));
}
