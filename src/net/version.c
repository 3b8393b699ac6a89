// SPDX-License-Identifier: Apache-2.0
#include "net/version.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/own.h"

/* The newest version we know: 1.1.x. */
enum { MAJOR_MAX = 1, MINOR_MAX = 1, PART_MAX = 999, PART_SCALE = 1000 };

/* major.minor.patch as one number that compares, or -1. */
static long rank(const char *text)
{
    unsigned major, minor, patch;
    char after;

    if (sscanf(text, "%3u.%3u.%3u%c", &major, &minor, &patch, &after) != 3)
        return -1;
    return ((long)major * PART_SCALE + (long)minor) * PART_SCALE + (long)patch;
}

static long rank_of(unsigned major, unsigned minor)
{
    return ((long)major * PART_SCALE + (long)minor) * PART_SCALE;
}

bool version_is_at_least(const char *text, unsigned major, unsigned minor)
{
    return rank(text) >= rank_of(major, minor);
}

/* Keeps the better of *best and candidate among those that we know. */
static int consider(const char **best, const char *candidate, struct error *err)
{
    if (!candidate || rank(candidate) < 0)
        return error_set(err, ERROR_INVALID, "\"%s\" is no CNI version",
                         candidate ? candidate : "");
    if (rank(candidate) <= rank_of(MAJOR_MAX, MINOR_MAX) + PART_MAX &&
        (!*best || rank(candidate) > rank(*best)))
        *best = candidate;
    return 0;
}

char *version_choose(struct json_object *list, struct error *err)
{
    const char *single = json_get_str(list, "cniVersion"), *best = NULL;
    struct json_object *several = json_get(list, "cniVersions");

    for (size_t i = 0; i < json_len(several); i++)
        if (consider(&best, json_str(json_at(several, i)), err) < 0)
            return NULL;
    if (single && *single && consider(&best, single, err) < 0)
        return NULL;
    if (!best && (json_len(several) || (single && *single))) {
        error_set(err, ERROR_INVALID, "CNI version \"%s\" is newer than 1.1.0",
                  single ? single : json_str(json_at(several, 0)));
        return NULL;
    }
    return xstrdup(best ? best : "0.1.0");
}
