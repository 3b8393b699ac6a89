// SPDX-License-Identifier: Apache-2.0
#include "os/cgroup_procs.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"

enum { LIST_MAX = 1024 * 1024, HELD_MAX = 64 };

void cgroup_procs_each(int group, void (*each)(void *data, pid_t pid), void *data)
{
    AUTO_FINI(buf) text = BUF(LIST_MAX);
    struct error ignored;

    if (file_load(group, "cgroup.procs", &text, &ignored) < 0)
        return;
    for (char *at = text.data; at && *at;) {
        char *end;
        long pid = strtol(at, &end, 10);

        if (end == at)
            return;
        if (pid > 1)
            each(data, (pid_t)pid);
        at = *end ? end + 1 : end;
    }
}

/* Some processes by descriptors, whoever they are by now. */
struct batch {
    int group;
    int signal;
    size_t seen; /* in all batches */
    size_t n;
    pid_t pids[HELD_MAX];
    int fds[HELD_MAX];
};

/* Who is listed while it is held is who was meant. */
static void signal_if_held(void *data, pid_t pid)
{
    const struct batch *b = data;

    for (size_t i = 0; i < b->n; i++)
        if (b->pids[i] == pid)
            syscall(SYS_pidfd_send_signal, b->fds[i], b->signal, NULL, 0);
}

static void signal_batch(struct batch *b)
{
    if (b->n > 0)
        cgroup_procs_each(b->group, signal_if_held, b);
    for (size_t i = 0; i < b->n; i++)
        fd_close(&b->fds[i]);
    b->n = 0;
}

static void hold(void *data, pid_t pid)
{
    struct batch *b = data;
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);

    b->seen++;
    if (fd < 0)
        return;
    b->pids[b->n] = pid;
    b->fds[b->n++] = fd;
    if (b->n == HELD_MAX)
        signal_batch(b);
}

size_t cgroup_procs_signal(int group, int signal)
{
    struct batch b = {.group = group, .signal = signal};

    cgroup_procs_each(group, hold, &b);
    signal_batch(&b);
    return b.seen;
}
