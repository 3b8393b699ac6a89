// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "base/strv.h"

/* http_client: how a host is to be connected to, and curl handles that keep their connections open
 * for the next request. Any number of threads may use one client. */
struct http_client;

struct http_settings {
    const struct strv
        *ca; /* PEM files and folders of them, beside those of the system; NULL: none */
    const struct strv *certs; /* PEM files, of which one is shown (key_pairs.h); NULL: none */
    const struct strv *keys;  /* as many; "": in the same file */
    bool skip_verify;
    int64_t connect_timeout_ms;
    int64_t idle_timeout_ms; /* between two bytes, or until the first of the answer */
};

/* Reads all these files now. */
MUST_CHECK struct http_client *http_client_new(const struct http_settings *settings,
                                               struct error *err);
void http_client_free(struct http_client *c);
DEFINE_AUTO(http_client)

/* Only for http.c: a handle that is the caller's until it is put back, all set but for the
 * request. */
CURL *http_client_take(struct http_client *c);
void http_client_put(struct http_client *c, CURL *handle);

int64_t http_client_idle_timeout_ms(const struct http_client *c);
