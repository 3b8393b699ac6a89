// SPDX-License-Identifier: Apache-2.0
#include "pod/events.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/list.h"
#include "base/message.h"
#include "base/own.h"

static const int64_t backlog_age_ns = 5 * 60 * CLOCK_NS_PER_S;

struct event {
    _Atomic int refs;
    int64_t created_ns; /* monotonic */
    ProtobufCMessage *message;
};

/* A ring of references. */
struct queue {
    struct event *items[EVENTS_QUEUE_MAX];
    size_t first;
    size_t len;
};

struct events {
    pthread_mutex_t lock;
    struct list subscribers;
    struct queue *backlog; /* NULL until the first event that nobody hears */
};

struct events_subscriber {
    struct list entry;
    struct events *events;
    struct queue *queue;
    bool overrun;
    int ready_fd; /* readable while the queue has something */
};

struct events *events_new(void)
{
    struct events *e = xcalloc(1, sizeof *e);

    pthread_mutex_init(&e->lock, NULL);
    list_init(&e->subscribers);
    return e;
}

struct event *event_new(const Runtime__V1__ContainerEventResponse *message)
{
    struct event *e = xcalloc(1, sizeof *e);

    e->refs = 1;
    e->created_ns = clock_monotonic_ns();
    e->message = message_copy(&message->base);
    return e;
}

const ProtobufCMessage *event_message(const struct event *e)
{
    return e->message;
}

void event_free(struct event *e)
{
    if (!e || --e->refs > 0)
        return;
    message_free(e->message);
    free(e);
}

static struct event *queue_take(struct queue *q)
{
    struct event *e = q->items[q->first];

    q->first = (q->first + 1) % EVENTS_QUEUE_MAX;
    q->len--;
    return e;
}

/* False when it is full. */
static bool queue_add(struct queue *q, struct event *e)
{
    if (q->len == EVENTS_QUEUE_MAX)
        return false;
    e->refs++;
    q->items[(q->first + q->len++) % EVENTS_QUEUE_MAX] = e;
    return true;
}

static void queue_free(struct queue *q)
{
    while (q && q->len)
        event_free(queue_take(q));
    free(q);
}

void events_free(struct events *e)
{
    if (!e)
        return;
    queue_free(e->backlog);
    pthread_mutex_destroy(&e->lock);
    free(e);
}

static void wake(struct events_subscriber *s)
{
    uint64_t one = 1;

    if (write(s->ready_fd, &one, sizeof one) < 0)
        abort(); /* an eventfd has room for a one */
}

static void keep_for_later(struct events *e, struct event *event)
{
    if (!e->backlog)
        e->backlog = xcalloc(1, sizeof *e->backlog);
    while (e->backlog->len &&
           (e->backlog->len == EVENTS_QUEUE_MAX ||
            e->backlog->items[e->backlog->first]->created_ns + backlog_age_ns < event->created_ns))
        event_free(queue_take(e->backlog));
    queue_add(e->backlog, event);
}

void events_publish(struct events *e, struct event *taken)
{
    pthread_mutex_lock(&e->lock);
    if (list_is_empty(&e->subscribers))
        keep_for_later(e, taken);
    LIST_EACH(entry, &e->subscribers)
    {
        struct events_subscriber *s = LIST_OF(entry, struct events_subscriber, entry);

        if (!queue_add(s->queue, taken))
            s->overrun = true;
        wake(s);
    }
    pthread_mutex_unlock(&e->lock);
    event_free(taken);
}

struct events_subscriber *events_subscribe(struct events *e)
{
    struct events_subscriber *s = xcalloc(1, sizeof *s);
    int64_t oldest = clock_monotonic_ns() - backlog_age_ns;

    s->events = e;
    s->ready_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
    if (s->ready_fd < 0)
        abort();
    pthread_mutex_lock(&e->lock);
    s->queue = e->backlog ? TAKE(e->backlog) : xcalloc(1, sizeof *s->queue);
    while (s->queue->len && s->queue->items[s->queue->first]->created_ns < oldest)
        event_free(queue_take(s->queue));
    for (size_t i = 0; i < s->queue->len; i++)
        wake(s);
    list_add(&e->subscribers, &s->entry);
    pthread_mutex_unlock(&e->lock);
    return s;
}

void events_unsubscribe(struct events_subscriber *s)
{
    pthread_mutex_lock(&s->events->lock);
    list_remove(&s->entry);
    pthread_mutex_unlock(&s->events->lock);
    queue_free(s->queue);
    fd_close(&s->ready_fd);
    free(s);
}

struct event *events_next(struct events_subscriber *s, const struct deadline *by, struct error *err)
{
    struct event *next = NULL;
    uint64_t one;

    if (deadline_wait(by, s->ready_fd, POLLIN, err) < 0)
        return NULL;
    if (read(s->ready_fd, &one, sizeof one) < 0) {
        error_set(err, ERROR_INTERNAL, "event queue without an event");
        return NULL;
    }
    pthread_mutex_lock(&s->events->lock);
    if (s->queue->len)
        next = queue_take(s->queue);
    pthread_mutex_unlock(&s->events->lock);
    if (!next)
        error_set(err, ERROR_EXHAUSTED,
                  "more than %d events were waiting for this client: list again", EVENTS_QUEUE_MAX);
    return next;
}
