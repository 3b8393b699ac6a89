// SPDX-License-Identifier: Apache-2.0
#include "pod/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sandbox.pb-c.h>
#include <shim.pb-c.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <task.pb-c.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/message.h"
#include "oci/spec.h"
#include "os/cgroup.h"
#include "os/process.h"
#include "pod/container_mounts.h"
#include "rpc/ttrpc_client.h"

enum {
    ARENA_MAX = 8 * 1024 * 1024,
    KILL_MS = 10 * 1000,
    SHUTDOWN_MS = 3 * 1000,
    RESIZE_MS = 10 * 1000,
    BACKLOG = 128,
    SHM_BYTES = 64 * 1024 * 1024,
};

static const char task_service[] = "containerd.task.v3.Task";
static const char container_service[] = "berth.shim.v1.Container";
static const char sandbox_service[] = "containerd.runtime.sandbox.v1.Sandbox";

int shim_call(struct sandbox *s, const char *service, const char *method,
              const ProtobufCMessage *request, const struct deadline *by, struct error *err)
{
    AUTO_FREE char *socket = xasprintf("%s/shim.sock", s->dir);
    struct ttrpc_call c = {
        .socket = socket, .service = service, .method = method, .request = request};
    AUTO_FINI(arena) a;

    arena_init(&a, ARENA_MAX);
    return ttrpc_client_call(&c, &a, by, NULL, err);
}

/* --- starting the shim --- */

static int make_socket(const char *dir, struct error *err)
{
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    AUTO_CLOSE int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct sockaddr_un addr = {.sun_family = AF_UNIX};

    if (fd < 0 || dirfd < 0)
        return error_errno(err, errno, "make the shim's socket");
    /* Through the descriptor, because the path may be longer than an address. */
    snprintf(addr.sun_path, sizeof addr.sun_path, "/proc/self/fd/%d/shim.sock", dirfd);
    unlinkat(dirfd, "shim.sock", 0);
    if (bind(fd, (struct sockaddr *)&addr, sizeof addr) < 0 ||
        fchmodat(dirfd, "shim.sock", 0600, 0) < 0 || listen(fd, BACKLOG) < 0)
        return error_errno(err, errno, "bind the shim's socket");
    return fd_take(&fd);
}

uint64_t shim_start_time(pid_t pid)
{
    AUTO_FINI(buf) stat = BUF(4096);
    AUTO_FREE char *path = xasprintf("/proc/%d/stat", pid);
    struct error ignored;
    const char *at;

    if (file_load(AT_FDCWD, path, &stat, &ignored) < 0 || !(at = strrchr(stat.data, ')')))
        return 0;
    /* Field 22; the second, the command's name, ends with the last parenthesis. */
    for (int field = 2; field < 22 && at; field++)
        at = strchr(at + 1, ' ');
    return at ? strtoull(at + 1, NULL, 10) : 0;
}

/* The shim enters containers, where its file can be reached through /proc/<pid>/exe by who may look
 * into every process. NULL: its file is not kept from them, and it enters none. */
static char *read_only_program(const struct node *n)
{
    const char *slash = strrchr(n->shim, '/');

    return n->shim_folder < 0
               ? NULL
               : xasprintf("/proc/self/fd/%d/%s", n->shim_folder, slash ? slash + 1 : n->shim);
}

int shim_start(struct sandbox *s, struct error *err)
{
    const char *const argv[] = {s->node->shim, "-namespace", "k8s.io",        "-id",
                                s->id,         "-address",   s->node->socket, NULL};
    struct process_spec spec = PROCESS_SPEC(argv);
    AUTO_FREE char *program = read_only_program(s->node);
    AUTO_FREE char *log = xasprintf("%s/shim.log", s->dir);
    AUTO_CLOSE int log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    AUTO_CLOSE int listener = make_socket(s->dir, err);
    struct process p;

    if (listener < 0)
        return -1;
    if (log_fd < 0)
        return error_errno(err, errno, "open %s", log);
    spec.program = program;
    spec.cwd = s->dir;
    spec.stdio[2] = log_fd;
    spec.extra_fd = listener;
    spec.own_session = true;
    if (process_start(&spec, &p, err) < 0)
        return error_wrap(err, "start the shim");
    s->shim_pid = p.pid;
    s->shim_pidfd = p.pidfd;
    s->shim_start = shim_start_time(p.pid);
    return 0;
}

