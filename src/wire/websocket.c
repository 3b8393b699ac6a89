// SPDX-License-Identifier: Apache-2.0
#include "wire/websocket.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"

/* A frame of the client is a head of 2, 4 or 10 bytes, four bytes of mask, and the payload. That of
 * a message is unmasked in the caller's input and passes through; that of a control frame, which
 * may stand between two fragments of a message, is collected. */
enum frame_state { IN_HEAD, IN_PAYLOAD, IN_CONTROL };

enum opcode { CONTINUATION = 0, CLOSE = 8, PING = 9, PONG = 10 };

enum {
    FIN = 0x80,
    RESERVED = 0x70,
    MASKED = 0x80,
    HEAD_MIN = 2,
    HEAD_MAX = 14,
    MASK_SIZE = 4,
    LENGTH_2 = 126, /* two more bytes tell it */
    LENGTH_8 = 127,
    OUT_HEAD_MAX = 4,
    ROOM_MIN = 4 * 1024,     /* smaller pieces are not worth a message */
    CONTROL_MAX = 64 * 1024, /* pongs that may wait beside messages */
};

struct websocket {
    enum frame_state state;
    uint8_t head[HEAD_MAX];
    size_t n_head;
    size_t head_size; /* 0 until it is known */
    bool fin;
    uint8_t opcode; /* of the frame */
    uint8_t mask[MASK_SIZE];
    size_t mask_at;
    uint64_t left; /* of the payload */

    enum websocket_opcode message; /* 0 between messages */
    bool begins;                   /* nothing of the message has been told yet */
    uint8_t control[WEBSOCKET_CONTROL_MAX];
    size_t n_control;

    bool close_received;
    bool close_sent;
    bool failed;
    bool overflowed;
    struct buf out;
};

struct websocket *websocket_new(void)
{
    struct websocket *w = xcalloc(1, sizeof *w);

    buf_init(&w->out, WEBSOCKET_OUT_MAX + CONTROL_MAX);
    return w;
}

void websocket_free(struct websocket *w)
{
    if (!w)
        return;
    buf_fini(&w->out);
    free(w);
}

/* Sending. */

/* Room for a whole frame, with its head; NULL when there is none. */
static uint8_t *add_frame(struct websocket *w, uint8_t opcode, size_t len)
{
    size_t head = len < LENGTH_2 ? 2 : OUT_HEAD_MAX;
    struct error ignored;
    uint8_t *at = (uint8_t *)buf_reserve(&w->out, head + len, &ignored);

    assert(len <= UINT16_MAX);
    if (!at)
        return NULL;
    at[0] = FIN | opcode;
    at[1] = (uint8_t)(len < LENGTH_2 ? len : LENGTH_2);
    if (len >= LENGTH_2) {
        at[2] = (uint8_t)(len >> 8);
        at[3] = (uint8_t)len;
    }
    buf_added(&w->out, head + len);
    return at + head;
}

static void add_control(struct websocket *w, uint8_t opcode, const void *data, size_t len)
{
    uint8_t *at = w->close_sent ? NULL : add_frame(w, opcode, len);

    if (at && len)
        memcpy(at, data, len);
    if (!at && !w->close_sent)
        w->overflowed = true;
}

size_t websocket_room(const struct websocket *w)
{
    if (w->out.len + OUT_HEAD_MAX + ROOM_MIN > WEBSOCKET_OUT_MAX)
        return 0;
    return WEBSOCKET_OUT_MAX - w->out.len - OUT_HEAD_MAX;
}

uint8_t *websocket_add(struct websocket *w, enum websocket_opcode opcode, size_t len)
{
    if (w->close_sent)
        return NULL;
    assert(len <= WEBSOCKET_MESSAGE_MAX && len <= websocket_room(w));
    return add_frame(w, (uint8_t)opcode, len);
}

