// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <openssl/ssl.h>

#include "base/error.h"

/* self_signed: a new P-256 key and a certificate for it that it has signed itself: for the host's
 * name, localhost, and every address that the host has now; good for SELF_SIGNED_DAYS. Kept nowhere
 * but in the context. Any thread. */
enum { SELF_SIGNED_DAYS = 365 };

MUST_CHECK int self_signed_use(SSL_CTX *context, struct error *err);