/* --- the sandbox service --- */

static void add_sysctl(struct arena *a, Berth__Shim__V1__PodOptions *o, const char *key,
                       const char *value)
{
    Berth__Shim__V1__PodOptions__SysctlsEntry *entry =
        arena_new(a, &berth__shim__v1__pod_options__sysctls_entry__descriptor);

    entry->key = (char *)key;
    entry->value = (char *)value;
    o->sysctls[o->n_sysctls++] = entry;
}

/* All that there are in the pod. */
static const char *ping_groups(struct arena *a, const struct sandbox *s)
{
    uint32_t count = s->ids.gids.count;

    return arena_printf(a, "0 %u", count > 0 && count <= INT32_MAX ? count - 1 : INT32_MAX);
}

/* In a network of its own a pod's ports are nobody else's, and to ping needs no capability. What
 * the client asks for is set after that. */
static void add_sysctls(struct arena *a, const struct sandbox *s, Berth__Shim__V1__PodOptions *o)
{
    enum { DEFAULTS_MAX = 2 };
    const Runtime__V1__LinuxPodSandboxConfig *linux = s->config->linux;
    size_t n = linux ? linux->n_sysctls : 0;

    o->sysctls = arena_alloc(a, (n + DEFAULTS_MAX) * sizeof *o->sysctls);
    if (!o->host_network && s->node->unprivileged_ports)
        add_sysctl(a, o, "net.ipv4.ip_unprivileged_port_start", "0");
    if (!o->host_network && s->node->unprivileged_icmp)
        add_sysctl(a, o, "net.ipv4.ping_group_range", ping_groups(a, s));
    for (size_t i = 0; i < n; i++)
        add_sysctl(a, o, linux->sysctls[i]->key, linux->sysctls[i]->value);
}

static Berth__Shim__V1__PodOptions *pod_options(struct arena *a, struct sandbox *s)
{
    Berth__Shim__V1__PodOptions *o = arena_new(a, &berth__shim__v1__pod_options__descriptor);

    o->hostname = s->config->hostname;
    o->host_network = sandbox_on_host_network(s);
    o->host_ipc = sandbox_on_host_ipc(s);
    o->shared_pid = sandbox_shares_pids(s);
    o->first_uid = s->ids.uids.first;
    o->uids = s->ids.uids.count;
    o->first_gid = s->ids.gids.first;
    o->gids = s->ids.gids.count;
    o->shm_bytes = o->host_ipc ? 0 : SHM_BYTES;
    o->exits_dir = arena_printf(a, "%s/exits", s->node->state);
    add_sysctls(a, s, o);
    return o;
}

static Google__Protobuf__Any *pack_any(struct arena *a, const char *type,
                                       const ProtobufCMessage *message)
{
    Google__Protobuf__Any *any = arena_new(a, &google__protobuf__any__descriptor);

    any->type_url = arena_strdup(a, type);
    any->value.data = arena_alloc(a, protobuf_c_message_get_packed_size(message));
    any->value.len = protobuf_c_message_pack(message, any->value.data);
    return any;
}

int shim_create_sandbox(struct sandbox *s, const struct deadline *by, struct error *err)
{
    Containerd__Runtime__Sandbox__V1__CreateSandboxRequest create =
        CONTAINERD__RUNTIME__SANDBOX__V1__CREATE_SANDBOX_REQUEST__INIT;
    Containerd__Runtime__Sandbox__V1__StartSandboxRequest start =
        CONTAINERD__RUNTIME__SANDBOX__V1__START_SANDBOX_REQUEST__INIT;
    AUTO_FINI(arena) a;

    arena_init(&a, ARENA_MAX);
    create.sandbox_id = start.sandbox_id = s->id;
    create.bundle_path = s->dir;
    create.options = pack_any(&a, "berth.shim.v1.PodOptions", &pod_options(&a, s)->base);
    if (shim_call(s, sandbox_service, "CreateSandbox", &create.base, by, err) < 0)
        return error_wrap(err, "create the pod's namespaces");
    return shim_call(s, sandbox_service, "StartSandbox", &start.base, by, err);
}

