// SPDX-License-Identifier: Apache-2.0
#include "shim/run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"
#include "shim/null.h"
#include "shim/runtime_log.h"

/* The child reports through a pipe. Until exec it writes its own failure there, behind a NUL; the
 * runtime's standard error may be the same pipe. Nobody reads it before the run has ended: what
 * does not fit into the pipe is not worth having, and a runtime that blocks on it is killed. */
enum { LOG_TAIL_MAX = 32 * 1024, REPORT_MAX = 4096, WORDS_MAX = 800 };

struct run {
    struct list link;
    struct run_context *context;
    const void *group;
    struct reaper_child child;
    struct poller_timer deadline;
    run_ended *ended;
    void *owner;
    char *log;
    char *verb;
    int report;
    int64_t timeout_ns;
    bool is_late;
};

/* ---- in the child ---- */

static _Noreturn void give_up(int report, const struct error *err)
{
    char text[ERROR_TEXT_MAX + 1];
    int len = snprintf(text + 1, sizeof text - 1, "%s", err->text);
    struct error ignored;

    text[0] = '\0';
    if (fd_write_all(report, text, (size_t)len + 1, &ignored) < 0)
        _exit(126);
    _exit(127);
}

static void restore_oom_score(const char *value)
{
    AUTO_CLOSE int fd = *value ? open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC) : -1;
    struct error ignored;

    if (fd >= 0 && fd_write_all(fd, value, strlen(value), &ignored) < 0)
        return; /* it then keeps the shim's */
}

/* A shim that ended before the child asked for the signal is told by nothing but another parent. */
static int set_up_process(const struct run_context *context, pid_t shim, struct error *err)
{
    sigset_t none;

    restore_oom_score(context->oom_score_adj);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || setrlimit(RLIMIT_NOFILE, &context->files) < 0)
        return error_errno(err, errno, "set up process");
    return getppid() == shim ? 0 : error_set(err, ERROR_CANCELLED, "the shim has ended");
}

static int set_up_mounts(const struct run_spec *spec, struct error *err)
{
    if (spec->n_mounts == 0)
        return 0;
    if (unshare(CLONE_NEWNS) < 0)
        return error_errno(err, errno, "make mount namespace");
    for (size_t i = 0; i < spec->n_mounts; i++) {
        const struct rootfs_mount *m = &spec->mounts[i];

        if (rootfs_mount(m, m->target ? m->target : spec->target, err) < 0)
            return m->target ? error_wrap(err, "mount volume %s", m->source)
                             : error_wrap(err, "mount root file system");
    }
    if (chdir("/") < 0)
        return error_errno(err, errno, "enter /");
    return 0;
}

/* All our descriptors are above 2 and close-on-exec; 0 is /dev/null. */
static int set_up_stdio(const struct run_spec *spec, int report, struct error *err)
{
    for (int i = 0; i < 3; i++) {
        int from = spec->stdio[i] >= 0 ? spec->stdio[i] : report;

        if (spec->stdio[i] == -1)
            from = null_open();
        if (from < 0 || dup2(from, i) < 0)
            return error_errno(err, errno, "set up standard streams");
    }
    return 0;
}

static bool is_copy_of(const struct run_copy *copy, const char *path)
{
    struct identity now;
    struct error ignored;

    return copy->fd >= 0 && strcmp(copy->path, path) == 0 &&
           identity_of_path(path, &now, &ignored) == 0 && identity_equals(&copy->of, &now);
}

/* Returns only when it failed. Wherever the copy is refused there is still the binary. */
static void execute(const struct run_copy *copy, char **argv)
{
    if (is_copy_of(copy, argv[0]))
        execveat(copy->fd, "", argv, environ, AT_EMPTY_PATH);
    execv(argv[0], argv);
}

static _Noreturn void become_runtime(const struct run_context *context, const struct run_spec *spec,
                                     char **argv, pid_t shim, int report)
{
    struct error err = {0};

    if (set_up_process(context, shim, &err) < 0 || set_up_mounts(spec, &err) < 0 ||
        set_up_stdio(spec, report, &err) < 0)
        give_up(report, &err);
    execute(&context->copy, argv);
    error_errno(&err, errno, "run OCI runtime %s", argv[0]);
    give_up(report, &err);
}

/* ---- in the shim ---- */

static void add_arguments(struct strv *argv, const struct run_spec *spec)
{
    strv_add(argv, spec->runtime);
    strv_add(argv, "--root");
    strv_add(argv, spec->root);
    strv_add(argv, "--log");
    strv_add(argv, spec->log);
    strv_add(argv, "--log-format");
    strv_add(argv, "json");
    if (spec->has_systemd_cgroup)
        strv_add(argv, "--systemd-cgroup");
    strv_add_all(argv, spec->verb);
}

