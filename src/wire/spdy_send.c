// SPDX-License-Identifier: Apache-2.0
#include "wire/spdy_session.h"

enum { ROOM_MIN = 4 * 1024 }; /* smaller pieces are not worth a frame */

/* The client throws away what comes before the reply. */
static void accept_stream(struct spdy *s, struct spdy_stream *stream)
{
    if (!stream->accepted)
        spdy_output_reply(&s->out, stream->id);
    stream->accepted = true;
}

void spdy_accept(struct spdy *s, uint32_t stream)
{
    struct spdy_stream *of = spdy_streams_find(&s->streams, stream);

    if (of)
        accept_stream(s, of);
}

void spdy_finish(struct spdy *s, uint32_t stream)
{
    struct spdy_stream *of = spdy_streams_find(&s->streams, stream);

    if (!of || of->finished)
        return;
    accept_stream(s, of);
    spdy_output_data(&s->out, stream, SPDY_FLAG_FIN, NULL, 0);
    of->finished = true;
    if (of->ended)
        spdy_streams_remove(&s->streams, of);
}

void spdy_reset(struct spdy *s, uint32_t stream, enum spdy_status status)
{
    struct spdy_stream *of = spdy_streams_find(&s->streams, stream);

    if (!of)
        return;
    spdy_output_pair(&s->out, SPDY_FRAME_RST_STREAM, stream, status);
    spdy_streams_remove(&s->streams, of);
}

void spdy_set_user(struct spdy *s, uint32_t stream, void *user)
{
    struct spdy_stream *of = spdy_streams_find(&s->streams, stream);

    if (of)
        of->user = user;
}

bool spdy_has(const struct spdy *s, uint32_t stream)
{
    return spdy_streams_find(&s->streams, stream) != NULL;
}

size_t spdy_streams(const struct spdy *s)
{
    return s->streams.len;
}

size_t spdy_refused(const struct spdy *s)
{
    return s->n_refused;
}

/* What the client's windows leave of len. */
static size_t within_windows(const struct spdy *s, const struct spdy_stream *of, size_t len)
{
    int64_t room = of->window.room < s->window.room ? of->window.room : s->window.room;

    if (!s->has_windows || room >= (int64_t)len)
        return len;
    return room > 0 ? (size_t)room : 0;
}

size_t spdy_room(const struct spdy *s, uint32_t stream)
{
    const struct spdy_stream *of = spdy_streams_find(&s->streams, stream);
    size_t used = s->out.bytes.len + SPDY_HEAD_SIZE, room = SPDY_DATA_MAX;

    if (!of || of->finished)
        return room;
    if (used + ROOM_MIN > SPDY_OUT_MAX)
        return 0;
    if (SPDY_OUT_MAX - used < room)
        room = SPDY_OUT_MAX - used;
    return within_windows(s, of, room);
}

size_t spdy_send(struct spdy *s, uint32_t stream, const void *data, size_t len)
{
    struct spdy_stream *of = spdy_streams_find(&s->streams, stream);
    size_t sent = 0, room;

    if (!of || of->finished)
        return len;
    accept_stream(s, of);
    for (; sent < len && (room = spdy_room(s, stream)) > 0;) {
        size_t n = len - sent < room ? len - sent : room;

        spdy_output_data(&s->out, stream, 0, (const uint8_t *)data + sent, n);
        of->window.room -= (int64_t)n;
        s->window.room -= (int64_t)n;
        sent += n;
    }
    return sent;
}

void spdy_session_taken(struct spdy *s, struct spdy_window *w, uint32_t stream, size_t len)
{
    uint32_t due = spdy_window_take(w, len);

    if (due && !s->goaway_sent)
        spdy_output_pair(&s->out, SPDY_FRAME_WINDOW_UPDATE, stream, due);
}

void spdy_taken(struct spdy *s, uint32_t stream, size_t len)
{
    struct spdy_stream *of = spdy_streams_find(&s->streams, stream);

    if (of && !of->ended)
        spdy_session_taken(s, &of->window, stream, len);
}

void spdy_goaway(struct spdy *s)
{
    if (!s->goaway_sent)
        spdy_output_pair(&s->out, SPDY_FRAME_GOAWAY, s->last_stream, 0);
    s->goaway_sent = true;
}

size_t spdy_transmit(const struct spdy *s, const uint8_t **out)
{
    *out = (const uint8_t *)s->out.bytes.data;
    return s->out.bytes.len;
}

void spdy_transmitted(struct spdy *s, size_t len)
{
    buf_consume(&s->out.bytes, len);
    if (s->out.bytes.len == 0)
        buf_fini(&s->out.bytes);
}