int shim_stop_sandbox(struct sandbox *s, const struct deadline *by, struct error *err)
{
    Containerd__Runtime__Sandbox__V1__StopSandboxRequest stop =
        CONTAINERD__RUNTIME__SANDBOX__V1__STOP_SANDBOX_REQUEST__INIT;

    stop.sandbox_id = s->id;
    if (shim_call(s, sandbox_service, "StopSandbox", &stop.base, by, err) == 0 ||
        err->code == ERROR_UNAVAILABLE || err->code == ERROR_NOT_FOUND)
        return 0;
    return error_wrap(err, "stop the pod's processes");
}

void shim_shutdown(struct sandbox *s)
{
    Containerd__Runtime__Sandbox__V1__ShutdownSandboxRequest request =
        CONTAINERD__RUNTIME__SANDBOX__V1__SHUTDOWN_SANDBOX_REQUEST__INIT;
    struct deadline by = deadline_in_ms(SHUTDOWN_MS);
    struct error ignored;

    if (s->shim_lost)
        return;
    request.sandbox_id = s->id;
    /* Without a pidfd there is none, or one that a killed berthd did not live to record. */
    if (shim_call(s, sandbox_service, "ShutdownSandbox", &request.base, &by, &ignored) == 0 &&
        (s->shim_pidfd < 0 || deadline_wait(&by, s->shim_pidfd, POLLIN, &ignored) == 0))
        return;
    if (s->shim_pidfd >= 0)
        syscall(SYS_pidfd_send_signal, s->shim_pidfd, SIGKILL, NULL, 0);
}

/* --- the task service --- */

/* Without one, the runtime makes its own for every run. */
static Berth__Shim__V1__SealedCopy *open_copy(struct arena *a, const struct container *c,
                                              struct ttrpc_call *call, int *out_fd)
{
    Berth__Shim__V1__SealedCopy *m = arena_new(a, &berth__shim__v1__sealed_copy__descriptor);
    struct sealed *copy = c->sandbox->runtime->copy;
    struct identity of;
    struct error err;

    if (!copy)
        return NULL;
    if (sealed_open(copy, out_fd, &of, &err) < 0) {
        log_debug("container %s: %s", c->id, err.text);
        return NULL;
    }
    m->fd = arena_printf(a, "fd://%zu", call->n_fds);
    m->device = of.device;
    m->inode = of.inode;
    m->changed_ns = of.changed_ns;
    call->fds = out_fd;
    call->n_fds = 1;
    return m;
}

/* systemd takes the scope of a process that has ended away at once, and with it what tells of an
 * OOM kill. The slice above tells of it as well, where it is the pod's own and is kept there by
 * whoever made it; elsewhere the shim has to know the scope before anything runs in it. */
static bool starts_in_one_step(const struct container *c)
{
    AUTO_FREE char *cgroup = cgroup_path_of(c->cgroups_path), *counter = NULL;

    if (!oci_cgroups_path_is_scope(c->cgroups_path))
        return true;
    *strrchr(cgroup, '/') = '\0';
    counter = xasprintf("/sys/fs/cgroup%s/memory.events", cgroup);
    return strcmp(cgroup, "/system.slice") != 0 && file_exists(counter);
}

static Google__Protobuf__Any *container_options(struct arena *a, struct container *c, bool start,
                                                Berth__Shim__V1__SealedCopy *copy)
{
    Berth__Shim__V1__ContainerOptions o = BERTH__SHIM__V1__CONTAINER_OPTIONS__INIT;
    const struct node_runtime *runtime = c->sandbox->runtime;
    AUTO_FREE char *cgroup = cgroup_path_of(c->cgroups_path);
    const struct idmap *ids = &c->sandbox->ids;

    o.runtime = runtime->path;
    o.runtime_root = runtime->root;
    o.systemd_cgroup = oci_cgroups_path_is_scope(c->cgroups_path);
    o.log_line_max = c->sandbox->node->log_line_max;
    o.shared_pid = !container_owns_pids(c);
    o.copy = copy;
    o.start = start;
    o.cgroup = cgroup;
    /* Its user was checked to be one of the pod's when it was created. */
    if (idmap_is_set(ids) && !(idmap_find(&ids->uids, c->user.uid, &o.io_uid) &&
                               idmap_find(&ids->gids, c->user.gid, &o.io_gid)))
        o.io_uid = o.io_gid = 0;
    return pack_any(a, "berth.shim.v1.ContainerOptions", &o.base);
}

