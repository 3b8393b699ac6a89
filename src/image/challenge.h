// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>

#include "base/error.h"

/* challenge: what a WWW-Authenticate header asks for.
 *
 * A list gathers the challenges of one answer, over all its headers. Memory of the caller,
 * zero-initialised; one thread at a time. */
enum challenge_scheme { CHALLENGE_OTHER, CHALLENGE_BASIC, CHALLENGE_BEARER };

struct challenge {
    enum challenge_scheme scheme;
    char *realm; /* these are NULL when absent */
    char *service;
    char *scope;
    char *error;
};

enum { CHALLENGE_LIST_MAX = 8, CHALLENGE_HEADER_MAX = 16384 };

struct challenge_list {
    struct challenge items[CHALLENGE_LIST_MAX];
    size_t len;
};

void challenge_list_fini(struct challenge_list *list);

/* Adds the challenges of one header's value. ERROR_INVALID, ERROR_EXHAUSTED: the list then has
 * those that came before the fault. */
MUST_CHECK int challenge_list_add(struct challenge_list *list, const char *value,
                                  struct error *err);

/* The first bearer challenge with a realm, else the first basic one, else NULL. */
const struct challenge *challenge_list_best(const struct challenge_list *list);
