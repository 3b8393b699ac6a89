// SPDX-License-Identifier: Apache-2.0
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "oci/spec_fixture.h"
#include "os/process.h"

/* What the OCI runtimes of the machine make of our specifications. Everything happens in a mount
 * namespace of the test's own. */

static const char BUSYBOX[] = "/bin/busybox";

static char *path_in(const char *name)
{
    return xasprintf("%s/%s", t.dir, name);
}

static void make_rootfs(void)
{
    static const char *const folders[] = {"bundle/rootfs/bin",
                                          "bundle/rootfs/proc",
                                          "bundle/rootfs/dev",
                                          "bundle/rootfs/sys",
                                          "bundle/rootfs/etc",
                                          "bundle/state",
                                          "ns"};
    AUTO_FREE char *program = path_in("bundle/rootfs/bin/busybox");
    AUTO_FINI(buf) text = BUF(16 * 1024 * 1024);

    for (size_t i = 0; i < COUNT_OF(folders); i++) {
        AUTO_FREE char *path = path_in(folders[i]);

        assert_int_equal(file_make_dirs(path, 0755, &t.err), 0);
    }
    assert_int_equal(file_load(AT_FDCWD, BUSYBOX, &text, &t.err), 0);
    assert_int_equal(file_store(AT_FDCWD, program, text.data, text.len, 0755, &t.err), 0);
}

/* The pod's namespaces, pinned as the shim does it. Returns 0 in the child when all went well. */
static int pin_namespaces(void)
{
    static const char *const names[] = {"net", "ipc", "uts"};

    if (unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0 || sethostname("podhost", 7) < 0)
        return 1;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        AUTO_FREE char *from = xasprintf("/proc/self/ns/%s", names[i]);
        AUTO_FREE char *to = xasprintf("%s/ns/%s", t.dir, names[i]);

        if (mount(from, to, NULL, MS_BIND, NULL) < 0)
            return 1;
    }
    return 0;
}

