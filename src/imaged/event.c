// SPDX-License-Identifier: Apache-2.0
#include "imaged/event.h"

#include <pthread.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"
#include "imaged/stop.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* one line at a time */
static int out_fd = -1;

void event_open(int fd)
{
    out_fd = fd;
}

static void send(struct json_object *event)
{
    const char *text = json_text(event);
    struct error err = {0};
    int result;

    if (out_fd < 0)
        return;
    pthread_mutex_lock(&lock);
    result = fd_write_all(out_fd, text, strlen(text), &err);
    if (result == 0)
        result = fd_write_all(out_fd, "\n", 1, &err);
    pthread_mutex_unlock(&lock);
    if (result < 0)
        stop_request();
}

void event_progress(struct event_layer *l, const char *state, int64_t done)
{
    int64_t now = clock_monotonic_ns();
    JSON_AUTO *event = NULL;

    if (strcmp(state, "downloading") == 0 && now - l->sent_ns < EVENT_INTERVAL_MS * CLOCK_NS_PER_MS)
        return;
    l->sent_ns = now;
    event = json_object_new_object();
    json_add_str(event, "event", "progress");
    json_add_str(event, "layer", l->digest);
    json_add_str(event, "state", state);
    json_add_int(event, "done", done);
    json_add_int(event, "total", l->total);
    send(event);
}

void event_send(struct json_object *taken)
{
    JSON_AUTO *event = taken;

    send(event);
}

void event_error(const struct error *err)
{
    JSON_AUTO *event = json_object_new_object();

    json_add_str(event, "event", "error");
    json_add_int(event, "code", err->code);
    json_add_str(event, "message", err->text);
    send(event);
}
