// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <string.h>

#include "base/own.h"
#include "wire/http1.h"

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {101, "Switching Protocols"},
        {200, "OK"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {413, "Content Too Large"},
        {426, "Upgrade Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };

    for (size_t i = 0; i < COUNT_OF(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Unknown";
}

static int add_fields(struct buf *out, const struct http1_field *fields, size_t n_fields,
                      struct error *err)
{
    for (size_t i = 0; i < n_fields; i++) {
        assert(!strpbrk(fields[i].name, "\r\n") && !strpbrk(fields[i].value, "\r\n"));
        if (buf_printf(out, err, "%s: %s\r\n", fields[i].name, fields[i].value) < 0)
            return -1;
    }
    return 0;
}

int http1_write_head(struct buf *out, int status, const struct http1_field *fields, size_t n_fields,
                     struct error *err)
{
    if (buf_printf(out, err, "HTTP/1.1 %d %s\r\n", status, reason_of(status)) < 0 ||
        add_fields(out, fields, n_fields, err) < 0)
        return -1;
    return buf_append(out, "\r\n", 2, err);
}

int http1_write_text(struct buf *out, int status, const char *text,
                     const struct http1_field *fields, size_t n_fields, struct error *err)
{
    if (buf_printf(out, err, "HTTP/1.1 %d %s\r\n", status, reason_of(status)) < 0 ||
        add_fields(out, fields, n_fields, err) < 0)
        return -1;
    return buf_printf(out, err,
                      "Content-Type: text/plain; charset=utf-8\r\n"
                      "X-Content-Type-Options: nosniff\r\n"
                      "Connection: close\r\n"
                      "Content-Length: %zu\r\n\r\n%s\n",
                      strlen(text) + 1, text);
}