static void make_namespaces(void)
{
    int status = -1;
    pid_t pid;

    put("ns/net");
    put("ns/ipc");
    put("ns/uts");
    pid = fork();
    if (pid == 0)
        _exit(pin_namespaces());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* Runs the container with that runtime; the caller frees what it wrote. */
static char *run(const char *runtime)
{
    AUTO_FREE char *bundle = path_in("bundle");
    AUTO_FREE char *state = path_in("bundle/state");
    AUTO_FREE char *config = path_in("bundle/config.json");
    const char *const argv[] = {runtime, "--root",         state, "run", "--bundle",
                                bundle,  "berth-oci-test", NULL};
    struct process_spec spec = PROCESS_SPEC(argv);
    AUTO_FINI(buf) out = BUF(1024 * 1024), complaint = BUF(1024 * 1024);
    struct process_io io = {.out = &out, .err_out = &complaint};
    struct deadline by = deadline_in_ms(30 * 1000);
    const char *text;
    int status;

    build();
    text = json_text(t.out);
    assert_int_equal(file_store(AT_FDCWD, config, text, strlen(text), 0600, &t.err), 0);
    if (process_run(&spec, &io, &by, &status, &t.err) < 0)
        fail_msg("%s", t.err.text);
    if (status != 0)
        fail_msg("%s: status %d: %s", runtime, status, complaint.len ? complaint.data : "");
    return buf_take(&out);
}

static void expect_words(const char *runtime, const char *out, const char *words)
{
    if (!strstr(out, words))
        fail_msg("%s: \"%s\" is not in:\n%s", runtime, words, out);
}

/* crun does not start where both cgroup versions carry controllers (see scripts/cgroups.sh). */
static bool can_run(const char *runtime)
{
    AUTO_FINI(buf) text = BUF(4096);
    struct error ignored;

    if (!file_exists(runtime))
        return false;
    if (!strstr(runtime, "crun") || t.host.cgroup_mode != OCI_CGROUP_HYBRID)
        return true;
    return file_load(AT_FDCWD, "/sys/fs/cgroup/unified/cgroup.controllers", &text, &ignored) == 0 &&
           strspn(text.data ? text.data : "", " \n") == text.len;
}

static void for_each_runtime(void (*check)(const char *runtime))
{
    static const char *const runtimes[] = {"/usr/bin/runc", "/usr/bin/crun"};
    int n = 0;

    if (geteuid() != 0 || !file_exists(BUSYBOX) || unshare(CLONE_NEWNS) < 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
        skip();
    oci_host_fini(&t.host);
    assert_int_equal(oci_host_detect(&t.host, &t.err), 0);
    make_rootfs();
    make_namespaces();
    t.in.cgroups_path = "/berth-oci-test";
    for (size_t i = 0; i < COUNT_OF(runtimes); i++)
        if (can_run(runtimes[i])) {
            check(runtimes[i]);
            n++;
        }
    for (const char *const *name = (const char *const[]){"net", "ipc", "uts", NULL}; *name;
         name++) {
        AUTO_FREE char *path = xasprintf("%s/ns/%s", t.dir, *name);

        umount2(path, MNT_DETACH);
    }
    if (n == 0)
        skip();
}

static char *script(const char *text)
{
    static char *command[3] = {(char *)"/bin/busybox", (char *)"sh", (char *)"-c"};
    static char *script_args[1];

    t.config.command = command;
    t.config.n_command = 3;
    script_args[0] = (char *)text;
    t.config.args = script_args;
    t.config.n_args = 1;
    return script_args[0];
}

static void check_confined(const char *runtime)
{
    static char *masked[] = {(char *)"/proc/keys"}, *readonly[] = {(char *)"/proc/sys"};
    static uint32_t groups[] = {7, 100};
    Runtime__V1__SecurityProfile profile = RUNTIME__V1__SECURITY_PROFILE__INIT;
    Runtime__V1__Device device = RUNTIME__V1__DEVICE__INIT, *devices[] = {&device};

    device.host_path = (char *)"/dev/zero";
    device.container_path = (char *)"/dev/nought";
    device.permissions = (char *)"r";
    t.config.devices = devices;
    t.config.n_devices = 1;
    t.security.seccomp = &profile;
    t.security.masked_paths = masked;
    t.security.n_masked_paths = 1;
    t.security.readonly_paths = readonly;
    t.security.n_readonly_paths = 1;
    t.security.no_new_privs = true;
    t.resources.oom_score_adj = 321;
    t.resources.memory_limit_in_bytes = 64 * 1024 * 1024;
    t.user = (struct oci_user){.uid = 0, .gid = 100, .groups = groups, .n_groups = 2};
    script("b=/bin/busybox; $b id; $b hostname; $b echo env=$HOSTNAME;"
           "$b grep -E 'CapBnd|CapAmb|NoNewPrivs|Seccomp:' /proc/self/status;"
           "$b echo oom=$($b cat /proc/self/oom_score_adj);"
           "$b echo shm=$($b grep -c ' /dev/shm ' /proc/self/mountinfo);"
           "$b echo hosts=$($b cat /etc/hosts);"
           "$b echo keys=$($b wc -c </proc/keys);"
           "$b echo nought=$($b head -c 2 /dev/nought | $b wc -c);"
           "$b echo x >/proc/sys/kernel/hostname; $b echo sys=$?;"
           "$b touch /sys/x; $b echo touch=$?;"
           "$b unshare -m /bin/busybox true; $b echo unshare=$?;"
           "$b echo pids=$($b ls -d /proc/[0-9]* | $b head -1);"
           "$b ip link 2>/dev/null | $b grep -c :");
    AUTO_FREE char *out = run(runtime);

    expect_words(runtime, out, "uid=0 gid=100 groups=7,100");
    expect_words(runtime, out, "\npodhost\nenv=podhost\n");
    expect_words(runtime, out, "CapBnd:\t00000000a80425fb\n");
    expect_words(runtime, out, "CapAmb:\t0000000000000000\n");
    expect_words(runtime, out, "NoNewPrivs:\t1\nSeccomp:\t2\n");
    expect_words(runtime, out, "oom=321\nshm=1\nhosts=x\nkeys=0\nnought=2\nsys=1\ntouch=1\n");
    expect_words(runtime, out, "unshare=1\npids=/proc/1\n");
    t.user = (struct oci_user){0};
}

static void test_a_confined_container_is_confined(void **state)
{
    (void)state;
    for_each_runtime(check_confined);
}

static void check_privileged(const char *runtime)
{
    t.security.privileged = true;
    t.pod_security.privileged = true;
    t.in.host_pid = true;
    script("b=/bin/busybox; $b grep -E 'CapEff|Seccomp:' /proc/self/status;"
           "$b echo kmsg=$($b ls /dev/null /dev/zero | $b wc -l);"
           "$b mkdir /m && $b mount -t tmpfs none /m; $b echo mount=$?;"
           "$b umount /m; $b rmdir /m;"
           "$b mount | $b grep ' /sys ' | $b grep -c 'rw,'");
    AUTO_FREE char *out = run(runtime);

    expect_words(runtime, out, "Seccomp:\t0\nkmsg=2\nmount=0\n1\n");
}

static void test_a_privileged_container_may_do_much(void **state)
{
    (void)state;
    for_each_runtime(check_privileged);
}

static void check_mounts(const char *runtime)
{
    AUTO_FREE char *source = path_in("source");
    AUTO_FREE char *deep = path_in("source/deep");
    Runtime__V1__Mount all = RUNTIME__V1__MOUNT__INIT, below = all, *mounts[] = {&below, &all};

    assert_int_equal(file_make_dirs(deep, 0755, &t.err), 0);
    all.container_path = (char *)"/data";
    all.host_path = source;
    all.readonly = true;
    below.container_path = (char *)"/data/deep";
    below.host_path = deep;
    t.config.mounts = mounts;
    t.config.n_mounts = 2;
    script("b=/bin/busybox; $b touch /data/x 2>/dev/null; $b echo ro=$?;"
           "$b touch /data/deep/x; $b echo rw=$?");
    AUTO_FREE char *out = run(runtime);

    expect_words(runtime, out, "ro=1\nrw=0\n");
}

static void test_mounts_are_made_in_their_order(void **state)
{
    (void)state;
    for_each_runtime(check_mounts);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        PLAIN(test_a_confined_container_is_confined),
        PLAIN(test_a_privileged_container_may_do_much),
        PLAIN(test_mounts_are_made_in_their_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