/* The runtime's log, its last part. */
static size_t load_log(const char *path, char *out, size_t size)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    off_t end = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
    struct error ignored;
    ssize_t n;

    if (end < 0 || lseek(fd, end > (off_t)size ? end - (off_t)size : 0, SEEK_SET) < 0)
        return 0;
    n = fd_read_full(fd, out, size, &ignored);
    return n < 0 ? 0 : (size_t)n;
}

/* The last line of text that is not empty, in place. */
static const char *last_line(char *text)
{
    size_t len = strlen(text);
    char *newline;

    while (len > 0 && (unsigned char)text[len - 1] <= ' ')
        text[--len] = '\0';
    newline = strrchr(text, '\n');
    return newline ? newline + 1 : text;
}

static void describe_exit(int status, char *out, size_t size)
{
    if (status > 128)
        snprintf(out, size, "it was killed by signal %d", status - 128);
    else
        snprintf(out, size, "it exited with status %d and said nothing", status);
}

/* Why a run failed: what the child said before exec, else what the runtime logged as an error,
 * else the last line of its standard error, else its status. */
static void explain(const struct run *r, int status, struct error *out)
{
    AUTO_FREE char *log = xmalloc(LOG_TAIL_MAX);
    char report[REPORT_MAX], words[WORDS_MAX];
    ssize_t n = read(r->report, report, sizeof report - 1);

    report[n > 0 ? n : 0] = '\0';
    if (n > 1 && report[0] == '\0') {
        error_set(out, ERROR_UNKNOWN, "%.*s", WORDS_MAX, report + 1);
        return;
    }
    if (r->is_late) {
        error_set(out, ERROR_DEADLINE, "OCI runtime %s failed: not done after %" PRId64 " ms",
                  r->verb, r->timeout_ns / CLOCK_NS_PER_MS);
        return;
    }
    if (!runtime_log_last_error(log, load_log(r->log, log, LOG_TAIL_MAX), words, sizeof words)) {
        snprintf(words, sizeof words, "%.*s", WORDS_MAX - 1, last_line(report));
        if (!*words)
            describe_exit(status, words, sizeof words);
    }
    error_set(out, ERROR_UNKNOWN, "OCI runtime %s failed: %s", r->verb, words);
}

static void run_free(struct run *r)
{
    if (!r)
        return;
    list_remove(&r->link);
    poller_timer_clear(&r->deadline);
    fd_close(&r->report);
    free(r->log);
    free(r->verb);
    free(r);
}
DEFINE_AUTO(run)

static void on_child_ended(struct reaper_child *c, int status, int64_t finished_ns)
{
    AUTO(run) *r = LIST_OF(c, struct run, child);
    struct error failure;

    (void)finished_ns;
    if (status != 0)
        explain(r, status, &failure);
    unlink(r->log);
    r->ended(r->owner, status == 0 ? NULL : &failure);
    reaper_unexpect(r->context->reaper);
}

static void on_deadline(struct poller_timer *t)
{
    struct run *r = LIST_OF(t, struct run, deadline);

    r->is_late = true;
    kill(r->child.pid, SIGKILL);
}

void run_kill_group(struct run_context *context, const void *group)
{
    LIST_EACH(entry, &context->runs)
    {
        struct run *r = LIST_OF(entry, struct run, link);

        if (r->group == group)
            kill(r->child.pid, SIGKILL);
    }
}

void run_set_copy(struct run_context *context, const char *path, int fd, const struct identity *of)
{
    fd_close(&context->copy.fd);
    free(context->copy.path);
    context->copy = (struct run_copy){.fd = fd, .path = xstrdup(path), .of = *of};
}

int run_start(struct run_context *context, const struct run_spec *spec, run_ended *ended,
              void *owner, struct error *err)
{
    AUTO(run) *r = xcalloc(1, sizeof *r);
    AUTO_FINI(strv) argv = {0};
    AUTO_CLOSE int report = -1;
    pid_t shim = getpid(), pid;
    int ends[2];

    *r = (struct run){.context = context,
                      .group = spec->group,
                      .ended = ended,
                      .owner = owner,
                      .timeout_ns = spec->timeout_ns,
                      .report = -1};
    list_init(&r->link);
    r->child.ended = on_child_ended;
    poller_timer_init(&r->deadline, on_deadline);
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return error_errno(err, errno, "make a pipe");
    r->report = ends[0];
    report = ends[1];
    add_arguments(&argv, spec);
    unlink(spec->log);
    null_prepare();
    pid = fork();
    if (pid < 0)
        return error_errno(err, errno, "fork");
    if (pid == 0)
        become_runtime(context, spec, argv.items, shim, report);
    r->log = xstrdup(spec->log);
    r->verb = xstrdup(spec->verb->items[0]);
    list_add(&context->runs, &r->link);
    reaper_expect(context->reaper);
    reaper_watch(context->reaper, &r->child, pid);
    poller_timer_set(context->poller, &r->deadline, spec->timeout_ns / CLOCK_NS_PER_MS);
    TAKE(r);
    return 0;
}