size_t websocket_send(struct websocket *w, enum websocket_opcode opcode, const void *data,
                      size_t len)
{
    size_t sent = 0, room;

    while (sent < len && (room = websocket_room(w)) > 0) {
        size_t n = len - sent < room ? len - sent : room;
        uint8_t *at;

        if (n > WEBSOCKET_MESSAGE_MAX)
            n = WEBSOCKET_MESSAGE_MAX;
        at = websocket_add(w, opcode, n);
        if (!at)
            return len;
        memcpy(at, (const uint8_t *)data + sent, n);
        sent += n;
    }
    return sent;
}

void websocket_close(struct websocket *w, enum websocket_code code, const char *reason)
{
    uint8_t payload[WEBSOCKET_CONTROL_MAX] = {(uint8_t)(code >> 8), (uint8_t)code};
    size_t len = strnlen(reason, sizeof payload - 2);

    memcpy(payload + 2, reason, len);
    add_control(w, CLOSE, payload, code == WEBSOCKET_NO_CODE ? 0 : 2 + len);
    w->close_sent = true;
}

void websocket_ping(struct websocket *w)
{
    add_control(w, PING, NULL, 0);
}

size_t websocket_transmit(const struct websocket *w, const uint8_t **out)
{
    *out = (const uint8_t *)w->out.data;
    return w->out.len;
}

void websocket_transmitted(struct websocket *w, size_t len)
{
    buf_consume(&w->out, len);
    if (w->out.len == 0)
        buf_fini(&w->out);
}

bool websocket_is_done(const struct websocket *w)
{
    return w->close_sent && (w->close_received || w->failed) && w->out.len == 0;
}

/* Receiving. */

static int fail(struct websocket *w, enum websocket_code code, const char *why, struct error *err)
{
    websocket_close(w, code, why);
    w->failed = true;
    return error_set(err, code == WEBSOCKET_TOO_BIG ? ERROR_EXHAUSTED : ERROR_INVALID,
                     "WebSocket: %s", why);
}

static size_t take(struct input *in, size_t want)
{
    size_t n = in->len < want ? in->len : want;

    in->data += n;
    in->len -= n;
    return n;
}

/* True when the whole head is there. */
static bool collect_head(struct websocket *w, struct input *in)
{
    do {
        const uint8_t *data = in->data;
        size_t n = take(in, (w->head_size ? w->head_size : HEAD_MIN) - w->n_head);

        if (n)
            memcpy(w->head + w->n_head, data, n);
        w->n_head += n;
        if (!w->head_size && w->n_head == HEAD_MIN) {
            uint8_t length = w->head[1] & 0x7f;

            /* Without a mask the frame is refused, and there is nothing to wait for. */
            w->head_size = w->head[1] & MASKED ? HEAD_MIN + MASK_SIZE : HEAD_MIN;
            if (w->head_size > HEAD_MIN && length >= LENGTH_2)
                w->head_size += length == LENGTH_2 ? 2 : 8;
        }
    } while (in->len && w->n_head != w->head_size);
    return w->n_head == w->head_size;
}

static uint64_t length_of(const struct websocket *w)
{
    size_t bytes = w->head_size - HEAD_MIN - MASK_SIZE;
    uint64_t length = 0;

    if (!bytes)
        return w->head[1] & 0x7f;
    for (size_t i = 0; i < bytes; i++)
        length = length << 8 | w->head[HEAD_MIN + i];
    return length;
}

/* Why this frame cannot come now; NULL when it can. */
static const char *fault_of(const struct websocket *w)
{
    if (w->head[0] & RESERVED)
        return "reserved bits are set";
    if (w->opcode >= CLOSE && w->opcode <= PONG) {
        if (!w->fin)
            return "a control frame is fragmented";
        return w->left > WEBSOCKET_CONTROL_MAX ? "a control frame is too long" : NULL;
    }
    if (w->opcode > WEBSOCKET_BINARY)
        return "an unknown opcode";
    if (w->opcode == CONTINUATION)
        return w->message ? NULL : "a continuation of nothing";
    return w->message ? "a message inside another one" : NULL;
}

