// SPDX-License-Identifier: Apache-2.0
#include "wire/spdy.h"

#include <string.h>
#include <strings.h>

#include "wire/spdy_session.h"

/* A frame is a head of eight bytes and a payload. Of the payload of a control frame the first bytes
 * are fixed by its type and are collected; a block of headers behind them goes to the inflater as
 * it comes. The payload of a data frame passes through. What is of no use is skipped. */
enum frame_state { IN_HEAD, IN_FIXED, IN_BLOCK, IN_SETTINGS, IN_DATA, IN_SKIP };

enum {
    ID_MASK = 0x7fffffff,
    SETTING_SIZE = 8,
    SETTING_INITIAL_WINDOW = 7,
};

struct spdy *spdy_new(void)
{
    struct spdy *s = xcalloc(1, sizeof *s);

    s->headers = spdy_headers_new();
    s->initial_window = SPDY_WINDOW_SIZE;
    spdy_window_init(&s->window, SPDY_WINDOW_SIZE);
    spdy_output_init(&s->out);
    return s;
}

void spdy_free(struct spdy *s)
{
    if (!s)
        return;
    spdy_headers_free(s->headers);
    spdy_streams_fini(&s->streams);
    spdy_output_fini(&s->out);
    free(s);
}

static uint32_t get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Receiving. */

/* As many of the next bytes as are there, until want are collected. */
static bool collect(struct spdy *s, struct input *in, size_t want)
{
    size_t n = want - s->n_collected < in->len ? want - s->n_collected : in->len;

    if (n)
        memcpy(s->collected + s->n_collected, in->data, n);
    s->n_collected += n;
    in->data += n;
    in->len -= n;
    return s->n_collected == want;
}

static size_t take(struct spdy *s, struct input *in)
{
    size_t n = in->len < s->left ? in->len : s->left;

    in->data += n;
    in->len -= n;
    s->left -= n;
    return n;
}

static void enter(struct spdy *s, enum frame_state state)
{
    s->state = state;
    s->n_collected = 0;
}

static size_t fixed_size(uint16_t type)
{
    switch (type) {
    case SPDY_FRAME_SYN_STREAM:
        return 10;
    case SPDY_FRAME_RST_STREAM:
    case SPDY_FRAME_GOAWAY:
    case SPDY_FRAME_WINDOW_UPDATE:
        return 8;
    case SPDY_FRAME_SYN_REPLY:
    case SPDY_FRAME_HEADERS:
    case SPDY_FRAME_SETTINGS:
    case SPDY_FRAME_PING:
        return 4;
    default:
        return 0;
    }
}

/* Whether something follows the fixed part. */
static bool has_more(uint16_t type)
{
    return type == SPDY_FRAME_SETTINGS || type == SPDY_FRAME_SYN_STREAM ||
           type == SPDY_FRAME_SYN_REPLY || type == SPDY_FRAME_HEADERS;
}

static int begin_control(struct spdy *s, uint32_t word, struct error *err)
{
    uint16_t version = word >> 16 & 0x7fff;

    s->type = word & 0xffff;
    s->fixed = fixed_size(s->type);
    if (version != SPDY_VERSION)
        return error_set(err, ERROR_INVALID, "a SPDY frame of version %d", version);
    if (s->left < s->fixed || (s->fixed && s->left > s->fixed && !has_more(s->type)))
        return error_set(err, ERROR_INVALID, "a SPDY frame of type %d has %zu bytes", s->type,
                         s->left);
    enter(s, s->fixed ? IN_FIXED : IN_SKIP);
    return 0;
}

static void begin_data(struct spdy *s, uint32_t id)
{
    const struct spdy_stream *of = spdy_streams_find(&s->streams, id);

    s->stream = of && !of->ended ? id : 0;
    /* Data may cross a reset of ours; for what was never opened the client deserves an answer. */
    if (id > s->last_stream)
        spdy_output_pair(&s->out, SPDY_FRAME_RST_STREAM, id, SPDY_INVALID_STREAM);
    s->end_is_due = s->flags & SPDY_FLAG_FIN;
    enter(s, IN_DATA);
}

