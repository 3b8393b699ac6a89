// SPDX-License-Identifier: Apache-2.0
/* Requests to the streaming server, as anyone who reaches its port can send them.
 *
 * The first byte: bit 0 asks for a port forward instead of an exec, the others are the size of the
 * pieces in which the rest arrives. Requests may follow each other. */
#include <stdint.h>

#include "base/own.h"
#include "wire/portforward.h"
#include "wire/remotecommand.h"

static void answer(const struct http1_request *request, const struct upgrade_protocols *protocols)
{
    AUTO_FINI(buf) out = BUF(HTTP1_RESPONSE_MAX);
    struct upgrade upgrade = {0};
    struct error err = {0};

    if (upgrade_answer(request, protocols, &out, &upgrade, &err) == 0)
        remotecommand_version(upgrade.protocol);
    else if (err.code == ERROR_OK || !strstr(out.data, "Connection: close\r\n"))
        abort();
    if (!out.data || strncmp(out.data, "HTTP/1.1 ", 9) != 0 || !strstr(out.data, "\r\n\r\n"))
        abort();
}

/* Takes one request; false when it was refused or is not whole. */
static bool take(struct http1_request *r, struct input *in, size_t step, uint8_t mode)
{
    struct error err = {0};
    int rc = 0;

    while (rc == 0 && in->len) {
        struct input piece = {in->data, in->len < step ? in->len : step};
        size_t had = piece.len;

        rc = http1_request_feed(r, &piece, &err);
        in->data += had - piece.len;
        in->len -= had - piece.len;
    }
    if (rc > 0)
        answer(r, mode & 1 ? &portforward_protocols : &remotecommand_protocols);
    if (rc < 0 && (r->refusal < 400 || r->refusal > 599 || !*err.text))
        abort();
    return rc > 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE uint8_t *copy = size ? xmemdup(data + 1, size - 1) : NULL;
    struct input in = {copy, size ? size - 1 : 0};
    size_t step = size && data[0] >> 1 ? data[0] >> 1 : SIZE_MAX;
    bool more = true;

    while (more) {
        struct http1_request r;

        http1_request_init(&r);
        more = take(&r, &in, step, size ? data[0] : 0);
        http1_request_fini(&r);
    }
    return 0;
}
