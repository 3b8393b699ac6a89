// SPDX-License-Identifier: Apache-2.0
#include "fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"
#include "program.h"
#include "sandbox.pb-c.h"
#include "shim.pb-c.h"
#include "task.pb-c.h"

enum { ARENA_MAX = 64 * 1024 * 1024, CALL_MS = 60000, TEXT_MAX = 32 * 1024 * 1024 };

static const char *const hierarchies[] = {"",        "/cpu",     "/cpuacct", "/cpuset",
                                          "/memory", "/devices", "/freezer", "/blkio",
                                          "/pids",   "/systemd", "/hugetlb", "/unified"};

char *fixture_path(struct fixture *f, const char *name)
{
    return arena_printf(&f->arena, "%s/%s", f->dir, name);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    struct error err;

    assert_int_equal(file_store(AT_FDCWD, path, text, strlen(text), mode, &err), 0);
}

static void make_folder(const char *path)
{
    struct error err;

    assert_int_equal(file_make_dirs(path, 0755, &err), 0);
}

/* ---- the shim ---- */

static void make_layer(struct fixture *f)
{
    static const char *const applets[] = {"sh", "sleep", "cat",  "yes",      "head", "echo", "true",
                                          "dd", "tail",  "stty", "hostname", "kill", "ls"};
    char command[512];

    make_folder(fixture_path(f, "layer/bin"));
    make_folder(fixture_path(f, "layer/proc"));
    make_folder(fixture_path(f, "layer/dev"));
    make_folder(fixture_path(f, "layer/tmp"));
    make_folder(fixture_path(f, "exits"));
    make_folder(fixture_path(f, "runtime"));
    snprintf(command, sizeof command, "%s/layer/bin/busybox", f->dir);
    assert_int_equal(link("/bin/busybox", command) == 0 || errno == EXDEV, 1);
    if (access(command, X_OK) < 0) {
        struct error err;
        AUTO_FINI(buf) bytes = BUF(TEXT_MAX);

        assert_int_equal(file_load(AT_FDCWD, "/bin/busybox", &bytes, &err), 0);
        assert_int_equal(file_store(AT_FDCWD, command, bytes.data, bytes.len, 0755, &err), 0);
    }
    for (size_t i = 0; i < COUNT_OF(applets); i++)
        assert_int_equal(
            symlink("busybox", arena_printf(&f->arena, "%s/layer/bin/%s", f->dir, applets[i])), 0);
}

static int listen_on(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0 && strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 64), 0);
    return fd;
}

static _Noreturn void become_shim(struct fixture *f, int listener)
{
    int null = open("/dev/null", O_RDWR),
        log = open(fixture_path(f, "shim.log"), O_WRONLY | O_CREAT | O_APPEND, 0600);

    if (setsid() < 0 || chdir(fixture_path(f, "pod")) < 0 || dup2(null, 0) < 0 ||
        dup2(null, 1) < 0 || dup2(log, 2) < 0 || dup2(fcntl(listener, F_DUPFD, 10), 3) < 0)
        _exit(99);
    program_become();
}

