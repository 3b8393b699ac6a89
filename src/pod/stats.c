// SPDX-License-Identifier: Apache-2.0
#include "pod/stats.h"

#include <string.h>

#include "base/clock.h"
#include "os/cgroup.h"
#include "os/disk_usage.h"
#include "os/net_usage.h"

static const int64_t disk_age_ns = 10 * CLOCK_NS_PER_S;
static const int64_t rate_age_ns = 100 * CLOCK_NS_PER_MS; /* a shorter time tells nothing */

static Runtime__V1__UInt64Value *number(struct arena *a, uint64_t value)
{
    Runtime__V1__UInt64Value *n = arena_new(a, &runtime__v1__uint64_value__descriptor);

    n->value = value;
    return n;
}

/* Looks at the counter and tells the rate since the last look. */
static struct cpu_sample take_rate(struct node *n, struct cpu_sample *last, int64_t now,
                                   uint64_t used)
{
    struct cpu_sample taken;

    pthread_mutex_lock(&n->lock);
    if (!last->at_ns || used < last->used_ns) {
        *last = (struct cpu_sample){now, used, 0, false};
    } else if (now - last->at_ns >= rate_age_ns) {
        double cores = (double)(used - last->used_ns) / (double)(now - last->at_ns);

        *last = (struct cpu_sample){now, used, (uint64_t)(cores * (double)CLOCK_NS_PER_S), true};
    }
    taken = *last;
    pthread_mutex_unlock(&n->lock);
    return taken;
}

static Runtime__V1__PsiData *stall_of(const struct cgroup_stall *s, struct arena *a)
{
    Runtime__V1__PsiData *m = arena_new(a, &runtime__v1__psi_data__descriptor);

    m->total = s->total_ns;
    m->avg10 = s->avg10;
    m->avg60 = s->avg60;
    m->avg300 = s->avg300;
    return m;
}

static Runtime__V1__PsiStats *pressure_of(const struct cgroup_pressure *p, struct arena *a)
{
    Runtime__V1__PsiStats *m;

    if (!p->is_known)
        return NULL;
    m = arena_new(a, &runtime__v1__psi_stats__descriptor);
    m->some = stall_of(&p->some, a);
    m->full = stall_of(&p->full, a);
    return m;
}

static Runtime__V1__IoUsage *io_of(const struct cgroup_usage *u, struct arena *a)
{
    Runtime__V1__PsiStats *pressure = pressure_of(&u->io_pressure, a);
    Runtime__V1__IoUsage *io;

    if (!pressure)
        return NULL; /* it has nothing else to tell */
    io = arena_new(a, &runtime__v1__io_usage__descriptor);
    io->timestamp = clock_now_ns();
    io->psi = pressure;
    return io;
}

static Runtime__V1__SwapUsage *swap_of(const struct cgroup_usage *u, struct arena *a)
{
    Runtime__V1__SwapUsage *swap;

    if (!u->has_swap)
        return NULL;
    swap = arena_new(a, &runtime__v1__swap_usage__descriptor);
    swap->timestamp = clock_now_ns();
    swap->swap_usage_bytes = number(a, u->swap_bytes);
    if (u->has_swap_limit)
        swap->swap_available_bytes = number(
            a, u->swap_limit_bytes > u->swap_bytes ? u->swap_limit_bytes - u->swap_bytes : 0);
    return swap;
}

static Runtime__V1__CpuUsage *cpu_of(struct node *n, struct cpu_sample *last,
                                     const struct cgroup_usage *u, struct arena *a)
{
    Runtime__V1__CpuUsage *cpu = arena_new(a, &runtime__v1__cpu_usage__descriptor);
    struct cpu_sample now;

    cpu->timestamp = clock_now_ns();
    cpu->usage_core_nano_seconds = number(a, u->cpu_ns);
    cpu->psi = pressure_of(&u->cpu_pressure, a);
    now = take_rate(n, last, clock_monotonic_ns(), u->cpu_ns);
    if (now.has_rate)
        cpu->usage_nano_cores = number(a, now.nano_cores);
    return cpu;
}

static Runtime__V1__MemoryUsage *memory_of(const struct cgroup_usage *u, struct arena *a)
{
    Runtime__V1__MemoryUsage *m = arena_new(a, &runtime__v1__memory_usage__descriptor);
    uint64_t limit = u->memory_limit_bytes, working = u->working_set_bytes;

    m->timestamp = clock_now_ns();
    m->working_set_bytes = number(a, working);
    m->available_bytes = number(a, limit > working ? limit - working : 0);
    m->usage_bytes = number(a, u->memory_bytes);
    m->rss_bytes = number(a, u->rss_bytes);
    m->page_faults = number(a, u->page_faults);
    m->major_page_faults = number(a, u->major_page_faults);
    m->psi = pressure_of(&u->memory_pressure, a);
    return m;
}

