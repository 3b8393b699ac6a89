// SPDX-License-Identifier: Apache-2.0
/* The server's end of a SPDY session. Stored blocks, which have no checksum, make headers that can
 * be mutated; the captures of Go's client have compressed ones.
 *
 * The first byte is the size of the pieces in which the rest arrives. What is done with a stream
 * depends on its headers: those of a port forward are answered, others are echoed, or reset. */
#include <stdint.h>

#include "base/own.h"
#include "wire/portforward.h"

static void on_opened(struct spdy *s, const struct spdy_event *event)
{
    struct portforward_stream stream;
    struct error err;

    for (size_t i = 0; i < event->n_headers; i++)
        if (event->headers[i].name[0] == '\0' ||
            event->headers[i].value[event->headers[i].value_len] != '\0')
            abort();
    spdy_set_user(s, event->stream, s);
    if (portforward_stream_parse(event, &stream, &err) == 0)
        spdy_accept(s, event->stream);
    else if (event->n_headers > 3)
        spdy_reset(s, event->stream, SPDY_REFUSED_STREAM);
}

static void on_event(struct spdy *s, const struct spdy_event *event)
{
    const uint8_t *out;

    if (event->stream && event->type != SPDY_OPENED && event->user != s)
        abort();
    switch (event->type) {
    case SPDY_OPENED:
        on_opened(s, event);
        break;
    case SPDY_DATA:
        if (spdy_send(s, event->stream, event->data, event->len) < event->len)
            spdy_transmitted(s, spdy_transmit(s, &out) / 2);
        break;
    case SPDY_ENDED:
        spdy_finish(s, event->stream);
        break;
    case SPDY_GOAWAY:
        spdy_goaway(s);
        break;
    default:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(spdy) *s = spdy_new();
    size_t step = size && data[0] ? data[0] : SIZE_MAX;
    struct error err = {0};
    const uint8_t *out;
    int rc = 0;

    for (size_t at = 1, n; rc == 0 && at < size; at += n) {
        AUTO_FREE uint8_t *copy = NULL;
        struct spdy_event event;
        struct input in;

        n = size - at < step ? size - at : step;
        copy = xmemdup(data + at, n);
        in = (struct input){copy, n};
        while ((rc = spdy_next(s, &in, &event, &err)) == 0 && event.type != SPDY_MORE)
            on_event(s, &event);
        if (rc == 0 && in.len)
            abort();
    }
    if (rc < 0 && (err.code == ERROR_OK || spdy_transmit(s, &out) == 0))
        abort();
    if (spdy_streams(s) > SPDY_STREAMS_MAX)
        abort();
    return 0;
}