void fixture_start(struct fixture *f, const char *runtime)
{
    int listener;

    *f = (struct fixture){.runtime = runtime};
    arena_init(&f->arena, ARENA_MAX);
    snprintf(f->dir, sizeof f->dir, "/tmp/berth-shim-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    assert_int_equal(mount(f->dir, f->dir, NULL, MS_BIND, NULL), 0);
    assert_int_equal(mount(NULL, f->dir, NULL, MS_PRIVATE, NULL), 0);
    snprintf(f->cgroup, sizeof f->cgroup, "/berth-test-%d", getpid());
    make_folder(fixture_path(f, "pod"));
    make_layer(f);
    snprintf(f->socket, sizeof f->socket, "%s/pod/shim.sock", f->dir);
    listener = listen_on(f->socket);
    f->shim = fork();
    if (f->shim == 0)
        become_shim(f, listener);
    close(listener);
}

static void remove_cgroups(struct fixture *f)
{
    for (size_t i = 0; i < COUNT_OF(hierarchies); i++)
        rmdir(arena_printf(&f->arena, "/sys/fs/cgroup%s%s", hierarchies[i], f->cgroup));
}

static void unpin(struct fixture *f)
{
    static const char *const names[] = {"net", "ipc", "uts", "pid"};

    for (size_t i = 0; i < COUNT_OF(names); i++)
        umount2(arena_printf(&f->arena, "%s/pod/ns/%s", f->dir, names[i]), MNT_DETACH);
}

void fixture_stop(struct fixture *f)
{
    Containerd__Runtime__Sandbox__V1__ShutdownSandboxRequest request =
        CONTAINERD__RUNTIME__SANDBOX__V1__SHUTDOWN_SANDBOX_REQUEST__INIT;
    char *mounts;
    struct error err;
    int status;

    if (fixture_call(f, "containerd.runtime.sandbox.v1.Sandbox.ShutdownSandbox", &request.base,
                     NULL, NULL, &err) < 0)
        fail_msg("shut down: %s", err.text);
    assert_int_equal(waitpid(f->shim, &status, 0), f->shim);
    assert_int_equal(status, 0);
    unpin(f);
    remove_cgroups(f);
    assert_int_equal(umount2(f->dir, MNT_DETACH), 0);
    mounts = fixture_text(f, "/proc/self/mounts");
    assert_null(strstr(mounts, f->dir));
    if (file_remove_tree(AT_FDCWD, f->dir, &err) < 0)
        fail_msg("%s", err.text);
    arena_fini(&f->arena);
}

bool fixture_can_use(const char *runtime)
{
    if (access(runtime, X_OK) < 0 || geteuid() != 0 || access("/bin/busybox", X_OK) < 0)
        return false;
    /* crun wants every controller of a hybrid hierarchy to be mounted. */
    return !strstr(runtime, "crun") || access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0 ||
           access("/sys/fs/cgroup/hugetlb/tasks", F_OK) == 0;
}

/* ---- calls ---- */

int fixture_call(struct fixture *f, const char *method, const ProtobufCMessage *request,
                 const ProtobufCMessageDescriptor *response, ProtobufCMessage **out,
                 struct error *err)
{
    const char *dot = strrchr(method, '.');
    struct deadline by = deadline_in_ms(CALL_MS);
    struct ttrpc_call call = {.socket = f->socket,
                              .service = "containerd.task.v3.Task",
                              .method = method,
                              .request = request,
                              .response = response};
    ProtobufCMessage *unused;

    if (dot) {
        char *service = arena_strdup(&f->arena, method);

        service[dot - method] = '\0';
        call.service = service;
        call.method = dot + 1;
    }
    return ttrpc_client_call(&call, &f->arena, &by, out ? out : &unused, err);
}

int fixture_create_pod(struct fixture *f, const struct fixture_pod *pod, struct error *err)
{
    Containerd__Runtime__Sandbox__V1__CreateSandboxRequest request =
        CONTAINERD__RUNTIME__SANDBOX__V1__CREATE_SANDBOX_REQUEST__INIT;
    Berth__Shim__V1__PodOptions options = BERTH__SHIM__V1__POD_OPTIONS__INIT;
    Berth__Shim__V1__PodOptions__SysctlsEntry entry =
        BERTH__SHIM__V1__POD_OPTIONS__SYSCTLS_ENTRY__INIT;
    Berth__Shim__V1__PodOptions__SysctlsEntry *entries[] = {&entry};
    Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;

    options.hostname = (char *)(pod->hostname ? pod->hostname : "");
    options.host_network = pod->host_network;
    options.host_ipc = pod->host_ipc;
    options.shared_pid = pod->shared_pid;
    options.shm_bytes = 1024 * 1024;
    options.exits_dir = fixture_path(f, "exits");
    if (pod->sysctl) {
        entry.key = arena_strdup(&f->arena, pod->sysctl);
        entry.value = strchr(entry.key, '=') + 1;
        entry.value[-1] = '\0';
        options.sysctls = entries;
        options.n_sysctls = 1;
    }
    any.type_url = (char *)"berth.shim.v1.PodOptions";
    any.value.len = berth__shim__v1__pod_options__get_packed_size(&options);
    any.value.data = arena_alloc(&f->arena, any.value.len);
    berth__shim__v1__pod_options__pack(&options, any.value.data);
    request.sandbox_id = (char *)"pod";
    request.options = &any;
    return fixture_call(f, "containerd.runtime.sandbox.v1.Sandbox.CreateSandbox", &request.base,
                        NULL, NULL, err);
}

/* ---- containers ---- */

static void add_args(struct buf *out, const char *const *args)
{
    struct error err;

    for (size_t i = 0; args[i]; i++) {
        assert_int_equal(buf_printf(out, &err, "%s\"", i ? "," : ""), 0);
        for (const char *at = args[i]; *at; at++)
            assert_int_equal(buf_printf(out, &err, *at == '"' || *at == '\\' ? "\\%c" : "%c", *at),
                             0);
        assert_int_equal(buf_append(out, "\"", 1, &err), 0);
    }
}

static void add_process(struct buf *out, const char *const *args, bool has_terminal)
{
    struct error err;

    assert_int_equal(buf_printf(out, &err,
                                "{\"terminal\":%s,\"user\":{\"uid\":0,\"gid\":0},\"cwd\":\"/\","
                                "\"env\":[\"PATH=/bin\"],\"noNewPrivileges\":true,\"args\":[",
                                has_terminal ? "true" : "false"),
                     0);
    add_args(out, args);
    assert_int_equal(buf_append(out, "]}", 2, &err), 0);
}

static void add_namespaces(struct fixture *f, struct buf *out, bool joins_pid)
{
    static const char *const types[][2] = {{"network", "net"}, {"ipc", "ipc"}, {"uts", "uts"}};
    struct error err;

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        const char *path = arena_printf(&f->arena, "%s/pod/ns/%s", f->dir, types[i][1]);

        if (access(path, F_OK) == 0)
            assert_int_equal(
                buf_printf(out, &err, ",{\"type\":\"%s\",\"path\":\"%s\"}", types[i][0], path), 0);
    }
    if (joins_pid)
        assert_int_equal(
            buf_printf(out, &err, ",{\"type\":\"pid\",\"path\":\"%s/pod/ns/pid\"}", f->dir), 0);
    else
        assert_int_equal(buf_printf(out, &err, ",{\"type\":\"pid\"}"), 0);
}

