// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <openssl/ssl.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/own.h"

/* certificate: the certificate and key of the streaming server, and whom it lets in.
 *
 * They come from files, which are looked at before each connection: a change is taken up by the
 * next one. Files that are wrong by then, or do not match each other yet, are left alone with a
 * warning, and what was there stays in use. Without files it makes a key and a certificate that it
 * has signed itself, for this host's name and addresses, in memory only; soon before that expires
 * it makes another. One thread. */
struct certificate;

struct certificate_options {
    const char *cert_file; /* a chain, PEM; "": self-signed */
    const char *key_file;  /* PEM, without passphrase */
    const char *client_ca; /* PEM; "": clients need no certificate */
    int min_version;       /* TLS1_2_VERSION or TLS1_3_VERSION */
};

/* Borrows the options' texts. ERROR_INVALID and so on: a sentence about the file at fault. */
MUST_CHECK struct certificate *certificate_new(const struct certificate_options *options,
                                               struct error *err);
void certificate_free(struct certificate *c);
DEFINE_AUTO(certificate)

/* For one connection, with what the files say now; the caller frees. */
MUST_CHECK SSL *certificate_new_ssl(struct certificate *c, struct error *err);