static int begin_frame(struct websocket *w, struct error *err)
{
    const char *fault;

    if (!(w->head[1] & MASKED))
        return fail(w, WEBSOCKET_PROTOCOL_ERROR, "a frame is not masked", err);
    w->fin = w->head[0] & FIN;
    w->opcode = w->head[0] & 0x0f;
    w->left = length_of(w);
    memcpy(w->mask, w->head + w->head_size - MASK_SIZE, MASK_SIZE);
    w->mask_at = w->n_head = w->head_size = w->n_control = 0;
    fault = fault_of(w);
    if (fault)
        return fail(w, WEBSOCKET_PROTOCOL_ERROR, fault, err);
    if (w->left > WEBSOCKET_FRAME_MAX)
        return fail(w, WEBSOCKET_TOO_BIG, "a frame is longer than 1 GiB", err);
    w->state = w->opcode >= CLOSE ? IN_CONTROL : IN_PAYLOAD;
    if (w->opcode == WEBSOCKET_TEXT || w->opcode == WEBSOCKET_BINARY) {
        w->message = (enum websocket_opcode)w->opcode;
        w->begins = true;
    }
    return 0;
}

static void unmask(struct websocket *w, uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        data[i] ^= w->mask[(w->mask_at + i) % MASK_SIZE];
    w->mask_at = (w->mask_at + len) % MASK_SIZE;
}

/* 1: there is an event. */
static int handle_payload(struct websocket *w, struct input *in, struct websocket_event *out)
{
    uint8_t *data = in->data;
    size_t n = take(in, w->left);
    bool ends;

    unmask(w, data, n);
    w->left -= n;
    if (w->left == 0)
        w->state = IN_HEAD;
    ends = w->fin && w->left == 0;
    if (n == 0 && !ends)
        return 0;
    *out = (struct websocket_event){.type = WEBSOCKET_DATA,
                                    .opcode = w->message,
                                    .begins = w->begins,
                                    .ends = ends,
                                    .data = data,
                                    .len = n};
    w->begins = false;
    if (ends)
        w->message = 0;
    return 1;
}

static bool is_close_code(unsigned code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

static int handle_close(struct websocket *w, struct websocket_event *out, struct error *err)
{
    unsigned code = WEBSOCKET_NO_CODE;

    w->close_received = true;
    if (w->n_control) {
        code = w->n_control > 1 ? (unsigned)w->control[0] << 8 | w->control[1] : 0;
        if (!is_close_code(code))
            return fail(w, WEBSOCKET_PROTOCOL_ERROR, "no proper close code", err);
    }
    websocket_close(w, code, "");
    *out = (struct websocket_event){.type = WEBSOCKET_CLOSED, .code = code};
    return 1;
}

static int handle_control(struct websocket *w, struct input *in, struct websocket_event *out,
                          struct error *err)
{
    uint8_t *data = in->data;
    size_t n = take(in, w->left);

    unmask(w, data, n);
    if (n)
        memcpy(w->control + w->n_control, data, n);
    w->n_control += n;
    w->left -= n;
    if (w->left)
        return 0;
    w->state = IN_HEAD;
    if (w->opcode == CLOSE)
        return handle_close(w, out, err);
    if (w->opcode == PING)
        add_control(w, PONG, w->control, w->n_control);
    return 0;
}

/* 1: there is an event; 0: go on. */
static int step(struct websocket *w, struct input *in, struct websocket_event *out,
                struct error *err)
{
    switch (w->state) {
    case IN_HEAD:
        return collect_head(w, in) ? begin_frame(w, err) : 0;
    case IN_PAYLOAD:
        return handle_payload(w, in, out);
    case IN_CONTROL:
        return handle_control(w, in, out, err);
    }
    return 0;
}

int websocket_next(struct websocket *w, struct input *in, struct websocket_event *out,
                   struct error *err)
{
    int rc = 0;

    /* What follows a close frame means nothing. */
    if (w->close_received || w->failed)
        take(in, in->len);
    while (rc == 0 && (in->len || (w->state != IN_HEAD && w->left == 0))) {
        rc = step(w, in, out, err);
        if (w->overflowed)
            return fail(w, WEBSOCKET_POLICY, "the client does not read", err);
    }
    if (rc == 0)
        *out = (struct websocket_event){.type = WEBSOCKET_MORE};
    return rc < 0 ? -1 : 0;
}
