// SPDX-License-Identifier: Apache-2.0
#include "wire/upgrade.h"

#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/own.h"
#include "base/sha1.h"

enum { KEY_LEN = 24, KEY_BYTES = 16, FIELDS_MAX = 8 };

/* What was found out, and the fields of the answer. */
struct answer {
    int status;
    struct http1_field fields[FIELDS_MAX];
    size_t n_fields;
};

static void add_field(struct answer *a, const char *name, const char *value)
{
    if (a->n_fields < FIELDS_MAX)
        a->fields[a->n_fields++] = (struct http1_field){name, value};
}

static int refuse(struct answer *a, int status, struct error *err, const char *why)
{
    a->status = status;
    return error_set(err, status == 403 ? ERROR_UNIMPLEMENTED : ERROR_INVALID, "%s", why);
}

/* The first of the client's list that is among ours; NULL when there is none. *out_any: the list is
 * not empty. */
static const char *choose(const struct http1_request *request, const char *field,
                          const char *const *ours, bool *out_any)
{
    const char *value;
    size_t at = 0, len;

    *out_any = false;
    while ((value = http1_request_next(request, field, &at)))
        for (; (len = http1_list_next(&value)); value += len) {
            *out_any = true;
            for (const char *const *our = ours; *our; our++)
                if (strlen(*our) == len && memcmp(*our, value, len) == 0)
                    return *our;
        }
    return NULL;
}

static int to_spdy(const struct http1_request *request, const char *const *ours,
                   struct answer *answer, struct upgrade *out, struct error *err)
{
    bool any;

    if (!http1_request_lists(request, "Connection", "upgrade") ||
        !http1_request_lists(request, "Upgrade", "SPDY/3.1"))
        return refuse(answer, 400, err,
                      "unable to upgrade: missing upgrade headers in request: neither SPDY/3.1 nor "
                      "websocket is asked for");
    out->protocol = choose(request, "X-Stream-Protocol-Version", ours, &any);
    if (!any)
        return refuse(answer, 400, err, "unable to upgrade: X-Stream-Protocol-Version is required");
    if (!out->protocol) {
        for (; *ours; ours++)
            add_field(answer, "X-Accepted-Stream-Protocol-Versions", *ours);
        return refuse(answer, 403, err,
                      "unable to upgrade: the server speaks none of the protocols in "
                      "X-Stream-Protocol-Version");
    }
    add_field(answer, "Upgrade", "SPDY/3.1");
    add_field(answer, "X-Stream-Protocol-Version", out->protocol);
    return 0;
}

static bool is_key(const char *key)
{
    struct base64_decoder decoder = {0};
    uint8_t bytes[KEY_BYTES + 2];

    return key && strlen(key) == KEY_LEN &&
           base64_decode(&decoder, key, KEY_LEN, bytes) == KEY_BYTES;
}

static int to_websocket(const struct http1_request *request, const char *const *ours,
                        struct answer *answer, struct upgrade *out, struct error *err)
{
    const char *version = http1_request_find(request, "Sec-WebSocket-Version");
    bool any;

    if (request->method != HTTP1_GET) {
        add_field(answer, "Allow", "GET");
        return refuse(answer, 405, err, "unable to upgrade: WebSocket begins with GET");
    }
    if (!version || strcmp(version, "13") != 0) {
        add_field(answer, "Sec-WebSocket-Version", "13");
        return refuse(answer, 426, err, "unable to upgrade: only WebSocket version 13 is spoken");
    }
    if (!is_key(http1_request_find(request, "Sec-WebSocket-Key")))
        return refuse(answer, 400, err, "unable to upgrade: Sec-WebSocket-Key is not 16 bytes");
    out->protocol = choose(request, "Sec-WebSocket-Protocol", ours, &any);
    if (any && !out->protocol)
        return refuse(answer, 403, err,
                      "unable to upgrade: the server speaks none of the protocols in "
                      "Sec-WebSocket-Protocol");
    add_field(answer, "Upgrade", "websocket");
    if (any)
        add_field(answer, "Sec-WebSocket-Protocol", out->protocol);
    else
        out->protocol = "";
    return 0;
}

void upgrade_websocket_accept(const char *key, char out[static UPGRADE_KEY_SIZE])
{
    AUTO_FREE char *text = xasprintf("%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    uint8_t sum[SHA1_SIZE];

    sha1_of(text, strlen(text), sum);
    out[base64_encode(sum, sizeof sum, out)] = '\0';
}

int upgrade_answer(const struct http1_request *request, const struct upgrade_protocols *protocols,
                   struct buf *out, struct upgrade *out_upgrade, struct error *err)
{
    bool websocket = http1_request_lists(request, "Connection", "upgrade") &&
                     http1_request_lists(request, "Upgrade", "websocket");
    struct upgrade upgrade = {.transport = websocket ? UPGRADE_WEBSOCKET : UPGRADE_SPDY};
    struct answer answer = {0};
    struct error failed;
    char accept[UPGRADE_KEY_SIZE];
    int rc = websocket ? to_websocket(request, protocols->websocket, &answer, &upgrade, err)
                       : to_spdy(request, protocols->spdy, &answer, &upgrade, err);

    if (rc < 0) {
        if (http1_write_text(out, answer.status, err->text, answer.fields, answer.n_fields,
                             &failed) < 0)
            *err = failed;
        return -1;
    }
    add_field(&answer, "Connection", "Upgrade");
    if (websocket) {
        upgrade_websocket_accept(http1_request_find(request, "Sec-WebSocket-Key"), accept);
        add_field(&answer, "Sec-WebSocket-Accept", accept);
    }
    if (http1_write_head(out, 101, answer.fields, answer.n_fields, err) < 0)
        return -1;
    *out_upgrade = upgrade;
    return 0;
}