static void write_config(struct fixture *f, const char *id, const char *bundle,
                         const struct fixture_container *c)
{
    AUTO_FINI(buf) text = BUF(TEXT_MAX);
    struct error err;

    assert_int_equal(buf_printf(&text, &err, "{\"ociVersion\":\"1.0.2\",\"process\":"), 0);
    add_process(&text, c->args, c->has_terminal);
    assert_int_equal(
        buf_printf(&text, &err,
                   ",\"root\":{\"path\":\"rootfs\"},\"mounts\":["
                   "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
                   "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\","
                   "\"options\":[\"nosuid\",\"mode=755\",\"size=65536k\"]},"
                   "{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\","
                   "\"options\":[\"newinstance\",\"ptmxmode=0666\",\"mode=0620\"]}],"
                   "\"linux\":{\"cgroupsPath\":\"%s/%s\",\"resources\":{",
                   f->cgroup, id),
        0);
    if (c->memory)
        assert_int_equal(
            buf_printf(&text, &err, "\"memory\":{\"limit\":%lld}", (long long)c->memory), 0);
    assert_int_equal(buf_printf(&text, &err, "},\"namespaces\":[{\"type\":\"mount\"}"), 0);
    add_namespaces(f, &text, c->joins_pid);
    assert_int_equal(buf_printf(&text, &err, "]}}"), 0);
    write_file(arena_printf(&f->arena, "%s/config.json", bundle), text.data, 0600);
}

int fixture_create(struct fixture *f, const char *id, const struct fixture_container *c,
                   struct error *err)
{
    Containerd__Task__V3__CreateTaskRequest request =
        CONTAINERD__TASK__V3__CREATE_TASK_REQUEST__INIT;
    Containerd__Types__Mount root = CONTAINERD__TYPES__MOUNT__INIT, *roots[] = {&root};
    Berth__Shim__V1__ContainerOptions options = BERTH__SHIM__V1__CONTAINER_OPTIONS__INIT;
    Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
    char *bundle = arena_printf(&f->arena, "%s/pod/c/%s", f->dir, id), *mount_options[3];

    make_folder(bundle);
    make_folder(arena_printf(&f->arena, "%s/rw/%s/upper", f->dir, id));
    make_folder(arena_printf(&f->arena, "%s/rw/%s/work", f->dir, id));
    write_config(f, id, bundle, c);
    mount_options[0] = arena_printf(&f->arena, "lowerdir=%s/layer", f->dir);
    mount_options[1] = arena_printf(&f->arena, "upperdir=%s/rw/%s/upper", f->dir, id);
    mount_options[2] = arena_printf(&f->arena, "workdir=%s/rw/%s/work", f->dir, id);
    root.type = root.source = (char *)"overlay";
    root.options = mount_options;
    root.n_options = 3;
    options.runtime = (char *)f->runtime;
    options.runtime_root = fixture_path(f, "runtime");
    options.log_line_max = c->line_max;
    options.shared_pid = c->joins_pid;
    any.type_url = (char *)"berth.shim.v1.ContainerOptions";
    any.value.len = berth__shim__v1__container_options__get_packed_size(&options);
    any.value.data = arena_alloc(&f->arena, any.value.len);
    berth__shim__v1__container_options__pack(&options, any.value.data);
    request.id = (char *)id;
    request.bundle = bundle;
    request.rootfs = roots;
    request.n_rootfs = 1;
    request.terminal = c->has_terminal;
    request.stdin = (char *)(c->in ? c->in : "");
    if (!c->has_no_log) {
        request.stdout = arena_printf(&f->arena, "cri-log://%s/logs/%s/0.log", f->dir, id);
        request.stderr = c->has_terminal ? (char *)"" : request.stdout;
    }
    request.options = &any;
    return fixture_call(f, "Create", &request.base, NULL, NULL, err);
}