/* Walking the folder costs, so what was found is good for a while. */
static void look_at_disk(struct container *c, struct disk_usage *out, int64_t *out_at_ns)
{
    struct node *n = c->sandbox->node;
    AUTO_FREE char *upper = xasprintf("%s/upper", c->dir);
    int64_t now = clock_now_ns();
    bool fresh;

    pthread_mutex_lock(&n->lock);
    fresh = c->disk_at_ns && now - c->disk_at_ns < disk_age_ns;
    *out = c->disk;
    *out_at_ns = c->disk_at_ns;
    pthread_mutex_unlock(&n->lock);
    if (fresh)
        return;
    *out = disk_usage_of(upper);
    *out_at_ns = now;
    pthread_mutex_lock(&n->lock);
    c->disk = *out;
    c->disk_at_ns = now;
    pthread_mutex_unlock(&n->lock);
}

void stats_add_writable_layers(struct node *n, struct disk_usage *sum, int64_t *oldest_ns)
{
    size_t count;
    AUTO_FREE struct container **list = container_list(n, NULL, &count);

    for (size_t i = 0; i < count; i++) {
        struct disk_usage one;
        int64_t at_ns;

        look_at_disk(list[i], &one, &at_ns);
        sum->bytes += one.bytes;
        sum->inodes += one.inodes;
        *oldest_ns = at_ns < *oldest_ns ? at_ns : *oldest_ns;
        container_free(list[i]);
    }
}

static Runtime__V1__FilesystemUsage *layer_of(struct container *c, struct arena *a)
{
    Runtime__V1__FilesystemUsage *f = arena_new(a, &runtime__v1__filesystem_usage__descriptor);
    struct disk_usage disk;

    look_at_disk(c, &disk, &f->timestamp);
    f->fs_id = arena_new(a, &runtime__v1__filesystem_identifier__descriptor);
    f->fs_id->mountpoint = c->sandbox->node->root;
    f->used_bytes = number(a, disk.bytes);
    f->inodes_used = number(a, disk.inodes);
    return f;
}

static void drop_container(void *object)
{
    container_free(object);
}

static void drop_sandbox(void *object)
{
    sandbox_free(object);
}

static Runtime__V1__ContainerAttributes *attributes_of(struct container *c, struct arena *a)
{
    Runtime__V1__ContainerAttributes *m =
        arena_new(a, &runtime__v1__container_attributes__descriptor);

    arena_defer(a, drop_container, container_ref(c));
    m->id = c->id;
    m->metadata = c->config->metadata;
    m->n_labels = c->config->n_labels;
    m->labels = (Runtime__V1__ContainerAttributes__LabelsEntry **)c->config->labels;
    m->n_annotations = c->config->n_annotations;
    m->annotations = (Runtime__V1__ContainerAttributes__AnnotationsEntry **)c->config->annotations;
    return m;
}

static bool read_usage(struct container *c, struct cgroup_usage *out)
{
    AUTO_FREE char *path = cgroup_path_of(c->cgroups_path);
    struct error ignored;

    return container_state(c) == CONTAINER_RUNNING && cgroup_read_usage(path, out, &ignored) == 0;
}

Runtime__V1__ContainerStats *stats_of_container(struct container *c, struct arena *a)
{
    Runtime__V1__ContainerStats *stats = arena_new(a, &runtime__v1__container_stats__descriptor);
    struct cgroup_usage u;

    stats->attributes = attributes_of(c, a);
    stats->writable_layer = layer_of(c, a);
    if (!read_usage(c, &u))
        return stats;
    if (u.has_cpu)
        stats->cpu = cpu_of(c->sandbox->node, &c->cpu, &u, a);
    if (u.has_memory)
        stats->memory = memory_of(&u, a);
    stats->swap = swap_of(&u, a);
    stats->io = io_of(&u, a);
    return stats;
}

bool stats_has_usage(const Runtime__V1__ContainerStats *stats)
{
    return stats->cpu || stats->memory;
}

/* --- pods --- */

static Runtime__V1__NetworkInterfaceUsage *interface_of(const struct net_usage_interface *i,
                                                        struct arena *a)
{
    Runtime__V1__NetworkInterfaceUsage *m =
        arena_new(a, &runtime__v1__network_interface_usage__descriptor);

    m->name = arena_strdup(a, i->name);
    m->rx_bytes = number(a, i->rx_bytes);
    m->rx_errors = number(a, i->rx_errors);
    m->tx_bytes = number(a, i->tx_bytes);
    m->tx_errors = number(a, i->tx_errors);
    return m;
}

