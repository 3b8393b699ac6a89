// SPDX-License-Identifier: Apache-2.0
#include "wire/channels.h"

#include <assert.h>
#include <string.h>

#include "base/base64.h"

/* Where we are in a message of the client. */
enum message_state {
    AT_CHANNEL, /* its first byte */
    AT_CLOSING, /* the number behind CLOSE_SIGNAL */
    IN_BODY,
    IN_NOTHING, /* what follows is of no meaning */
};

enum {
    CLOSE_SIGNAL = 255,
    PIECE_MAX = 4096, /* of base64 at once: what it decodes to fits into decoded */
};

struct channels {
    struct websocket *websocket;
    bool is_base64;
    bool can_close;
    enum message_state state;
    unsigned channel;
    struct base64_decoder decoder;
    uint8_t decoded[PIECE_MAX];
};

struct channels *channels_new(const char *protocol)
{
    struct channels *c = xcalloc(1, sizeof *c);

    c->websocket = websocket_new();
    c->is_base64 = strstr(protocol, "base64.") != NULL;
    c->can_close = strncmp(protocol, "v5.", 3) == 0;
    return c;
}

void channels_free(struct channels *c)
{
    if (!c)
        return;
    websocket_free(c->websocket);
    free(c);
}

struct websocket *channels_websocket(struct channels *c)
{
    return c->websocket;
}

/* Receiving. */

static int fail(struct channels *c, const char *why, struct error *err)
{
    websocket_close(c->websocket, WEBSOCKET_BAD_DATA, why);
    return error_set(err, ERROR_INVALID, "WebSocket: %s", why);
}

/* Takes the bytes of a piece that tell its channel. 1: a channel is closed. */
static int take_channel(struct channels *c, struct input *piece, struct channels_event *out)
{
    unsigned byte;

    while (piece->len && c->state <= AT_CLOSING) {
        byte = *piece->data++;
        piece->len--;
        if (c->state == AT_CLOSING) {
            c->state = IN_NOTHING;
            *out = (struct channels_event){.type = CHANNELS_ENDED, .channel = byte};
            return 1;
        }
        c->state = c->can_close && byte == CLOSE_SIGNAL ? AT_CLOSING : IN_BODY;
        c->channel = c->is_base64 ? byte - '0' : byte;
        if (c->channel > CHANNELS_LAST && c->state == IN_BODY)
            c->state = IN_NOTHING;
    }
    return 0;
}

/* A piece of a message; it gives at most one event, and then 1. */
static int handle_piece(struct channels *c, struct websocket_event *of, struct channels_event *out,
                        struct error *err)
{
    struct input piece = {(uint8_t *)of->data, of->len};
    int n;

    if (of->begins) {
        c->state = AT_CHANNEL;
        c->decoder = (struct base64_decoder){0};
    }
    if (take_channel(c, &piece, out))
        return 1;
    if (c->state != IN_BODY)
        return 0;
    if (c->is_base64) {
        n = base64_decode(&c->decoder, (const char *)piece.data, piece.len, c->decoded);
        if (n < 0 || (of->ends && !base64_is_whole(&c->decoder)))
            return fail(c, "a message is not base64", err);
        piece = (struct input){c->decoded, (size_t)n};
    }
    *out = (struct channels_event){
        .type = CHANNELS_DATA, .channel = c->channel, .data = piece.data, .len = piece.len};
    return piece.len > 0;
}

/* As websocket_next(), but of base64 only as much as can be decoded at once. */
static int next_piece(struct channels *c, struct input *in, struct websocket_event *out,
                      struct error *err)
{
    struct input some = *in;
    int rc;

    if (c->is_base64 && some.len > PIECE_MAX)
        some.len = PIECE_MAX;
    rc = websocket_next(c->websocket, &some, out, err);
    in->len -= (size_t)(some.data - in->data);
    in->data = some.data;
    return rc;
}

int channels_next(struct channels *c, struct input *in, struct channels_event *out,
                  struct error *err)
{
    struct websocket_event event;
    int rc = 0;

    do {
        if (next_piece(c, in, &event, err) < 0)
            return -1;
        if (event.type == WEBSOCKET_CLOSED) {
            *out = (struct channels_event){.type = CHANNELS_CLOSED, .code = event.code};
            return 0;
        }
        if (event.type == WEBSOCKET_DATA)
            rc = handle_piece(c, &event, out, err);
    } while (rc == 0 && (in->len || event.type != WEBSOCKET_MORE));
    if (rc == 0)
        *out = (struct channels_event){.type = CHANNELS_MORE};
    return rc < 0 ? -1 : 0;
}

/* Sending. */

/* How many bytes of data fit into a message of that many. */
static size_t data_in(const struct channels *c, size_t message)
{
    if (message == 0)
        return 0;
    return c->is_base64 ? (message - 1) / 4 * 3 : message - 1;
}

size_t channels_room(const struct channels *c)
{
    size_t room = websocket_room(c->websocket);

    return data_in(c, room < WEBSOCKET_MESSAGE_MAX ? room : WEBSOCKET_MESSAGE_MAX);
}

/* False when the connection is being closed. */
static bool add_message(struct channels *c, unsigned channel, const void *data, size_t len)
{
    size_t size = 1 + (c->is_base64 ? BASE64_LEN(len) : len);
    uint8_t *at =
        websocket_add(c->websocket, c->is_base64 ? WEBSOCKET_TEXT : WEBSOCKET_BINARY, size);

    if (!at)
        return false;
    *at++ = (uint8_t)(c->is_base64 ? channel + '0' : channel);
    if (c->is_base64)
        base64_encode(data, len, (char *)at);
    else if (len)
        memcpy(at, data, len);
    return true;
}

size_t channels_send(struct channels *c, unsigned channel, const void *data, size_t len)
{
    const uint8_t *at = data;
    size_t left = len, room;

    assert(channel <= (c->is_base64 ? CHANNELS_BASE64_LAST : CHANNELS_LAST));
    while ((room = channels_room(c)) > 0) {
        size_t n = left < room ? left : room;

        if (!add_message(c, channel, at, n))
            return len;
        left -= n;
        if (left == 0)
            break;
        at += n;
    }
    return len - left;
}