int fixture_begin(struct fixture *f, const char *id, struct error *err)
{
    return fixture_begin_exec(f, id, "", err);
}

void fixture_run(struct fixture *f, const char *id, const struct fixture_container *c)
{
    struct error err;

    if (fixture_create(f, id, c, &err) < 0)
        fail_msg("create: %s", err.text);
    if (fixture_begin(f, id, &err) < 0)
        fail_msg("start: %s", err.text);
}

int fixture_wait(struct fixture *f, const char *id, const char *exec_id)
{
    Containerd__Task__V3__WaitRequest request = CONTAINERD__TASK__V3__WAIT_REQUEST__INIT;
    ProtobufCMessage *response;
    struct error err;

    request.id = (char *)id;
    request.exec_id = (char *)exec_id;
    if (fixture_call(f, "Wait", &request.base, &containerd__task__v3__wait_response__descriptor,
                     &response, &err) < 0)
        fail_msg("wait: %s", err.text);
    return (int)((Containerd__Task__V3__WaitResponse *)response)->exit_status;
}

int fixture_kill(struct fixture *f, const char *id, const char *exec_id, int signal,
                 struct error *err)
{
    Containerd__Task__V3__KillRequest request = CONTAINERD__TASK__V3__KILL_REQUEST__INIT;

    request.id = (char *)id;
    request.exec_id = (char *)exec_id;
    request.signal = (uint32_t)signal;
    return fixture_call(f, "Kill", &request.base, NULL, NULL, err);
}

int fixture_delete(struct fixture *f, const char *id, const char *exec_id, struct error *err)
{
    Containerd__Task__V3__DeleteRequest request = CONTAINERD__TASK__V3__DELETE_REQUEST__INIT;

    request.id = (char *)id;
    request.exec_id = (char *)exec_id;
    return fixture_call(f, "Delete", &request.base, NULL, NULL, err);
}

static Containerd__Task__V3__StateResponse *ask_state(struct fixture *f, const char *id)
{
    Containerd__Task__V3__StateRequest request = CONTAINERD__TASK__V3__STATE_REQUEST__INIT;
    ProtobufCMessage *response;
    struct error err;

    request.id = (char *)id;
    if (fixture_call(f, "State", &request.base, &containerd__task__v3__state_response__descriptor,
                     &response, &err) < 0)
        fail_msg("state: %s", err.text);
    return (Containerd__Task__V3__StateResponse *)response;
}

int fixture_status(struct fixture *f, const char *id)
{
    return (int)ask_state(f, id)->status;
}

pid_t fixture_pid(struct fixture *f, const char *id)
{
    return (pid_t)ask_state(f, id)->pid;
}

/* ---- execs ---- */

int fixture_exec(struct fixture *f, const char *id, const char *exec_id, const char *const *args,
                 const int fds[3], bool has_terminal, struct error *err)
{
    Containerd__Task__V3__ExecProcessRequest request =
        CONTAINERD__TASK__V3__EXEC_PROCESS_REQUEST__INIT;
    Google__Protobuf__Any spec = GOOGLE__PROTOBUF__ANY__INIT;
    AUTO_FINI(buf) process = BUF(TEXT_MAX);
    char **names[] = {&request.stdin, &request.stdout, &request.stderr};
    struct deadline by = deadline_in_ms(CALL_MS);
    struct ttrpc_call call = {.socket = f->socket,
                              .service = "containerd.task.v3.Task",
                              .method = "Exec",
                              .request = &request.base};
    int passed[3];

    add_process(&process, args, has_terminal);
    spec.type_url = (char *)"types.containerd.io/opencontainers/runtime-spec/1/Process";
    spec.value.data = (uint8_t *)process.data;
    spec.value.len = process.len;
    request.id = (char *)id;
    request.exec_id = (char *)exec_id;
    request.terminal = has_terminal;
    request.spec = &spec;
    for (int i = 0; i < 3; i++) {
        if (fds[i] < 0)
            continue;
        *names[i] = arena_printf(&f->arena, "fd://%zu", call.n_fds);
        passed[call.n_fds++] = fds[i];
    }
    call.fds = passed;
    return ttrpc_client_call(&call, &f->arena, &by, NULL, err);
}