/* eth0, or else the first, is the default one; the others are listed. */
static Runtime__V1__NetworkUsage *network_of(struct sandbox *s, struct arena *a)
{
    AUTO_FREE char *netns = xasprintf("%s/ns/net", s->dir);
    AUTO_FREE struct net_usage *usage = xcalloc(1, sizeof *usage);
    Runtime__V1__NetworkUsage *m;
    struct error ignored;
    size_t main = 0;

    if (sandbox_on_host_network(s) || net_usage_read(netns, usage, &ignored) < 0 || usage->n == 0)
        return NULL;
    m = arena_new(a, &runtime__v1__network_usage__descriptor);
    m->timestamp = clock_now_ns();
    m->interfaces = arena_alloc(a, usage->n * sizeof(*m->interfaces));
    for (size_t i = 0; i < usage->n; i++)
        if (strcmp(usage->interfaces[i].name, "eth0") == 0)
            main = i;
    for (size_t i = 0; i < usage->n; i++) {
        if (i == main)
            m->default_interface = interface_of(&usage->interfaces[i], a);
        else
            m->interfaces[m->n_interfaces++] = interface_of(&usage->interfaces[i], a);
    }
    return m;
}

static Runtime__V1__PodSandboxAttributes *pod_attributes(struct sandbox *s, struct arena *a)
{
    Runtime__V1__PodSandboxAttributes *m =
        arena_new(a, &runtime__v1__pod_sandbox_attributes__descriptor);

    arena_defer(a, drop_sandbox, sandbox_ref(s));
    m->id = s->id;
    m->metadata = s->config->metadata;
    m->n_labels = s->config->n_labels;
    m->labels = (Runtime__V1__PodSandboxAttributes__LabelsEntry **)s->config->labels;
    m->n_annotations = s->config->n_annotations;
    m->annotations = (Runtime__V1__PodSandboxAttributes__AnnotationsEntry **)s->config->annotations;
    return m;
}

static void add_containers(struct sandbox *s, struct arena *a, Runtime__V1__LinuxPodSandboxStats *m)
{
    size_t n;
    AUTO_FREE struct container **list = container_list(s->node, s, &n);
    uint64_t processes = 0;

    m->containers = arena_alloc(a, n * sizeof(*m->containers));
    for (size_t i = 0; i < n; i++) {
        struct cgroup_usage u;

        m->containers[m->n_containers++] = stats_of_container(list[i], a);
        if (read_usage(list[i], &u) && u.has_pids)
            processes += u.pids;
        container_free(list[i]);
    }
    m->process = arena_new(a, &runtime__v1__process_usage__descriptor);
    m->process->timestamp = clock_now_ns();
    m->process->process_count = number(a, processes);
}

/* Below the hierarchies. A slice is named by its last part, whatever folders are before it. */
static char *parent_path(const struct sandbox *s)
{
    const char *parent = s->config->linux ? s->config->linux->cgroup_parent : "";
    const char *slash = strrchr(parent, '/'), *last = slash ? slash + 1 : parent;
    size_t len = strlen(last);
    char *path, *end;

    if (len < 6 || strcmp(last + len - 6, ".slice") != 0)
        return *parent ? xasprintf("/%s", parent) : xstrdup("");
    AUTO_FREE char *as_scope = xasprintf("%s:x:x", last);
    path = cgroup_path_of(as_scope);
    end = strrchr(path, '/');
    *end = '\0';
    return path;
}

Runtime__V1__PodSandboxStats *stats_of_sandbox(struct sandbox *s, struct arena *a,
                                               struct error *err)
{
    AUTO_FREE char *parent = parent_path(s);
    Runtime__V1__PodSandboxStats *stats;
    struct cgroup_usage u = {0};
    struct error ignored;

    if (sandbox_state(s) != SANDBOX_READY) {
        error_set(err, ERROR_UNAVAILABLE, "pod %s is not ready", s->id);
        return NULL;
    }
    stats = arena_new(a, &runtime__v1__pod_sandbox_stats__descriptor);
    stats->attributes = pod_attributes(s, a);
    stats->linux = arena_new(a, &runtime__v1__linux_pod_sandbox_stats__descriptor);
    if (*parent && cgroup_read_usage(parent, &u, &ignored) == 0) {
        stats->linux->cpu = cpu_of(s->node, &s->cpu, &u, a);
        stats->linux->memory = memory_of(&u, a);
        stats->linux->io = io_of(&u, a);
    }
    stats->linux->network = network_of(s, a);
    add_containers(s, a, stats->linux);
    return stats;
}
