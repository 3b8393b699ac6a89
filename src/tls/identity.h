// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <openssl/ssl.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/own.h"

/* identity: the certificate and key of the streaming server, and whom it lets in.
 *
 * They come from files, which are looked at before each connection: a change is taken up by the
 * next one. Files that are wrong by then, or do not match each other yet, are left alone with a
 * warning, and what was there stays in use. Without files it makes a key and a certificate that it
 * has signed itself, for this host's name and addresses, in memory only; soon before that expires
 * it makes another. One thread. */
struct identity;

struct identity_options {
    const char *cert_file; /* a chain, PEM; "": self-signed */
    const char *key_file;  /* PEM, without passphrase */
    const char *client_ca; /* PEM; "": clients need no certificate */
    int min_version;       /* TLS1_2_VERSION or TLS1_3_VERSION */
};

/* Borrows the options' texts. ERROR_INVALID and so on: a sentence about the file at fault. */
MUST_CHECK struct identity *identity_new(const struct identity_options *options, struct error *err);
void identity_free(struct identity *i);
DEFINE_AUTO(identity)

/* For one connection, with what the files say now; the caller frees. */
MUST_CHECK SSL *identity_new_ssl(struct identity *i, struct error *err);