/* The second of two steps. */
static int start_created(struct container *c, const struct deadline *by, struct error *err)
{
    Containerd__Task__V3__StartRequest request = CONTAINERD__TASK__V3__START_REQUEST__INIT;

    request.id = c->id;
    return shim_call(c->sandbox, task_service, "Start", &request.base, by, err);
}

int shim_run(struct container *c, const struct deadline *by, pid_t *out_pid, struct error *err)
{
    Containerd__Task__V3__CreateTaskRequest request =
        CONTAINERD__TASK__V3__CREATE_TASK_REQUEST__INIT;
    AUTO_FREE char *socket = xasprintf("%s/shim.sock", c->sandbox->dir);
    struct ttrpc_call call = {.socket = socket,
                              .service = task_service,
                              .method = "Create",
                              .request = &request.base,
                              .response = &containerd__task__v3__create_task_response__descriptor};
    bool in_one_step = starts_in_one_step(c);
    ProtobufCMessage *response;
    AUTO_CLOSE int copy = -1;
    AUTO_FINI(arena) a;

    arena_init(&a, ARENA_MAX);
    request.id = c->id;
    request.bundle = c->bundle;
    request.terminal = c->config->tty;
    request.stdout = request.stderr =
        *c->log_path ? arena_printf(&a, "cri-log://%s", c->log_path) : arena_strdup(&a, "hear");
    if (c->config->stdin)
        request.stdin = arena_strdup(&a, "hold");
    request.options = container_options(&a, c, in_one_step, open_copy(&a, c, &call, &copy));
    container_mounts_add(&a, c, &request);
    if (ttrpc_client_call(&call, &a, by, &response, err) < 0)
        return -1;
    *out_pid = (pid_t)((Containerd__Task__V3__CreateTaskResponse *)response)->pid;
    return in_one_step ? 0 : start_created(c, by, err);
}

int shim_state(struct container *c, const struct deadline *by, bool *out_runs, pid_t *out_pid,
               struct error *err)
{
    Containerd__Task__V3__StateRequest request = CONTAINERD__TASK__V3__STATE_REQUEST__INIT;
    AUTO_FREE char *socket = xasprintf("%s/shim.sock", c->sandbox->dir);
    struct ttrpc_call call = {.socket = socket,
                              .service = task_service,
                              .method = "State",
                              .request = &request.base,
                              .response = &containerd__task__v3__state_response__descriptor};
    const Containerd__Task__V3__StateResponse *state;
    ProtobufCMessage *response;
    AUTO_FINI(arena) a;

    arena_init(&a, ARENA_MAX);
    request.id = c->id;
    if (ttrpc_client_call(&call, &a, by, &response, err) < 0)
        return -1;
    state = (Containerd__Task__V3__StateResponse *)response;
    *out_runs = state->status == CONTAINERD__V1__TYPES__STATUS__RUNNING ||
                state->status == CONTAINERD__V1__TYPES__STATUS__PAUSED;
    *out_pid = (pid_t)state->pid;
    return 0;
}

int shim_kill(struct container *c, int signal, bool all, struct error *err)
{
    Containerd__Task__V3__KillRequest request = CONTAINERD__TASK__V3__KILL_REQUEST__INIT;
    struct deadline by = deadline_in_ms(KILL_MS);

    request.id = c->id;
    request.signal = (uint32_t)signal;
    request.all = all;
    return shim_call(c->sandbox, task_service, "Kill", &request.base, &by, err);
}

