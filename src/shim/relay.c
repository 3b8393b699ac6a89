// SPDX-License-Identifier: Apache-2.0
#include "shim/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/fd.h"
#include "base/own.h"

void relay_init(struct relay *r)
{
    *r = (struct relay){.source = {.fd = -1}, .from = -1, .to = -1};
}

bool relay_is_open(const struct relay *r)
{
    return r->from >= 0;
}

bool relay_is_behind(const struct relay *r)
{
    return relay_is_open(r) && r->len > 0;
}

void relay_stop(struct relay *r)
{
    if (!relay_is_open(r))
        return;
    poller_remove(r->poller, &r->source);
    fd_close(&r->from);
    fd_close(&r->to);
    free(TAKE(r->data));
}

static void end(struct relay *r)
{
    relay_stop(r);
    r->ended(r);
}

static bool must_wait(ssize_t n)
{
    return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* Only one of the two descriptors is watched at a time: a hang-up of the other would otherwise be
 * reported over and over. */
static void wait_for(struct relay *r, int fd, uint32_t events)
{
    struct error ignored;

    poller_remove(r->poller, &r->source);
    if (poller_add(r->poller, &r->source, fd, events, &ignored) < 0)
        end(r);
}

static void on_ready(struct poller_source *s, uint32_t events)
{
    struct relay *r = LIST_OF(s, struct relay, source);
    ssize_t n;

    (void)events;
    if (r->len == 0) {
        n = read(r->from, r->data, RELAY_BUFFER_SIZE);
        if (must_wait(n))
            return;
        if (n <= 0) {
            end(r);
            return;
        }
        r->at = 0;
        r->len = (size_t)n;
    }
    n = write(r->to, r->data + r->at, r->len);
    if (n < 0 && !must_wait(n)) {
        end(r);
        return;
    }
    if (n > 0) {
        r->at += (size_t)n;
        r->len -= (size_t)n;
    }
    if (r->len > 0 && s->fd == r->from)
        wait_for(r, r->to, EPOLLOUT);
    else if (r->len == 0 && s->fd == r->to)
        wait_for(r, r->from, EPOLLIN);
}

int relay_start(struct relay *r, struct poller *p, int from, int to, struct error *err)
{
    r->poller = p;
    r->source.ready = on_ready;
    r->from = from;
    r->to = to;
    r->len = 0;
    r->data = xmalloc(RELAY_BUFFER_SIZE);
    if (fd_set_nonblocking(from, err) < 0 || fd_set_nonblocking(to, err) < 0 ||
        poller_add(p, &r->source, from, EPOLLIN, err) < 0) {
        relay_stop(r);
        return -1;
    }
    return 0;
}
