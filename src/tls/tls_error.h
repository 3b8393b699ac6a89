// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"

/* tls_error: what OpenSSL has to say about its last failure on this thread, in words. Any thread.
 */

/* error_set() with "words: what OpenSSL says". */
int tls_error_set(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
