// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/list.h"

/* call: one request of a client until it is answered, which may be much later.
 *
 * Whoever has it owns it: call_reply() and call_fail() free it. While it waits in a list, it is
 * taken out and freed when the client goes away, or handed to lost(); without a list it stays, and
 * its answer is thrown away. */
enum { CALL_FDS_MAX = 4, CALL_MAX = 4096 };

#define CALL_TIMEOUT_DEFAULT_NS (120 * INT64_C(1000000000))

struct connection;

struct call {
    struct list link; /* alone, or among those who wait for the same thing */
    struct list connection_link;
    struct connection *connection; /* NULL: the client is gone */
    uint32_t stream;
    int64_t timeout_ns;    /* for work that is done on its behalf; never 0 */
    int fds[CALL_FDS_MAX]; /* came with the request; -1 where taken */
    size_t n_fds;
    void *owner;                     /* for lost() */
    void (*lost)(struct call *call); /* called instead of freeing it; NULL: it is freed */
};

/* NULL when there are CALL_MAX already. */
struct call *call_new(struct connection *c, uint32_t stream, int64_t timeout_ns);
void call_free(struct call *call);

/* False when nobody waits for the answer any more, as far as that is known. */
bool call_has_client(const struct call *call);

/* message may be NULL for an empty one. */
void call_reply(struct call *call, const ProtobufCMessage *message);
void call_fail(struct call *call, const struct error *err);
