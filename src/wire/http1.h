// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "wire/input.h"

/* http1: heads of HTTP/1.1 requests in, heads of responses out, for the streaming server and
 * /metrics.
 *
 * A request is its head only: one with a body is refused, as nobody sends any. Memory of the
 * caller; one thread at a time. */
enum {
    HTTP1_HEAD_MAX = 16 * 1024,
    HTTP1_FIELDS_MAX = 100,
    HTTP1_RESPONSE_MAX = 32 * 1024, /* enough for everything written here, for BUF() */
};

enum http1_method { HTTP1_GET, HTTP1_HEAD, HTTP1_POST };

struct http1_field {
    const char *name;
    const char *value;
};

struct http1_request {
    enum http1_method method;
    const char *path;  /* begins with '/', as it was sent: escapes are not undone */
    const char *query; /* behind the '?', or "" */
    bool keep_alive;   /* the connection may take another request after this one */
    struct http1_field fields[HTTP1_FIELDS_MAX];
    size_t n_fields;

    int refusal; /* the status with which to answer after a failure */
    struct buf head;
};

void http1_request_init(struct http1_request *r);
void http1_request_fini(struct http1_request *r);

/* Takes bytes up to the end of the head and leaves what is behind it. 1: the head is whole; 0: more
 * bytes are needed; -1: refused, with r->refusal and a sentence for the client. After 1 or -1 the
 * request is spent: fini and init make it ready for the next. */
MUST_CHECK int http1_request_feed(struct http1_request *r, struct input *in, struct error *err);

/* The value of the first field of that name (any case), or NULL. */
const char *http1_request_find(const struct http1_request *r, const char *name);

/* One after the other: size_t at = 0; while ((value = http1_request_next(r, name, &at))) ... */
const char *http1_request_next(const struct http1_request *r, const char *name, size_t *at);

/* One of the fields of that name lists the token, as in "Connection: keep-alive, Upgrade"; any
 * case. */
bool http1_request_lists(const struct http1_request *r, const char *name, const char *token);

/* Cuts the next element off a list such as "a, b": its length, with *at moved to its begin, or 0 at
 * the end of the list. size_t len; for (...; (len = http1_list_next(&at)); at += len) */
size_t http1_list_next(const char **at);

/* Appends a head with that status and those fields, and the empty line. */
MUST_CHECK int http1_write_head(struct buf *out, int status, const struct http1_field *fields,
                                size_t n_fields, struct error *err);

/* Appends a whole response with text as its body, after which the connection is closed; with extra
 * fields. */
MUST_CHECK int http1_write_text(struct buf *out, int status, const char *text,
                                const struct http1_field *fields, size_t n_fields,
                                struct error *err);
