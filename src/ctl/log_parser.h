// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* log_parser: the CRI log format, "<time> stdout|stderr P|F <text>\n", back to what was written.
 *
 * Bytes in, bytes out, in pieces of any size: no line has to fit into memory. P says that the line
 * goes on in the next record. A record without such a head is passed on as it is, as stdout.
 * Memory of the caller, zero-initialised. */
enum { LOG_PARSER_HEAD_MAX = 64 };

struct log_parser {
    char head[LOG_PARSER_HEAD_MAX];
    size_t head_len;
    bool in_text;
    bool partial;
    bool is_stderr;
};

typedef void log_parser_sink(void *data, bool is_stderr, const char *text, size_t len);

void log_parser_feed(struct log_parser *p, const char *data, size_t len, log_parser_sink *sink,
                     void *sink_data);
