// SPDX-License-Identifier: Apache-2.0
#include "oci/selinux_levels.h"

#include <assert.h>
#include <ctype.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include "base/own.h"

enum { DIGITS_MAX = 4 };

void selinux_levels_init(struct selinux_levels *l, unsigned categories)
{
    assert(categories >= SELINUX_LEVELS_CATEGORIES_MIN &&
           categories <= SELINUX_LEVELS_CATEGORIES_MAX);
    *l = (struct selinux_levels){.categories = categories};
    pthread_mutex_init(&l->lock, NULL);
}

void selinux_levels_fini(struct selinux_levels *l)
{
    map_fini(&l->users);
    pthread_mutex_destroy(&l->lock);
}

/* --- who has which --- */

static uintptr_t count(const struct selinux_levels *l, const char *level)
{
    return (uintptr_t)map_find(&l->users, level);
}

static void set_count(struct selinux_levels *l, const char *level, uintptr_t n)
{
    if (n > 0)
        map_put(&l->users, level, (void *)n); // NOLINT(performance-no-int-to-ptr)
    else
        map_remove(&l->users, level);
}

/* The n-th pair of different categories. */
static char *pair(unsigned n)
{
    unsigned high = 1;

    while (n >= high)
        n -= high++;
    return xasprintf("s0:c%u,c%u", n, high);
}

/* From a place that nobody can foretell, so that a level that was let go is not soon back. */
static unsigned begin(unsigned n_pairs)
{
    unsigned random = 0;

    if (getrandom(&random, sizeof random, 0) != sizeof random)
        return 0;
    return random % n_pairs;
}

static char *find_free(const struct selinux_levels *l)
{
    unsigned n_pairs = l->categories * (l->categories - 1) / 2, first = begin(n_pairs);

    for (unsigned i = 0; i < n_pairs; i++) {
        AUTO_FREE char *level = pair((first + i) % n_pairs);

        if (count(l, level) == 0)
            return TAKE(level);
    }
    return NULL;
}

char *selinux_levels_take(struct selinux_levels *l, struct error *err)
{
    char *level;

    pthread_mutex_lock(&l->lock);
    level = find_free(l);
    if (level)
        set_count(l, level, 1);
    else
        error_set(err, ERROR_EXHAUSTED, "all SELinux levels of %u categories are in use",
                  l->categories);
    pthread_mutex_unlock(&l->lock);
    return level;
}

void selinux_levels_hold(struct selinux_levels *l, const char *level)
{
    pthread_mutex_lock(&l->lock);
    set_count(l, level, count(l, level) + 1);
    pthread_mutex_unlock(&l->lock);
}

void selinux_levels_release(struct selinux_levels *l, const char *level)
{
    pthread_mutex_lock(&l->lock);
    assert(count(l, level) > 0);
    set_count(l, level, count(l, level) - 1);
    pthread_mutex_unlock(&l->lock);
}

/* --- their form --- */

/* Reads letter and one or more digits, at most max; returns what follows or NULL. */
static const char *read_part(const char *at, char letter, size_t max)
{
    size_t n = 0;

    if (*at++ != letter)
        return NULL;
    while (isdigit((unsigned char)at[n]))
        n++;
    return n > 0 && n <= max ? at + n : NULL;
}

bool selinux_levels_is_valid(const char *level)
{
    const char *at = read_part(level, 's', 1);

    if (at && *at == '-')
        at = read_part(at + 1, 's', 1);
    if (!at || !*at)
        return at != NULL;
    if (*at != ':')
        return false;
    do {
        at = read_part(at + 1, 'c', DIGITS_MAX);
        if (at && *at == '.')
            at = read_part(at + 1, 'c', DIGITS_MAX);
    } while (at && *at == ',');
    return at && !*at;
}
