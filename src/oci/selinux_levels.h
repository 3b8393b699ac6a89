// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <pthread.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/map.h"

/* selinux_levels: SELinux levels such as s0:c12,c345, and which of them pods have.
 *
 * A pod that brings no level of its own gets two categories that no other pod has, so that pods
 * cannot touch each other's files. A level is counted by its users: pods that ask for the same one
 * share it, and it is free again after the last. Memory of the caller; any thread: the lock inside
 * is held for memory operations. */
enum { SELINUX_LEVELS_CATEGORIES_MIN = 2, SELINUX_LEVELS_CATEGORIES_MAX = 1024 };

struct selinux_levels {
    pthread_mutex_t lock;
    unsigned categories; /* c0 up to one less than that */
    struct map users;    /* level → how many, as a pointer's value */
};

/* categories is from MIN to MAX. */
void selinux_levels_init(struct selinux_levels *l, unsigned categories);
void selinux_levels_fini(struct selinux_levels *l);

/* A level that nobody has, with one user now; the caller frees it. ERROR_EXHAUSTED. */
MUST_CHECK char *selinux_levels_take(struct selinux_levels *l, struct error *err);

/* One user more, and one less. */
void selinux_levels_hold(struct selinux_levels *l, const char *level);
void selinux_levels_release(struct selinux_levels *l, const char *level);

/* s0 or s0-s0, then :c1 or :c1.c2 or :c1,c2 and so on. */
bool selinux_levels_is_valid(const char *level);
