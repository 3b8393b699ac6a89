// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static enum error_code code_of_errno(int errnum)
{
    switch (errnum) {
    case ENOENT:
        return ERROR_NOT_FOUND;
    case EEXIST:
        return ERROR_EXISTS;
    case EACCES:
    case EPERM:
        return ERROR_PERMISSION;
    case ETIMEDOUT:
        return ERROR_DEADLINE;
    case ECANCELED:
        return ERROR_CANCELLED;
    case ENOSPC:
    case EDQUOT:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
        return ERROR_EXHAUSTED;
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE:
        return ERROR_UNAVAILABLE;
    default:
        return ERROR_UNKNOWN;
    }
}

int error_set(struct error *err, enum error_code code, const char *fmt, ...)
{
    va_list args;

    err->code = code;
    err->errnum = 0;
    va_start(args, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, args);
    va_end(args);
    utf8_mend(err->text);
    return -1;
}

int error_errno(struct error *err, int errnum, const char *fmt, ...)
{
    va_list args;
    size_t len;

    err->code = code_of_errno(errnum);
    err->errnum = errnum;
    va_start(args, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, args);
    va_end(args);
    len = strlen(err->text);
    snprintf(err->text + len, sizeof err->text - len, ": %s", strerror(errnum));
    utf8_mend(err->text);
    return -1;
}

int error_wrap(struct error *err, const char *fmt, ...)
{
    char inner[ERROR_TEXT_MAX];
    va_list args;
    size_t len;

    memcpy(inner, err->text, sizeof inner);
    va_start(args, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, args);
    va_end(args);
    len = strlen(err->text);
    snprintf(err->text + len, sizeof err->text - len, ": %s", inner);
    utf8_mend(err->text);
    return -1;
}

const char *error_code_name(enum error_code code)
{
    static const char *const names[] = {"OK",
                                        "CANCELLED",
                                        "UNKNOWN",
                                        "INVALID_ARGUMENT",
                                        "DEADLINE_EXCEEDED",
                                        "NOT_FOUND",
                                        "ALREADY_EXISTS",
                                        "PERMISSION_DENIED",
                                        "RESOURCE_EXHAUSTED",
                                        "FAILED_PRECONDITION",
                                        "ABORTED",
                                        "OUT_OF_RANGE",
                                        "UNIMPLEMENTED",
                                        "INTERNAL",
                                        "UNAVAILABLE",
                                        "DATA_LOSS",
                                        "UNAUTHENTICATED"};

    if ((unsigned)code >= sizeof names / sizeof *names)
        return "UNKNOWN";
    return names[code];
}
