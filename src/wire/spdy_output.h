// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* spdy_output: the frames that one SPDY session has to send. Memory of the session. */
enum {
    SPDY_VERSION = 3,
    SPDY_HEAD_SIZE = 8,
    SPDY_FLAG_FIN = 1,
    SPDY_FLAG_UNIDIRECTIONAL = 2,
};

enum spdy_frame_type {
    SPDY_FRAME_SYN_STREAM = 1,
    SPDY_FRAME_SYN_REPLY = 2,
    SPDY_FRAME_RST_STREAM = 3,
    SPDY_FRAME_SETTINGS = 4,
    SPDY_FRAME_PING = 6,
    SPDY_FRAME_GOAWAY = 7,
    SPDY_FRAME_HEADERS = 8,
    SPDY_FRAME_WINDOW_UPDATE = 9,
};

struct spdy_output {
    struct buf bytes;
    bool has_replied; /* the preamble of our zlib stream is sent */
    bool overflowed;  /* something did not fit: the session is lost */
};

void spdy_output_init(struct spdy_output *o);
void spdy_output_fini(struct spdy_output *o);

void spdy_output_control(struct spdy_output *o, enum spdy_frame_type type, const uint8_t *payload,
                         size_t len);
/* RST_STREAM, GOAWAY and WINDOW_UPDATE: a stream and a number. */
void spdy_output_pair(struct spdy_output *o, enum spdy_frame_type type, uint32_t id,
                      uint32_t status);
void spdy_output_reply(struct spdy_output *o, uint32_t id);
void spdy_output_data(struct spdy_output *o, uint32_t id, uint8_t flags, const void *data,
                      size_t len);
