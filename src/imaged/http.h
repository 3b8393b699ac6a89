// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/own.h"
#include "base/strv.h"
#include "image/challenge.h"
#include "image/digest.h"
#include "imaged/http_client.h"

/* http: requests by libcurl, one after the other on the thread that asks.
 *
 * Proxies come from the environment unless they are set; loopback is never asked through one.
 * Redirects are followed by hand, so that what is secret stays with the host it is for. Any thread.
 */
enum {
    HTTP_REDIRECTS_MAX = 10,
    HTTP_ERROR_BODY_MAX = 64 << 10,
    HTTP_HEADERS_MAX = 128 << 10, /* bytes */
    HTTP_URL_MAX = 16 << 10,
};

/* Once per process and before any thread. */
MUST_CHECK int http_global_init(struct error *err);

/* Instead of those of the environment; NULL or "" leaves it to that. none is a list as in NO_PROXY.
 * Borrowed for good; before the first request. */
struct http_proxies {
    const char *http;  /* for http: URLs */
    const char *https; /* for https: URLs */
    const char *none;
};
void http_set_proxies(const struct http_proxies *proxies);

/* Why there is no answer. */
enum http_fault {
    HTTP_FAULT_NONE,
    HTTP_FAULT_CONNECT, /* the host could not be reached */
    HTTP_FAULT_NO_TLS,  /* it was, but does not talk TLS */
    HTTP_FAULT_BROKEN,  /* the connection ended or fell silent: another try may do */
    HTTP_FAULT_BODY,    /* the callback gave up */
    HTTP_FAULT_OTHER,
};

struct http_answer {
    enum http_fault fault;
    int status;
    char *content_type;       /* or NULL */
    char digest[DIGEST_SIZE]; /* Docker-Content-Digest, "" when absent or not valid */
    int64_t content_length;   /* -1: not stated */
    int64_t range_start;      /* of Content-Range, -1: not stated */
    int64_t retry_after_ms;   /* -1: not stated */
    struct challenge_list challenges;
    bool elsewhere;        /* it came from another host, by a redirect */
    int64_t body_len;      /* bytes the callback got */
    struct buf error_body; /* when status is not 2xx, as far as it fits */
};

void http_answer_fini(struct http_answer *a);

struct http_request {
    const char *method; /* GET, HEAD or POST */
    const char *url;
    const char *form;                   /* the body of a POST */
    const struct strv *headers;         /* "Name: value", for any host */
    const struct strv *private_headers; /* for the host of url only */
    const char *authorization;          /* so is this; NULL: none */
    bool stay_secure;                   /* no redirect from https to http */

    /* Gets the body of a 2xx answer; -1 gives up. */
    int (*body)(void *data, const struct http_answer *answer, const void *bytes, size_t len,
                struct error *err);
    void *data;
};

/* 0 when there is an answer, whatever its status. out is always to be finished, and on failure says
 * the fault. */
MUST_CHECK int http_perform(struct http_client *c, const struct http_request *request,
                            struct http_answer *out, struct error *err);

/* Appends name=value, the value URL-encoded, with "&" in front when text is not empty. */
MUST_CHECK int http_add_parameter(struct buf *text, const char *name, const char *value,
                                  struct error *err);

/* True when both have the same scheme, host and port. */
bool http_same_origin(const char *url, const char *other);
