// SPDX-License-Identifier: Apache-2.0
/* The server's end of a WebSocket connection, and the channels in it.
 *
 * The first byte: its two lowest bits choose the protocol, the others are the size of the pieces in
 * which the rest arrives. Sizes of terminals are parsed, everything else is echoed. */
#include <stdint.h>

#include "base/own.h"
#include "wire/channels.h"
#include "wire/remotecommand.h"

static struct channels *start(uint8_t mode)
{
    static const char *const protocols[] = {"v5.channel.k8s.io", "v4.base64.channel.k8s.io",
                                            "v4.channel.k8s.io", ""};

    return channels_new(protocols[mode & 3]);
}

static void on_data(struct channels *c, struct remotecommand_resizes *resizes,
                    const struct channels_event *event)
{
    struct remotecommand_size size;
    struct error err;
    const uint8_t *out;

    if (event->len == 0)
        abort();
    if (event->channel == REMOTECOMMAND_RESIZE) {
        if (remotecommand_resizes_feed(resizes, event->data, event->len, &size, &err) == 1 &&
            (size.width < 1 || size.height < 1))
            abort();
    } else if (channels_send(c, 1, event->data, event->len) < event->len) {
        websocket_transmitted(channels_websocket(c),
                              websocket_transmit(channels_websocket(c), &out) / 2);
    }
}

/* Those of one piece; false at the end. */
static bool take_events(struct channels *c, struct remotecommand_resizes *resizes, struct input *in)
{
    struct channels_event event;
    struct error err = {0};

    do {
        if (channels_next(c, in, &event, &err) < 0) {
            if (err.code == ERROR_OK)
                abort();
            return false;
        }
        if (event.type == CHANNELS_DATA)
            on_data(c, resizes, &event);
    } while (event.type != CHANNELS_MORE);
    if (in->len)
        abort();
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(channels) *c = start(size ? data[0] : 0);
    size_t step = size && data[0] >> 2 ? data[0] >> 2 : SIZE_MAX;
    struct remotecommand_resizes resizes;
    bool more = true;

    remotecommand_resizes_init(&resizes);
    for (size_t at = 1, n; more && at < size; at += n) {
        AUTO_FREE uint8_t *copy = NULL;
        struct input in;

        n = size - at < step ? size - at : step;
        copy = xmemdup(data + at, n);
        in = (struct input){copy, n};
        more = take_events(c, &resizes, &in);
    }
    remotecommand_resizes_fini(&resizes);
    return 0;
}
