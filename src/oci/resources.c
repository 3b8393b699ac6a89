// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/own.h"
#include "oci/build.h"

/* The object in to, made when it is not there. */
static struct json_object *within(struct json_object *to, const char *key)
{
    struct json_object *object = json_get(to, key);

    return object ? object : json_add_object(to, key);
}

static void put_cpu(struct json_object *to, const Runtime__V1__LinuxContainerResources *r)
{
    const struct {
        const char *key;
        int64_t value;
    } numbers[] = {{"shares", r->cpu_shares}, {"quota", r->cpu_quota}, {"period", r->cpu_period}};
    const struct {
        const char *key, *value;
    } texts[] = {{"cpus", r->cpuset_cpus}, {"mems", r->cpuset_mems}};

    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        if (numbers[i].value)
            json_add_int(within(to, "cpu"), numbers[i].key, numbers[i].value);
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (*texts[i].value)
            json_add_str(within(to, "cpu"), texts[i].key, texts[i].value);
}

/* Without a swap limit of its own a container gets no swap beyond its memory limit. */
static void put_memory(struct json_object *to, const Runtime__V1__LinuxContainerResources *r,
                       const struct oci_host *host)
{
    int64_t limit = r->memory_limit_in_bytes, swap = r->memory_swap_limit_in_bytes;

    if (limit)
        json_add_int(within(to, "memory"), "limit", limit);
    if (host->swap_controlled && (swap || limit))
        json_add_int(within(to, "memory"), "swap", swap ? swap : limit);
}

static void put_hugepage(struct json_object *limits, const Runtime__V1__HugepageLimit *limit)
{
    struct json_object *entry = NULL;

    for (size_t i = 0; i < json_len(limits); i++) {
        const char *size = json_get_str(json_at(limits, i), "pageSize");

        if (size && strcmp(size, limit->page_size) == 0)
            entry = json_at(limits, i);
    }
    if (!entry) {
        entry = json_add_object(limits, NULL);
        json_add_str(entry, "pageSize", limit->page_size);
    }
    json_add_uint(entry, "limit", limit->limit);
}

static int put_hugepages(struct json_object *to, const Runtime__V1__LinuxContainerResources *r,
                         const struct oci_host *host, bool required, struct error *err)
{
    struct json_object *limits = json_get(to, "hugepageLimits");

    if (r->n_hugepage_limits == 0)
        return 0;
    if (!host->hugetlb_controlled) {
        if (required)
            return error_set(err, ERROR_PRECONDITION,
                             "hugepage_limits: the node has no hugetlb controller");
        return 0;
    }
    if (!limits)
        limits = json_add_array(to, "hugepageLimits");
    for (size_t i = 0; i < r->n_hugepage_limits; i++)
        put_hugepage(limits, r->hugepage_limits[i]);
    return 0;
}

/* A name is one file of the container's cgroup: memory.high and the like. */
static int put_unified(struct json_object *to, const Runtime__V1__LinuxContainerResources *r,
                       struct error *err)
{
    for (size_t i = 0; i < r->n_unified; i++) {
        const char *key = r->unified[i]->key;

        if (!strchr(key, '.') || strchr(key, '/'))
            return error_set(err, ERROR_INVALID, "unified: \"%s\" is no cgroup file", key);
        json_add_str(within(to, "unified"), key, r->unified[i]->value);
    }
    return 0;
}

static int check(const Runtime__V1__LinuxContainerResources *r, struct error *err)
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
    return 0;
}

/* Sets in to what r asks for. */
static int put(struct json_object *to, const Runtime__V1__LinuxContainerResources *r,
               const struct oci_host *host, const struct oci_policy *policy, struct error *err)
{
    if (check(r, err) < 0)
        return -1;
    put_cpu(to, r);
    put_memory(to, r, host);
    if (put_hugepages(to, r, host, policy->hugetlb_required, err) < 0)
        return -1;
    return put_unified(to, r, err);
}

int oci_resources_add(struct build *b, struct error *err)
{
    const Runtime__V1__LinuxContainerConfig *linux = b->in->config->linux;
    struct json_object *to = json_add_object(b->linux, "resources");

    if (!linux || !linux->resources)
        return 0;
    return put(to, linux->resources, b->in->host, &b->in->policy, err);
}

int oci_resources_update(struct json_object *spec, const Runtime__V1__LinuxContainerResources *r,
                         const struct oci_host *host, const struct oci_policy *policy,
                         struct error *err)
{
    struct json_object *linux = json_get(spec, "linux");

    if (!json_object_is_type(linux, json_type_object))
        return error_set(err, ERROR_INTERNAL, "the container's specification has no linux part");
    return put(within(linux, "resources"), r, host, policy, err);
}
