// SPDX-License-Identifier: Apache-2.0
#include "tls/tls_error.h"

#include <openssl/err.h>
#include <stdarg.h>

#include "base/own.h"

/* The first one in the queue is the innermost; the others tell who was told. */
static const char *reason(void)
{
    unsigned long code = ERR_get_error();
    const char *words;

    ERR_clear_error();
    if (!code)
        return "the client is gone";
    if (ERR_SYSTEM_ERROR(code))
        return strerror(ERR_GET_REASON(code));
    words = ERR_reason_error_string(code);
    return words ? words : "OpenSSL gives no reason";
}

int tls_error_set(struct error *err, const char *fmt, ...)
{
    char words[ERROR_TEXT_MAX / 2];
    va_list args;

    va_start(args, fmt);
    vsnprintf(words, sizeof words, fmt, args);
    va_end(args);
    return error_set(err, ERROR_INVALID, "%s: %s", words, reason());
}
