// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdatomic.h>

#include "base/error.h"
#include "base/strv.h"
#include "imaged/auth.h"
#include "imaged/hosts.h"
#include "imaged/http.h"

/* endpoint: one host that serves a repository, and how a request to it is done: with authorization,
 * with http where https is not spoken, and again where that may help. Any thread. */
struct endpoint {
    const struct host *host;
    struct http_client *client;
    struct auth *auth;                     /* NULL: a 401 is an answer */
    const struct credentials *credentials; /* or NULL */
    const char *repository;                /* "library/busybox" */
    const char *ns;    /* the registry's name, when this is a mirror of it; or NULL */
    atomic_bool plain; /* it turned out to talk no TLS */
};

enum {
    ENDPOINT_TRIES_MAX = 5,
    ENDPOINT_LOGINS_MAX = 2,
    ENDPOINT_WAIT_MAX_MS = 30000, /* a registry that wants more is not asked again */
};

/* client is made here; the rest is borrowed. */
MUST_CHECK int endpoint_init(struct endpoint *e, const struct host *host, int64_t idle_timeout_ms,
                             struct error *err);
void endpoint_fini(struct endpoint *e);

struct endpoint_request {
    const char *method; /* GET or HEAD */
    const char *url;    /* whole; NULL: of the two below */
    const char *kind;   /* "manifests" or "blobs" */
    const char *name;   /* tag or digest */
    const char *accept;
    int64_t offset;   /* Range, when more than 0 */
    bool last;        /* no other endpoint is there to ask: try harder */
    bool stay_secure; /* no redirect from https to http */
    int (*body)(void *data, const struct http_answer *answer, const void *bytes, size_t len,
                struct error *err);
    void *data;
};

/* 0 with any answer, also 401 where there are no credentials for it; out is always to be finished.
 * What the body callback has got makes a failure final. */
MUST_CHECK int endpoint_perform(struct endpoint *e, const struct endpoint_request *request,
                                struct http_answer *out, struct error *err);

/* Tells what an answer that is no success means: "<host> answered 404: manifest unknown". */
int endpoint_refused(const struct endpoint *e, const struct http_answer *answer, struct error *err);