int fixture_begin_exec(struct fixture *f, const char *id, const char *exec_id, struct error *err)
{
    Containerd__Task__V3__StartRequest request = CONTAINERD__TASK__V3__START_REQUEST__INIT;

    request.id = (char *)id;
    request.exec_id = (char *)exec_id;
    return fixture_call(f, "Start", &request.base, NULL, NULL, err);
}

/* ---- looking ---- */

int fixture_load_record(struct fixture *f, const char *id, struct exit_record *out,
                        struct error *err)
{
    AUTO_CLOSE int folder = open(fixture_path(f, "exits"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return exit_record_load(folder, id, out, err);
}

char *fixture_text(struct fixture *f, const char *path)
{
    AUTO_FINI(buf) text = BUF(TEXT_MAX);
    struct error err;

    if (file_load(AT_FDCWD, path, &text, &err) < 0 || !text.data)
        return arena_strdup(&f->arena, "");
    return arena_strdup(&f->arena, text.data);
}

char *fixture_log(struct fixture *f, const char *id)
{
    return fixture_records(f, arena_printf(&f->arena, "%s/logs/%s/0.log", f->dir, id));
}

char *fixture_records(struct fixture *f, const char *path)
{
    char *text = fixture_text(f, path), *to = text;

    for (char *at = text; *at;) {
        char *end = strchrnul(at, '\n'), *space = memchr(at, ' ', (size_t)(end - at));

        at = space ? space + 1 : at;
        while (at <= end && *at)
            *to++ = *at++;
    }
    *to = '\0';
    return text;
}

static unsigned count_entries(const char *path)
{
    DIR *dir = opendir(path);
    unsigned n = 0;

    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

unsigned fixture_count_fds(const struct fixture *f)
{
    char path[64];

    usleep(100000); /* until it has seen that clients have closed their connections */
    snprintf(path, sizeof path, "/proc/%d/fd", f->shim);
    return count_entries(path);
}

unsigned fixture_count_zombies(const struct fixture *f)
{
    DIR *dir = opendir("/proc");
    unsigned n = 0;

    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[300], text[512] = "", state = 0;
        int parent = 0;

        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || read(fd, text, sizeof text - 1) <= 0 || !strrchr(text, ')'))
            continue;
        if (sscanf(strrchr(text, ')') + 1, " %c %d", &state, &parent) == 2 && state == 'Z' &&
            parent == f->shim)
            n++;
    }
    closedir(dir);
    return n;
}

unsigned fixture_pss_kib(const struct fixture *f, unsigned *out_anonymous)
{
    char path[64], text[2048] = "";
    unsigned pss = 0;

    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", f->shim);
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0 && read(fd, text, sizeof text - 1) > 0);
    sscanf(strstr(text, "Pss:"), "Pss: %u", &pss);
    sscanf(strstr(text, "Pss_Anon:"), "Pss_Anon: %u", out_anonymous);
    return pss;
}

/* ---- test programs ---- */

static const char *runtime_of_tests;

int fixture_set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);

    fixture_start(f, runtime_of_tests);
    *state = f;
    return 0;
}

int fixture_set_up_pod(void **state)
{
    struct error err;

    fixture_set_up(state);
    if (fixture_create_pod(*state, &(struct fixture_pod){.hostname = "box"}, &err) < 0)
        fail_msg("%s", err.text);
    return 0;
}

int fixture_tear_down(void **state)
{
    fixture_stop(*state);
    free(*state);
    return 0;
}

int fixture_main(int argc, char **argv, const struct CMUnitTest *tests, size_t n_tests)
{
    const char *name = strrchr(argv[0], '/');

    runtime_of_tests = argc > 1 ? argv[1] : "/usr/sbin/runc";
    if (argc > 2)
        cmocka_set_test_filter(argv[2]);
    if (!fixture_can_use(runtime_of_tests)) {
        puts("1..0 # skip: it takes root, busybox-static and this OCI runtime's cgroups");
        return 0;
    }
    return _cmocka_run_group_tests(name ? name + 1 : argv[0], tests, n_tests, NULL, NULL);
}
