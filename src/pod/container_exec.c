// SPDX-License-Identifier: Apache-2.0
#include "pod/container_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "oci/spec.h"
#include "pod/container_bundle.h"
#include "pod/shim_exec.h"

enum {
    CHUNK = 64 * 1024,
    AROUND = 1024, /* what an answer has beside the outputs, and more */
    DRAIN_MS = 50, /* for what others who hold the pipe are about to write */
    TIMEOUT_MAX_S = 365 * 24 * 3600,
};

void container_exec_result_init(struct container_exec_result *r)
{
    buf_init(&r->out, CONTAINER_EXEC_OUTPUT_MAX);
    buf_init(&r->err, CONTAINER_EXEC_OUTPUT_MAX);
    r->exit_code = 0;
}

void container_exec_result_fini(struct container_exec_result *r)
{
    buf_fini(&r->out);
    buf_fini(&r->err);
}

/* Reads what is there. Returns false at the end of file. */
static bool take(int fd, struct buf *into)
{
    char chunk[CHUNK];

    for (;;) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        size_t room = into->max - into->len;
        struct error full;

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN;
        if (n == 0)
            return false;
        if (buf_append(into, chunk, (size_t)n < room ? (size_t)n : room, &full) < 0)
            return false;
    }
}

/* Reads both outputs until the command has ended, and they have or nothing more comes. */
static int collect(int fds[2], const struct shim_exec *x, const struct deadline *by,
                   struct container_exec_result *out, struct error *err)
{
    bool ended = false;

    while (!ended || fds[0] >= 0 || fds[1] >= 0) {
        struct pollfd polled[4] = {{.fd = fds[0], .events = POLLIN},
                                   {.fd = fds[1], .events = POLLIN},
                                   {.fd = ended ? -1 : x->ended_fd, .events = POLLIN},
                                   {.fd = by->cancel_fd, .events = POLLIN}};
        int64_t left = deadline_left_ms(by);
        int n = poll(polled, 4, ended ? DRAIN_MS : (int)(left > INT32_MAX ? -1 : left));

        if (n < 0 && errno != EINTR)
            return error_errno(err, errno, "poll");
        if (n == 0 && ended)
            return 0;
        if (polled[0].revents && !take(fds[0], &out->out))
            fd_close(&fds[0]);
        if (polled[1].revents && !take(fds[1], &out->err))
            fd_close(&fds[1]);
        ended = ended || polled[2].revents;
        if (!ended && deadline_check(by, err) < 0)
            return -1;
    }
    return 0;
}

static int make_pipe(int *out_read, int *out_write, struct error *err)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_errno(err, errno, "pipe");
    *out_read = ends[0];
    *out_write = ends[1];
    return fd_set_nonblocking(ends[0], err);
}

/* A short output is kept whole; two long ones have half the room each. */
static void fit(struct container_exec_result *r)
{
    const size_t room = CONTAINER_EXEC_OUTPUT_MAX - AROUND, half = room / 2;
    struct buf *longer = r->out.len > r->err.len ? &r->out : &r->err;
    struct buf *shorter = longer == &r->out ? &r->err : &r->out;

    if (r->out.len + r->err.len <= room)
        return;
    if (shorter->len > half)
        shorter->len = half;
    longer->len = room - shorter->len;
}

/* The exec runs: reads until it ends. */
static int follow(struct shim_exec *x, int fds[2], const struct deadline *by,
                  struct container_exec_result *out, struct error *err)
{
    struct deadline forever = DEADLINE_NONE;

    if (collect(fds, x, by, out, err) < 0) {
        shim_exec_kill(x);
        return -1;
    }
    return shim_exec_wait(x, &forever, &out->exit_code, err);
}

static int run(struct shim_exec *x, const struct deadline *by, struct container_exec_result *out,
               struct error *err)
{
    AUTO_CLOSE int out_r = -1, out_w = -1, err_r = -1, err_w = -1;
    int fds[2], outcome;

    if (make_pipe(&out_r, &out_w, err) < 0 || make_pipe(&err_r, &err_w, err) < 0)
        return -1;
    x->fds[1] = out_w;
    x->fds[2] = err_w;
    if (shim_exec_run(x, by, err) < 0)
        return -1;
    fd_close(&out_w);
    fd_close(&err_w);
    fds[0] = fd_take(&out_r);
    fds[1] = fd_take(&err_r);
    outcome = follow(x, fds, by, out, err);
    fd_close(&fds[0]);
    fd_close(&fds[1]);
    return outcome;
}

int container_exec_sync(struct container *c, char **cmd, size_t n_cmd, int64_t timeout_s,
                        const struct deadline *client, struct container_exec_result *out,
                        struct error *err)
{
    struct shim_exec x = {.container = c, .fds = {-1, -1, -1}};
    struct deadline by = *client;
    JSON_AUTO *spec = NULL;
    JSON_AUTO *process = NULL;

    if (container_check_running(c, err) < 0)
        return -1;
    if (n_cmd == 0)
        return error_set(err, ERROR_UNKNOWN, "the command is empty");
    if (timeout_s > 0)
        by =
            deadline_sooner(client, (timeout_s < TIMEOUT_MAX_S ? timeout_s : TIMEOUT_MAX_S) * 1000);
    spec = container_bundle_load_spec(c, err);
    if (!spec || oci_process_build_exec(spec, cmd, n_cmd, false, &process, err) < 0)
        return error_wrap(err, "exec in container %s", c->id);
    x.config = spec;
    x.process = process;
    if (run(&x, &by, out, err) == 0) {
        fit(out);
        return 0;
    }
    if (err->code == ERROR_DEADLINE && timeout_s > 0)
        return error_set(err, ERROR_DEADLINE, "exec in container %s: timeout of %lld s exceeded",
                         c->id, (long long)timeout_s);
    return error_wrap(err, "exec in container %s", c->id);
}