int shim_delete(struct container *c, const struct deadline *by, struct error *err)
{
    Containerd__Task__V3__DeleteRequest request = CONTAINERD__TASK__V3__DELETE_REQUEST__INIT;

    request.id = c->id;
    return shim_call(c->sandbox, task_service, "Delete", &request.base, by, err);
}

int shim_reopen_log(struct container *c, const struct deadline *by, struct error *err)
{
    Berth__Shim__V1__ReopenLogRequest request = BERTH__SHIM__V1__REOPEN_LOG_REQUEST__INIT;

    request.id = c->id;
    return shim_call(c->sandbox, container_service, "ReopenLog", &request.base, by, err);
}

Google__Protobuf__Any *shim_json_any(struct arena *a, const char *type, struct json_object *json)
{
    Google__Protobuf__Any *any = arena_new(a, &google__protobuf__any__descriptor);
    const char *text = json_text(json);

    any->type_url = arena_printf(a, "types.containerd.io/opencontainers/runtime-spec/1/%s", type);
    any->value.data = (uint8_t *)arena_strdup(a, text);
    any->value.len = strlen(text);
    return any;
}

int shim_update(struct container *c, struct json_object *resources, const struct deadline *by,
                struct error *err)
{
    Containerd__Task__V3__UpdateTaskRequest request =
        CONTAINERD__TASK__V3__UPDATE_TASK_REQUEST__INIT;
    AUTO_FINI(arena) a;

    arena_init(&a, ARENA_MAX);
    request.id = c->id;
    request.resources = shim_json_any(&a, "LinuxResources", resources);
    return shim_call(c->sandbox, task_service, "Update", &request.base, by, err);
}

int shim_wait(struct container *c, const char *exec_id, const struct deadline *by, int *out_status,
              struct error *err)
{
    Containerd__Task__V3__WaitRequest request = CONTAINERD__TASK__V3__WAIT_REQUEST__INIT;
    AUTO_FREE char *socket = xasprintf("%s/shim.sock", c->sandbox->dir);
    struct ttrpc_call call = {.socket = socket,
                              .service = task_service,
                              .method = "Wait",
                              .request = &request.base,
                              .response = &containerd__task__v3__wait_response__descriptor};
    ProtobufCMessage *response;
    AUTO_FINI(arena) a;

    arena_init(&a, ARENA_MAX);
    request.id = c->id;
    request.exec_id = (char *)exec_id;
    if (ttrpc_client_call(&call, &a, by, &response, err) < 0)
        return -1;
    *out_status = (int)((Containerd__Task__V3__WaitResponse *)response)->exit_status;
    return 0;
}

/* --- streams --- */

int shim_attach(struct container *c, const int fds[3], bool stdin_once, const struct deadline *by,
                struct error *err)
{
    Berth__Shim__V1__AttachRequest request = BERTH__SHIM__V1__ATTACH_REQUEST__INIT;
    AUTO_FREE char *socket = xasprintf("%s/shim.sock", c->sandbox->dir);
    struct ttrpc_call call = {.socket = socket,
                              .service = container_service,
                              .method = "Attach",
                              .request = &request.base};
    char **names[3] = {&request.stdin, &request.stdout, &request.stderr};
    int passed[3];
    AUTO_FINI(arena) a;

    arena_init(&a, ARENA_MAX);
    request.id = c->id;
    request.stdin_once = stdin_once;
    for (int i = 0; i < 3; i++) {
        if (fds[i] < 0)
            continue;
        *names[i] = arena_printf(&a, "fd://%zu", call.n_fds);
        passed[call.n_fds++] = fds[i];
    }
    call.fds = passed;
    return ttrpc_client_call(&call, &a, by, NULL, err);
}

int shim_resize(struct container *c, const char *exec_id, uint16_t width, uint16_t height,
                struct error *err)
{
    Containerd__Task__V3__ResizePtyRequest request = CONTAINERD__TASK__V3__RESIZE_PTY_REQUEST__INIT;
    struct deadline by = deadline_in_ms(RESIZE_MS);

    request.id = c->id;
    request.exec_id = (char *)exec_id;
    request.width = width;
    request.height = height;
    return shim_call(c->sandbox, task_service, "ResizePty", &request.base, &by, err);
}
