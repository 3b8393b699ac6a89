// SPDX-License-Identifier: Apache-2.0
#include "shim/output.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/fd.h"

/* Page-aligned, so that all of it can be given back. */
static struct {
    _Alignas(4096) char data[OUTPUT_READ_MAX];
    struct log_batch batch;
    _Alignas(4096) char end[1];
} scratch;
static struct poller_timer quiet;

static void give_back(struct poller_timer *t)
{
    (void)t;
    madvise(&scratch, (size_t)(scratch.end - scratch.data), MADV_DONTNEED);
    log_file_give_back();
}

void output_init(struct output *o, struct log_file *log, const char *stream, int64_t line_max)
{
    *o = (struct output){.source = {.fd = -1}, .fd = -1, .log = log, .stream = stream};
    log_framer_init(&o->framer, line_max);
}

bool output_is_open(const struct output *o)
{
    return o->fd >= 0;
}

void output_flush(struct output *o)
{
    if (!o->framer.held_len)
        return;
    log_framer_begin(&scratch.batch, o->stream, clock_now_ns());
    log_framer_flush(&o->framer, &scratch.batch);
    log_file_write(o->log, scratch.batch.iov, scratch.batch.n);
}

void output_stop(struct output *o)
{
    if (!output_is_open(o))
        return;
    output_flush(o);
    poller_remove(o->poller, &o->source);
    fd_close(&o->fd);
    log_framer_fini(&o->framer);
}

void output_pause(struct output *o)
{
    if (output_is_open(o))
        poller_remove(o->poller, &o->source);
}

void output_resume(struct output *o)
{
    struct error ignored;

    if (!output_is_open(o) || o->source.fd >= 0 || log_file_is_stuck(o->log))
        return;
    if (poller_add(o->poller, &o->source, o->fd, EPOLLIN, &ignored) < 0) {
        output_stop(o);
        o->ended(o);
    }
}

static void write_records(struct output *o, const char *data, size_t len)
{
    if (!o->log->path)
        return;
    log_framer_begin(&scratch.batch, o->stream, clock_now_ns());
    while (len > 0) {
        size_t used = log_framer_push(&o->framer, &scratch.batch, data, len);

        if (scratch.batch.n > 0)
            log_file_write(o->log, scratch.batch.iov, scratch.batch.n);
        data += used;
        len -= used;
    }
}

static void on_ready(struct poller_source *s, uint32_t events)
{
    struct output *o = LIST_OF(s, struct output, source);
    ssize_t n;

    (void)events;
    if (log_file_is_stuck(o->log)) { /* since the other output wrote to it */
        output_pause(o);
        return;
    }
    n = read(o->fd, scratch.data, sizeof scratch.data);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0) {
        write_records(o, scratch.data, (size_t)n);
        if (log_file_is_stuck(o->log))
            output_pause(o);
        if (n > OUTPUT_LITTLE)
            poller_timer_set(o->poller, &quiet, OUTPUT_QUIET_MS);
        if (o->heard)
            o->heard(o, scratch.data, (size_t)n);
        return;
    }
    output_stop(o); /* a terminal says EIO when nobody has it open any more */
    o->ended(o);
}

int output_start(struct output *o, struct poller *p, int fd, struct error *err)
{
    o->poller = p;
    o->source.ready = on_ready;
    if (!quiet.fire)
        poller_timer_init(&quiet, give_back);
    if (fd_set_nonblocking(fd, err) < 0 || poller_add(p, &o->source, fd, EPOLLIN, err) < 0)
        return -1;
    o->fd = fd;
    return 0;
}
