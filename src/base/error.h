// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdarg.h>
#include <stdbool.h>

/* error: why a call failed, told from the inside out.
 *
 * The caller owns it, usually on its stack; nothing in it is allocated, so filling it in cannot
 * fail and there is nothing to free. The first failure sets the code and the innermost words; each
 * frame on the way up may put its own words in front, so that read aloud the text is a sentence:
 * "start container web: open exit record: No space left on device". Programs branch on the code,
 * never on the text. The text is UTF-8, whatever words others brought into it, and ends where
 * ERROR_TEXT_MAX is reached.
 *
 * Any thread; one error belongs to one thread at a time. */

/* The codes are those of gRPC, so that a code can go to a client as it is. */
enum error_code {
    ERROR_OK = 0,
    ERROR_CANCELLED = 1,
    ERROR_UNKNOWN = 2,
    ERROR_INVALID = 3,
    ERROR_DEADLINE = 4,
    ERROR_NOT_FOUND = 5,
    ERROR_EXISTS = 6,
    ERROR_PERMISSION = 7,
    ERROR_EXHAUSTED = 8,
    ERROR_PRECONDITION = 9,
    ERROR_ABORTED = 10,
    ERROR_RANGE = 11,
    ERROR_UNIMPLEMENTED = 12,
    ERROR_INTERNAL = 13,
    ERROR_UNAVAILABLE = 14,
    ERROR_DATA_LOSS = 15,
    ERROR_UNAUTHENTICATED = 16,
};

enum { ERROR_TEXT_MAX = 1024 };

struct error {
    enum error_code code;
    int errnum; /* 0 when no system call was at fault */
    char text[ERROR_TEXT_MAX];
};

#define MUST_CHECK             __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* Each returns -1, so that a failure is one statement: return error_set(err, ...). */

/* Sets code and text, whatever was there before. */
int error_set(struct error *err, enum error_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Sets the text to "words: strerror(errnum)" and a code that fits errnum. */
int error_errno(struct error *err, int errnum, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Puts "words: " in front of the text and keeps the code. */
int error_wrap(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The name of a code as gRPC writes it, such as "NOT_FOUND". */
const char *error_code_name(enum error_code code);
