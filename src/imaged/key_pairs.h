// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>

#include "base/error.h"
#include "base/own.h"
#include "base/strv.h"

/* key_pairs: the certificates with keys that a client may show to a server, of which the one is
 * shown that the server can accept: whose issuers it names, and whose kind of key it takes. When it
 * names nobody, or nobody that fits, the first one is.
 *
 * Read once and not changed, so any thread may use them. */
struct key_pairs;

/* PEM files: certs[i] may have the issuers' certificates behind its own; keys[i] is "" when the key
 * is in the same file. Fails when one cannot be read, has a passphrase, or does not fit its key. */
MUST_CHECK struct key_pairs *key_pairs_load(const struct strv *certs, const struct strv *keys,
                                            struct error *err);
void key_pairs_free(struct key_pairs *k);
DEFINE_AUTO(key_pairs)

/* Makes connections of an SSL_CTX choose among them; they have to outlive it. */
void key_pairs_offer(void *ssl_ctx, struct key_pairs *k);
