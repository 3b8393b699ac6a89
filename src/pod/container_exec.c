// SPDX-License-Identifier: Apache-2.0
#include "pod/container_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "oci/spec.h"
#include "pod/container_bundle.h"
#include "pod/shim.h"

enum {
    CHUNK = 64 * 1024,
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

/* --- waiting for the end, on another thread, while this one reads --- */

struct ending {
    const struct shim_exec *exec;
    struct deadline by;
    int ended_fd; /* readable once the wait is over */
    int outcome;
    int status;
    struct error err;
};

static void wait_job(void *data)
{
    struct ending *e = data;
    uint64_t one = 1;

    e->outcome = shim_wait(e->exec->container, e->exec->exec_id, &e->by, &e->status, &e->err);
    if (write(e->ended_fd, &one, sizeof one) < 0)
        abort(); /* an eventfd has room for a one */
}

/* --- reading --- */

/* Reads what is there. Returns false at the end of file. */
static bool take(int fd, struct buf *into)
{
    static __thread char chunk[CHUNK];

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
static int collect(int fds[2], struct ending *e, const struct deadline *by,
                   struct container_exec_result *out, struct error *err)
{
    bool ended = false;

    while (!ended || fds[0] >= 0 || fds[1] >= 0) {
        struct pollfd polled[4] = {{.fd = fds[0], .events = POLLIN},
                                   {.fd = fds[1], .events = POLLIN},
                                   {.fd = ended ? -1 : e->ended_fd, .events = POLLIN},
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

/* The exec runs: waits for it and reads. */
static int follow(const struct shim_exec *x, int fds[2], const struct deadline *by,
                  struct container_exec_result *out, struct error *err)
{
    struct ending e = {.exec = x, .by = DEADLINE_NONE};
    struct deadline forever = DEADLINE_NONE;
    struct error ignored;
    int outcome;

    e.ended_fd = eventfd(0, EFD_CLOEXEC);
    if (e.ended_fd < 0) {
        shim_exec_end(x);
        return error_errno(err, errno, "wait for the command");
    }
    pool_submit(x->container->sandbox->node->pool, wait_job, &e);
    outcome = collect(fds, &e, by, out, err);
    if (outcome < 0)
        shim_exec_kill(x);
    if (deadline_wait(&forever, e.ended_fd, POLLIN, &ignored) < 0)
        abort(); /* the job uses our stack */
    fd_close(&e.ended_fd);
    shim_exec_end(x);
    if (outcome < 0)
        return -1;
    if (e.outcome < 0) {
        *err = e.err;
        return -1;
    }
    out->exit_code = e.status;
    return 0;
}

static int run(struct container *c, struct json_object *process, const struct deadline *by,
               struct container_exec_result *out, struct error *err)
{
    AUTO_CLOSE int out_r = -1, out_w = -1, err_r = -1, err_w = -1;
    char id[ID_SIZE];
    struct shim_exec x = {.container = c, .exec_id = id, .process = process};
    int fds[2], outcome;

    id_new(id);
    if (make_pipe(&out_r, &out_w, err) < 0 || make_pipe(&err_r, &err_w, err) < 0)
        return -1;
    x.fds[0] = -1;
    x.fds[1] = out_w;
    x.fds[2] = err_w;
    if (shim_exec_start(&x, by, err) < 0) {
        shim_exec_end(&x);
        return -1;
    }
    fd_close(&out_w);
    fd_close(&err_w);
    fds[0] = fd_take(&out_r);
    fds[1] = fd_take(&err_r);
    outcome = follow(&x, fds, by, out, err);
    fd_close(&fds[0]);
    fd_close(&fds[1]);
    return outcome;
}

int container_exec_sync(struct container *c, char **cmd, size_t n_cmd, int64_t timeout_s,
                        const struct deadline *client, struct container_exec_result *out,
                        struct error *err)
{
    struct deadline by = *client;
    enum container_state state = container_state(c);
    JSON_AUTO *spec = NULL;
    JSON_AUTO *process = NULL;

    if (state != CONTAINER_RUNNING)
        return error_set(err, ERROR_UNKNOWN, "container is in %s state",
                         container_state_name(state));
    if (n_cmd == 0)
        return error_set(err, ERROR_UNKNOWN, "the command is empty");
    if (timeout_s > 0)
        by =
            deadline_sooner(client, (timeout_s < TIMEOUT_MAX_S ? timeout_s : TIMEOUT_MAX_S) * 1000);
    spec = container_bundle_load_spec(c, err);
    if (!spec || oci_process_build_exec(spec, cmd, n_cmd, false, &process, err) < 0)
        return error_wrap(err, "exec in container %s", c->id);
    if (run(c, process, &by, out, err) == 0)
        return 0;
    if (err->code == ERROR_DEADLINE && timeout_s > 0)
        return error_set(err, ERROR_DEADLINE, "exec in container %s: timeout of %lld s exceeded",
                         c->id, (long long)timeout_s);
    return error_wrap(err, "exec in container %s", c->id);
}
