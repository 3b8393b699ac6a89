// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/own.h"
#include "oci/build.h"
#include "oci/limits.h"

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
    for (size_t i = 0; i < r->n_hugepage_limits; i++) {
        const char *size = r->hugepage_limits[i]->page_size;

        if (host->hugepage_sizes.len > 0 && !strv_contains(&host->hugepage_sizes, size))
            return error_set(err, ERROR_INVALID,
                             "resources.hugepage_limits: the node has no pages of page_size \"%s\"",
                             size);
        put_hugepage(limits, r->hugepage_limits[i]);
    }
    return 0;
}

static int put_unified(struct json_object *to, const Runtime__V1__LinuxContainerResources *r,
                       const struct oci_host *host, struct error *err)
{
    if (r->n_unified > 0 && host->cgroup_mode != OCI_CGROUP_V2)
        return error_set(err, ERROR_PRECONDITION,
                         "resources.unified: \"%s\" is of cgroups of version 2, and the node's "
                         "are of version 1",
                         r->unified[0]->key);
    for (size_t i = 0; i < r->n_unified; i++)
        json_add_str(within(to, "unified"), r->unified[i]->key, r->unified[i]->value);
    return 0;
}

/* Sets in to what r asks for. */
static int put(struct json_object *to, const Runtime__V1__LinuxContainerResources *r,
               const struct oci_host *host, const struct oci_policy *policy, struct error *err)
{
    if (oci_limits_check(r, err) < 0)
        return -1;
    put_cpu(to, r);
    put_memory(to, r, host);
    if (put_hugepages(to, r, host, policy->hugetlb_required, err) < 0)
        return -1;
    return put_unified(to, r, host, err);
}

/* Nobody can be given what the node can never have. */
static int check_set(const char *field, const char *set, unsigned count, const char *what,
                     struct error *err)
{
    if (!count || !*set || oci_limits_highest(set) < count)
        return 0;
    return error_set(err, ERROR_INVALID, "resources.%s: \"%s\" goes beyond the node's %u %s", field,
                     set, count, what);
}

/* For an update the OCI runtime knows more: the other limit may be there from before. */
static int check_new(const Runtime__V1__LinuxContainerResources *r, const struct oci_host *host,
                     struct error *err)
{
    if (r->memory_swap_limit_in_bytes > 0 && r->memory_limit_in_bytes <= 0)
        return error_set(err, ERROR_INVALID,
                         "resources.memory_swap_limit_in_bytes: %" PRId64
                         " is given without memory_limit_in_bytes",
                         r->memory_swap_limit_in_bytes);
    if (check_set("cpuset_cpus", r->cpuset_cpus, host->cpus, "processors", err) < 0)
        return -1;
    return check_set("cpuset_mems", r->cpuset_mems, host->memory_nodes, "memory nodes", err);
}

int oci_resources_add(struct build *b, struct error *err)
{
    const Runtime__V1__LinuxContainerConfig *linux = b->in->config->linux;
    struct json_object *to = json_add_object(b->linux, "resources");

    if (!linux || !linux->resources)
        return 0;
    if (put(to, linux->resources, b->in->host, &b->in->policy, err) < 0)
        return -1;
    return check_new(linux->resources, b->in->host, err);
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

/* A message of its own, as protobuf-c would have unpacked it. */
static void *new_message(const ProtobufCMessageDescriptor *type)
{
    void *message = xcalloc(1, type->sizeof_message);

    protobuf_c_message_init(type, message);
    return message;
}

/* protobuf-c's empty string stays where there is nothing. */
static void read_text(char **out, struct json_object *value)
{
    const char *text = json_str(value);

    if (text && *text)
        *out = xstrdup(text);
}

static void read_hugepages(struct json_object *limits, Runtime__V1__LinuxContainerResources *r)
{
    if (json_len(limits) == 0)
        return;
    r->hugepage_limits = xcalloc(json_len(limits), sizeof *r->hugepage_limits);
    for (size_t i = 0; i < json_len(limits); i++) {
        Runtime__V1__HugepageLimit *limit = new_message(&runtime__v1__hugepage_limit__descriptor);

        read_text(&limit->page_size, json_get(json_at(limits, i), "pageSize"));
        limit->limit = json_object_get_uint64(json_get(json_at(limits, i), "limit"));
        r->hugepage_limits[r->n_hugepage_limits++] = limit;
    }
}

static void read_unified(struct json_object *unified, Runtime__V1__LinuxContainerResources *r)
{
    if (!json_object_is_type(unified, json_type_object))
        return;
    r->unified = xcalloc((size_t)json_object_object_length(unified), sizeof *r->unified);
    json_object_object_foreach(unified, file, value)
    {
        Runtime__V1__LinuxContainerResources__UnifiedEntry *entry =
            new_message(&runtime__v1__linux_container_resources__unified_entry__descriptor);

        entry->key = xstrdup(file);
        read_text(&entry->value, value);
        r->unified[r->n_unified++] = entry;
    }
}

Runtime__V1__LinuxContainerResources *oci_resources_read(struct json_object *spec)
{
    struct json_object *resources = json_get(json_get(spec, "linux"), "resources");
    struct json_object *cpu = json_get(resources, "cpu"), *memory = json_get(resources, "memory");
    Runtime__V1__LinuxContainerResources *r =
        new_message(&runtime__v1__linux_container_resources__descriptor);

    r->cpu_shares = json_get_int(cpu, "shares", 0);
    r->cpu_quota = json_get_int(cpu, "quota", 0);
    r->cpu_period = json_get_int(cpu, "period", 0);
    read_text(&r->cpuset_cpus, json_get(cpu, "cpus"));
    read_text(&r->cpuset_mems, json_get(cpu, "mems"));
    r->memory_limit_in_bytes = json_get_int(memory, "limit", 0);
    r->memory_swap_limit_in_bytes = json_get_int(memory, "swap", 0);
    r->oom_score_adj = json_get_int(json_get(spec, "process"), "oomScoreAdj", 0);
    read_hugepages(json_get(resources, "hugepageLimits"), r);
    read_unified(json_get(resources, "unified"), r);
    return r;
}
