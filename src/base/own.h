// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/error.h"

/* own: who frees what, and when.
 *
 * A resource has one owner at a time, and the declaration shows it: AUTO_FREE and AUTO(noun) free
 * at the end of the scope whatever was not moved away by TAKE. Every destructor accepts NULL.
 *
 * Small allocations do not fail: they abort, because the shims keep the containers and the daemon
 * recovers when it is started again. Sizes that come from outside are checked against a named
 * maximum before they get here. Any thread. */

#define AUTO(noun) __attribute__((cleanup(noun##_auto))) struct noun
#define DEFINE_AUTO(noun)                                                                          \
    static inline void noun##_auto(struct noun **p)                                                \
    {                                                                                              \
        noun##_free(*p);                                                                           \
    }
/* For nouns that live in their owner's memory: AUTO_FINI(buf) b; */
#define AUTO_FINI(noun) __attribute__((cleanup(noun##_fini))) struct noun
#define AUTO_FREE       __attribute__((cleanup(own_free)))

#define TAKE(p)                                                                                    \
    __extension__({                                                                                \
        __typeof__(p) taken_ = (p);                                                                \
        (p) = NULL;                                                                                \
        taken_;                                                                                    \
    })

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static inline void own_free(void *p)
{
    free(*(void **)p);
}

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t len); /* like xmemdup(), NULL is no bytes */
void *xmemdup(const void *data, size_t len);
char *xasprintf(const char *fmt, ...) PRINTF_LIKE(1, 2);
char *xvasprintf(const char *fmt, va_list args) PRINTF_LIKE(1, 0);
