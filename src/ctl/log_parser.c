// SPDX-License-Identifier: Apache-2.0
#include "ctl/log_parser.h"

#include <string.h>

/* "<time> stdout F ": sets what the rest of the record is; false when this is no head. */
static bool read_head(struct log_parser *p)
{
    const char *stream = memchr(p->head, ' ', p->head_len);
    size_t left = stream ? p->head_len - (size_t)(stream - p->head) : 0;

    if (left != strlen(" stdout F ") || stream == p->head || stream[9] != ' ')
        return false;
    if (memcmp(stream, " stdout ", 8) != 0 && memcmp(stream, " stderr ", 8) != 0)
        return false;
    p->is_stderr = stream[4] == 'e';
    p->partial = stream[8] == 'P';
    return p->partial || stream[8] == 'F';
}

static bool has_three_spaces(const struct log_parser *p)
{
    size_t spaces = 0;

    for (size_t i = 0; i < p->head_len; i++)
        spaces += p->head[i] == ' ';
    return spaces == 3;
}

/* Takes one byte of the head; once it is whole, or can be none, the text begins. */
static void feed_head(struct log_parser *p, char byte, log_parser_sink *sink, void *sink_data)
{
    p->head[p->head_len++] = byte;
    if (byte != '\n' && p->head_len < sizeof p->head && !has_three_spaces(p))
        return;
    p->in_text = byte != '\n';
    if (!read_head(p)) {
        p->is_stderr = p->partial = false;
        sink(sink_data, false, p->head, p->head_len);
    }
    p->head_len = 0;
}

void log_parser_feed(struct log_parser *p, const char *data, size_t len, log_parser_sink *sink,
                     void *sink_data)
{
    const char *end = data + len;

    while (data < end) {
        const char *newline, *stop;

        if (!p->in_text) {
            feed_head(p, *data++, sink, sink_data);
            continue;
        }
        newline = memchr(data, '\n', (size_t)(end - data));
        stop = newline ? newline + !p->partial : end;
        if (stop > data)
            sink(sink_data, p->is_stderr, data, (size_t)(stop - data));
        p->in_text = !newline;
        data = newline ? newline + 1 : end;
    }
}
