// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/* ttrpc: its frames, as bytes.
 *
 * A frame is a header of ten bytes, big-endian (4 length of the data, 4 stream, 1 type, 1 flags),
 * and the data. A request frame holds a ttrpc.Request, a response frame a ttrpc.Response. Nothing
 * here knows a descriptor. Memory of the caller; one thread at a time. */
enum { TTRPC_HEADER_SIZE = 10, TTRPC_DATA_MAX = 4 * 1024 * 1024, TTRPC_FEED_MAX = 64 * 1024 };

enum ttrpc_type { TTRPC_REQUEST = 1, TTRPC_RESPONSE = 2, TTRPC_DATA = 3 };
enum ttrpc_flag { TTRPC_REMOTE_CLOSED = 1, TTRPC_REMOTE_OPEN = 2, TTRPC_NO_DATA = 4 };

struct ttrpc_frame {
    uint32_t stream;
    uint8_t type; /* enum ttrpc_type, or one that we do not know and ignore */
    uint8_t flags;
    bool is_oversized;   /* longer than TTRPC_DATA_MAX: data is NULL, its bytes are thrown away */
    const uint8_t *data; /* until the next call on the decoder */
    size_t len;
};

/* Takes bytes in any portions, gives frames. It holds no memory between frames. */
struct ttrpc_decoder {
    struct buf in;
    size_t taken;   /* of in: the frame that was given out last */
    size_t discard; /* bytes of an oversized frame that are still to come */
};

void ttrpc_decoder_init(struct ttrpc_decoder *d);
void ttrpc_decoder_fini(struct ttrpc_decoder *d);

/* At most TTRPC_FEED_MAX bytes at once, and all frames are to be taken out before the next time;
 * ERROR_EXHAUSTED otherwise. */
MUST_CHECK int ttrpc_decoder_feed(struct ttrpc_decoder *d, const void *data, size_t len,
                                  struct error *err);

/* False when more bytes are needed. */
bool ttrpc_decoder_next(struct ttrpc_decoder *d, struct ttrpc_frame *out);

void ttrpc_encode_header(uint8_t out[static TTRPC_HEADER_SIZE], const struct ttrpc_frame *frame);

/* What a request says beside its message. */
struct ttrpc_request {
    const char *service;
    const char *method;
    int64_t timeout_ns;    /* 0: none */
    const char *namespace; /* sent as containerd-namespace-ttrpc; NULL: not sent */
};

/* Each appends one frame. ERROR_EXHAUSTED when it would be oversized; out is then unchanged. */
MUST_CHECK int ttrpc_encode_request(struct buf *out, uint32_t stream,
                                    const struct ttrpc_request *request,
                                    const ProtobufCMessage *message, struct error *err);
/* status is NULL for success; message may be NULL. */
MUST_CHECK int ttrpc_encode_response(struct buf *out, uint32_t stream, const struct error *status,
                                     const ProtobufCMessage *message, struct error *err);
