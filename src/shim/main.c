// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/own.h"
#include "shim/entering.h"
#include "shim/offload.h"
#include "shim/proc.h"
#include "shim/shim.h"

/* The daemon starts the shim with the listening socket as descriptor 3 and the pod's folder as the
 * working directory. */
enum { LISTENER_FD = 3 };

#define OOM_SCORE_ADJ "-998"

struct arguments {
    const char *id;
    bool wants_version;
    const char *action; /* what containerd calls: start, delete */
};

static int parse_arguments(int argc, char **argv, struct arguments *out, struct error *err)
{
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i];

        if (name[0] != '-') {
            out->action = name;
            continue;
        }
        name += name[1] == '-' ? 2 : 1;
        if (strcmp(name, "version") == 0 || strcmp(name, "v") == 0)
            out->wants_version = true;
        else if (strcmp(name, "debug") == 0)
            log_set_level(LOG_DEBUG);
        else if (i + 1 == argc)
            return error_set(err, ERROR_INVALID, "%s: a value must follow", argv[i]);
        else if (strcmp(name, "id") == 0)
            out->id = argv[++i];
        else
            i++; /* namespace, address and others of the shim interface: nothing depends on them */
    }
    return 0;
}

/* Idle shims are many: the heap is to be small, and what was needed once is given back. */
static void tune_heap(void)
{
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_TOP_PAD, 0);
    mallopt(M_TRIM_THRESHOLD, 4096);
    mallopt(M_MMAP_THRESHOLD, 8192);
}

/* The kernel is to kill anything else before the shim; whether it may say so depends. What protects
 * the daemon is not for containers: crun passes over a 0 in the specification. */
static void lower_oom_score(struct run_context *runs)
{
    AUTO_CLOSE int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, runs->oom_score_adj, sizeof runs->oom_score_adj - 1);

    runs->oom_score_adj[n > 0 ? n : 0] = '\0';
    if (runs->oom_score_adj[0] == '-')
        snprintf(runs->oom_score_adj, sizeof runs->oom_score_adj, "0");
    if (n > 0 && pwrite(fd, OOM_SCORE_ADJ, sizeof OOM_SCORE_ADJ - 1, 0) < 0)
        log_debug("the shim's OOM score stays that of the daemon");
}

/* Containers get the limit that the daemon had; the shim itself may need more descriptors. */
static void raise_files(struct run_context *runs)
{
    struct rlimit most;

    getrlimit(RLIMIT_NOFILE, &runs->files);
    most = runs->files;
    most.rlim_cur = most.rlim_max;
    setrlimit(RLIMIT_NOFILE, &most);
}

static int set_up_process(struct run_context *runs, struct error *err)
{
    if (fcntl(LISTENER_FD, F_SETFD, FD_CLOEXEC) < 0)
        return error_set(err, ERROR_INVALID, "there is no listening socket as descriptor %d",
                         LISTENER_FD);
    syscall(SYS_close_range, LISTENER_FD + 1U, ~0U, 0U);
    umask(022);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    tune_heap();
    raise_files(runs);
    lower_oom_score(runs);
    return 0;
}

/* SIGTERM is a request to end the pod, and the shim with it. */
static struct poller_source terminations;
static struct shim shim;

static void on_terminated(struct poller_source *s, uint32_t events)
{
    struct signalfd_siginfo info;

    (void)events;
    if (read(s->fd, &info, sizeof info) < 0)
        return;
    log_info("process %u has sent SIGTERM: the pod is stopped", info.ssi_pid);
    shim.pod.is_to_exit = true;
    pod_stop(&shim.pod);
}

static int watch_terminations(struct poller *p, struct error *err)
{
    sigset_t mask;
    int fd;

    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    terminations = (struct poller_source){.fd = -1, .ready = on_terminated};
    if (fd < 0)
        return error_errno(err, errno, "signalfd");
    return poller_add(p, &terminations, fd, EPOLLIN, err);
}

static int run(struct shim *s, const char *id, struct error *err)
{
    if (set_up_process(&s->runs, err) < 0 || poller_init(&s->poller, err) < 0 ||
        reaper_init(&s->reaper, &s->poller, err) < 0 || watch_terminations(&s->poller, err) < 0)
        return -1;
    entering_allow_if_protected();
    offload_init(&s->poller);
    list_init(&s->runs.runs);
    s->runs.copy.fd = -1;
    s->runs.poller = &s->poller;
    s->runs.reaper = &s->reaper;
    pod_init(&s->pod, s, id);
    if (server_init(&s->server, s, &s->poller, LISTENER_FD, err) < 0)
        return -1;
    if (poller_run(&s->poller, err) < 0)
        return -1;
    /* A thread that a disk keeps in the kernel keeps us from ending: nobody is to wait for answers
     * until then. */
    close(LISTENER_FD);
    return 0;
}

static int complain(const char *words)
{
    dprintf(STDERR_FILENO, "containerd-shim-berth-v2: %s\n", words);
    return 1;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {0};
    struct error err;

    if (parse_arguments(argc, argv, &arguments, &err) < 0)
        return complain(err.text);
    if (arguments.wants_version) {
        dprintf(STDOUT_FILENO, "containerd-shim-berth-v2 %s\n", BERTH_VERSION);
        return 0;
    }
    if (arguments.action)
        return complain("containerd-shim-berth-v2 is started by berthd");
    if (!arguments.id || proc_check_id(arguments.id, &err) < 0)
        return complain("-id must name a pod");
    if (run(&shim, arguments.id, &err) < 0) {
        log_error("%s", err.text);
        return 1;
    }
    return 0;
}