static int begin_frame(struct spdy *s, struct error *err)
{
    uint32_t word = get_u32(s->collected), rest = get_u32(s->collected + 4);

    s->flags = (uint8_t)(rest >> 24);
    s->left = rest & 0xffffff;
    if (word >> 31)
        return begin_control(s, word, err);
    begin_data(s, word & ID_MASK);
    return 0;
}

static struct spdy_event event_of(enum spdy_event_type type, const struct spdy_stream *stream)
{
    return (struct spdy_event){.type = type, .stream = stream->id, .user = stream->user};
}

/* 1: there is an event. */
static int handle_reset(struct spdy *s, struct spdy_event *out)
{
    uint32_t id = get_u32(s->collected) & ID_MASK;
    struct spdy_stream *of = spdy_streams_find(&s->streams, id);

    if (!of)
        return 0;
    *out = event_of(SPDY_RESET, of);
    out->status = get_u32(s->collected + 4);
    spdy_streams_remove(&s->streams, of);
    return 1;
}

static int handle_window(struct spdy *s, struct error *err)
{
    uint32_t id = get_u32(s->collected) & ID_MASK;
    struct spdy_stream *of = spdy_streams_find(&s->streams, id);
    struct spdy_window *window = id == 0 ? &s->window : of ? &of->window : NULL;

    s->has_windows = true;
    if (window && !spdy_window_change(window, get_u32(s->collected + 4) & ID_MASK))
        return error_set(err, ERROR_INVALID, "a window of more than 2 GiB");
    return 0;
}

static int change_initial_window(struct spdy *s, int64_t size, struct error *err)
{
    int64_t by = size - s->initial_window;

    for (size_t i = 0; i < s->streams.len; i++)
        if (!spdy_window_change(&s->streams.items[i].window, by))
            return error_set(err, ERROR_INVALID, "a window of more than 2 GiB");
    s->initial_window = size;
    s->has_windows = true;
    return 0;
}

/* One of them, as far as it is there. */
static int handle_settings(struct spdy *s, struct input *in, struct error *err)
{
    if (s->left < SETTING_SIZE) {
        enter(s, s->left ? IN_SKIP : IN_HEAD);
        return 0;
    }
    if (!collect(s, in, SETTING_SIZE))
        return 0;
    s->left -= SETTING_SIZE;
    s->n_collected = 0;
    if ((get_u32(s->collected) & 0xffffff) != SETTING_INITIAL_WINDOW)
        return 0;
    return change_initial_window(s, get_u32(s->collected + 4) & ID_MASK, err);
}

static int handle_fixed(struct spdy *s, struct spdy_event *out, struct error *err)
{
    s->left -= s->fixed;
    if (s->type == SPDY_FRAME_SETTINGS) {
        enter(s, IN_SETTINGS);
        return 0;
    }
    if (has_more(s->type)) {
        s->stream = s->type == SPDY_FRAME_SYN_STREAM ? get_u32(s->collected) & ID_MASK : 0;
        spdy_headers_begin(s->headers);
        enter(s, IN_BLOCK);
        return 0;
    }
    enter(s, IN_HEAD);
    switch (s->type) {
    case SPDY_FRAME_RST_STREAM:
        return handle_reset(s, out);
    case SPDY_FRAME_PING:
        if (s->collected[3] & 1) /* the even ones would be ours */
            spdy_output_control(&s->out, SPDY_FRAME_PING, s->collected, 4);
        return 0;
    case SPDY_FRAME_WINDOW_UPDATE:
        return handle_window(s, err);
    case SPDY_FRAME_GOAWAY:
        *out = (struct spdy_event){.type = SPDY_GOAWAY};
        return 1;
    default:
        return 0;
    }
}

static int open_stream(struct spdy *s, struct spdy_event *out, struct error *err)
{
    struct spdy_stream *of;

    if (!(s->stream & 1) || s->stream <= s->last_stream)
        return error_set(err, ERROR_INVALID, "the client opens stream %u after %u", s->stream,
                         s->last_stream);
    s->last_stream = s->stream;
    if (s->goaway_sent || s->streams.len == SPDY_STREAMS_MAX) {
        spdy_output_pair(&s->out, SPDY_FRAME_RST_STREAM, s->stream, SPDY_REFUSED_STREAM);
        s->n_refused++;
        return 0;
    }
    of = spdy_streams_add(&s->streams, s->stream);
    spdy_window_init(&of->window, s->initial_window);
    of->finished = s->flags & SPDY_FLAG_UNIDIRECTIONAL;
    s->end_is_due = s->flags & SPDY_FLAG_FIN;
    *out = event_of(SPDY_OPENED, of);
    out->headers = spdy_headers_list(s->headers, &out->n_headers);
    return 1;
}

