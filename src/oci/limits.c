// SPDX-License-Identifier: Apache-2.0
#include "oci/limits.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"

/* What the kernel's bandwidth control takes. */
enum { PERIOD_MIN_US = 1000, PERIOD_MAX_US = 1000 * 1000, QUOTA_MIN_US = 1000 };

/* More than any kernel is made for. */
enum { SET_NUMBER_MAX = 65535 };

static int check_bandwidth(const Runtime__V1__LinuxContainerResources *r, struct error *err)
{
    if (r->cpu_period && (r->cpu_period < PERIOD_MIN_US || r->cpu_period > PERIOD_MAX_US))
        return error_set(err, ERROR_INVALID,
                         "resources.cpu_period: %" PRId64 " is not from %d to %d microseconds",
                         r->cpu_period, PERIOD_MIN_US, PERIOD_MAX_US);
    if (r->cpu_quota > 0 && r->cpu_quota < QUOTA_MIN_US)
        return error_set(err, ERROR_INVALID,
                         "resources.cpu_quota: %" PRId64 " is less than %d microseconds",
                         r->cpu_quota, QUOTA_MIN_US);
    return 0;
}

static int check_numbers(const Runtime__V1__LinuxContainerResources *r, struct error *err)
{
    const struct {
        const char *field;
        int64_t value, lowest, highest;
    } rules[] = {
        {"cpu_period", r->cpu_period, 0, INT64_MAX},
        {"cpu_quota", r->cpu_quota, -1, INT64_MAX},
        {"cpu_shares", r->cpu_shares, 0, INT64_MAX},
        {"memory_limit_in_bytes", r->memory_limit_in_bytes, -1, INT64_MAX},
        {"memory_swap_limit_in_bytes", r->memory_swap_limit_in_bytes, -1, INT64_MAX},
        {"oom_score_adj", r->oom_score_adj, -1000, 1000},
    };

    for (size_t i = 0; i < COUNT_OF(rules); i++)
        if (rules[i].value < rules[i].lowest || rules[i].value > rules[i].highest)
            return error_set(err, ERROR_INVALID, "resources.%s: %" PRId64 " is out of range",
                             rules[i].field, rules[i].value);
    /* The swap limit is that of both together. */
    if (r->memory_swap_limit_in_bytes > 0 &&
        r->memory_swap_limit_in_bytes < r->memory_limit_in_bytes)
        return error_set(err, ERROR_INVALID,
                         "resources.memory_swap_limit_in_bytes: %" PRId64
                         " is less than memory_limit_in_bytes",
                         r->memory_swap_limit_in_bytes);
    return check_bandwidth(r, err);
}

/* Behind one or more digits; NULL when there are none. */
static const char *skip_digits(const char *at)
{
    return isdigit((unsigned char)*at) ? at + strspn(at, "0123456789") : NULL;
}

/* Behind a number; NULL when there is none, or one that is too great. */
static const char *read_number(const char *at, unsigned long *out)
{
    const char *end = skip_digits(at);

    *out = end ? strtoul(at, NULL, 10) : 0;
    return *out <= SET_NUMBER_MAX ? end : NULL;
}

/* 0-3,7 and the like. */
static int check_set(const char *field, const char *set, struct error *err)
{
    const char *at = set;
    unsigned long first, last;

    while (at && *at) {
        at = read_number(at, &first);
        last = first;
        if (at && *at == '-')
            at = read_number(at + 1, &last);
        if (at && *at == ',' && at[1])
            at++;
        else if ((at && *at) || last < first)
            at = NULL;
    }
    if (!at)
        return error_set(err, ERROR_INVALID, "resources.%s: \"%s\" is no list of numbers", field,
                         set);
    return 0;
}

unsigned long oci_limits_highest(const char *set)
{
    unsigned long highest = 0;

    for (const char *at = set; *at;) {
        char *end;
        unsigned long number = strtoul(at, &end, 10);

        if (number > highest)
            highest = number;
        at = *end ? end + 1 : end;
    }
    return highest;
}

/* 2MB, 1GB, 64KB: as the files of the hugetlb controller are called. */
static int check_page_size(const char *size, struct error *err)
{
    const char *at = skip_digits(size);

    if (at && strchr("KMG", *at) && *at)
        at++;
    if (!at || strcmp(at, "B") != 0)
        return error_set(err, ERROR_INVALID,
                         "resources.hugepage_limits: page_size \"%s\" is no size", size);
    return 0;
}

/* A name is one file of the container's cgroup: memory.high and the like. */
static int check_file(const char *name, struct error *err)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

    if (!isalpha((unsigned char)*name) || !strchr(name, '.') || name[strspn(name, letters)])
        return error_set(err, ERROR_INVALID, "resources.unified: \"%s\" is no cgroup file", name);
    return 0;
}

int oci_limits_check(const Runtime__V1__LinuxContainerResources *r, struct error *err)
{
    if (check_numbers(r, err) < 0 || check_set("cpuset_cpus", r->cpuset_cpus, err) < 0 ||
        check_set("cpuset_mems", r->cpuset_mems, err) < 0)
        return -1;
    for (size_t i = 0; i < r->n_hugepage_limits; i++)
        if (check_page_size(r->hugepage_limits[i]->page_size, err) < 0)
            return -1;
    for (size_t i = 0; i < r->n_unified; i++)
        if (check_file(r->unified[i]->key, err) < 0)
            return -1;
    return 0;
}