static int handle_block(struct spdy *s, struct input *in, struct spdy_event *out, struct error *err)
{
    const uint8_t *data = in->data;
    size_t n = take(s, in);

    if (spdy_headers_feed(s->headers, data, n, err) < 0)
        return -1;
    if (s->left)
        return 0;
    enter(s, IN_HEAD);
    if (spdy_headers_end(s->headers, err) < 0)
        return -1;
    return s->type == SPDY_FRAME_SYN_STREAM ? open_stream(s, out, err) : 0;
}

static int handle_data(struct spdy *s, struct input *in, struct spdy_event *out)
{
    const struct spdy_stream *of = spdy_streams_find(&s->streams, s->stream);
    const uint8_t *data = in->data;
    size_t n = take(s, in);

    if (s->left == 0)
        enter(s, IN_HEAD);
    spdy_session_taken(s, &s->window, 0, n);
    if (!of || n == 0)
        return 0;
    *out = event_of(SPDY_DATA, of);
    out->data = data;
    out->len = n;
    return 1;
}

/* The FIN of the frame before, once its data is out. */
static int handle_end(struct spdy *s, struct spdy_event *out)
{
    struct spdy_stream *of = spdy_streams_find(&s->streams, s->stream);

    s->end_is_due = false;
    if (!of || of->ended)
        return 0;
    *out = event_of(SPDY_ENDED, of);
    of->ended = true;
    if (of->finished)
        spdy_streams_remove(&s->streams, of);
    return 1;
}

/* One state further. 1: there is an event; 0: go on. */
static int step(struct spdy *s, struct input *in, struct spdy_event *out, struct error *err)
{
    switch (s->state) {
    case IN_HEAD:
        if (s->end_is_due)
            return handle_end(s, out);
        return collect(s, in, SPDY_HEAD_SIZE) ? begin_frame(s, err) : 0;
    case IN_FIXED:
        return collect(s, in, s->fixed) ? handle_fixed(s, out, err) : 0;
    case IN_BLOCK:
        return handle_block(s, in, out, err);
    case IN_SETTINGS:
        return handle_settings(s, in, err);
    case IN_DATA:
        return handle_data(s, in, out);
    case IN_SKIP:
        take(s, in);
        if (s->left == 0)
            enter(s, IN_HEAD);
        return 0;
    }
    return 0;
}

/* A state that goes on without input: it would not wait for any. */
static bool is_due(const struct spdy *s)
{
    return s->state == IN_HEAD ? s->end_is_due : s->state != IN_FIXED && s->left == 0;
}

static int fail(struct spdy *s, struct error *err)
{
    if (!s->goaway_sent)
        spdy_output_pair(&s->out, SPDY_FRAME_GOAWAY, s->last_stream, SPDY_PROTOCOL_ERROR);
    s->goaway_sent = s->failed = true;
    return error_wrap(err, "SPDY");
}

int spdy_next(struct spdy *s, struct input *in, struct spdy_event *out, struct error *err)
{
    int rc = 0;

    if (s->failed)
        return error_set(err, ERROR_PRECONDITION, "SPDY: the session has failed before");
    while (rc == 0 && !s->out.overflowed && (in->len || is_due(s)))
        rc = step(s, in, out, err);
    if (s->out.overflowed && rc >= 0)
        rc = error_set(err, ERROR_EXHAUSTED, "the client does not read");
    if (rc < 0)
        return fail(s, err);
    if (rc == 0)
        *out = (struct spdy_event){.type = SPDY_MORE};
    return 0;
}

const char *spdy_event_find(const struct spdy_event *event, const char *name)
{
    for (size_t i = 0; i < event->n_headers; i++)
        if (strcasecmp(event->headers[i].name, name) == 0)
            return event->headers[i].value;
    return NULL;
}
