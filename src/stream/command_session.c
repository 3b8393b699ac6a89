// SPDX-License-Identifier: Apache-2.0
#include "stream/command_session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "oci/spec.h"
#include "pod/container.h"
#include "pod/container_bundle.h"
#include "pod/shim.h"
#include "pod/shim_exec.h"
#include "stream/conversation.h"

enum { OPEN_MS = 30 * 1000, START_MS = 120 * 1000 };

struct session {
    struct node *node;
    const struct stream_request *request;
    struct mux *mux;
    int stop_fd;
    struct remote remote;
};

/* --- pipes --- */

/* Three pipes: ours do not block, theirs are for the shim. */
struct pipes {
    int ours[3];
    int theirs[3];
};

static int open_pipe(struct pipes *p, int which, struct error *err)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_errno(err, errno, "make a pipe");
    p->ours[which] = ends[which == 0];
    p->theirs[which] = ends[which != 0];
    return fd_set_nonblocking(p->ours[which], err);
}

static int pipes_open(struct pipes *p, bool has_in, bool has_out, bool has_err, struct error *err)
{
    if ((has_in && open_pipe(p, 0, err) < 0) || (has_out && open_pipe(p, 1, err) < 0) ||
        (has_err && open_pipe(p, 2, err) < 0))
        return -1;
    return 0;
}

static void pipes_close_theirs(struct pipes *p)
{
    for (int i = 0; i < 3; i++)
        fd_close(&p->theirs[i]);
}

static void pipes_close(struct pipes *p)
{
    pipes_close_theirs(p);
    for (int i = 0; i < 3; i++)
        fd_close(&p->ours[i]);
}

/* --- exec --- */

static void resize_exec(void *data, const struct remotecommand_size *size)
{
    const struct shim_exec *x = data;
    struct error err;

    if (x->has_terminal && shim_resize(x->container, x->id, size->width, size->height, &err) < 0)
        log_debug("container %s: resize an exec: %s", x->container->id, err.text);
}

/* The command runs: carries its bytes, and sees to it that it ends. */
static int follow_exec(struct session *s, struct shim_exec *x, struct pipes *p, int *out_exit_code,
                       struct error *err)
{
    struct conversation c = {.remote = &s->remote,
                             .in = fd_take(&p->ours[0]),
                             .outs = {fd_take(&p->ours[1]), fd_take(&p->ours[2])},
                             .ended_fd = x->ended_fd,
                             .stop_fd = s->stop_fd,
                             .resize = resize_exec,
                             .data = x};
    struct deadline forever = DEADLINE_NONE;

    if (conversation_run(&c, err) == 0)
        return shim_exec_wait(x, &forever, out_exit_code, err);
    shim_exec_kill(x);
    return -1;
}

static int run_exec(struct session *s, struct shim_exec *x, struct pipes *p, int *out_exit_code,
                    struct error *err)
{
    const struct stream_request *r = s->request;
    struct deadline by = deadline_in_ms(START_MS);

    by.cancel_fd = s->stop_fd;
    if (pipes_open(p, r->has_stdin, r->has_stdout, r->has_stderr, err) < 0)
        return -1;
    for (int i = 0; i < 3; i++)
        x->fds[i] = p->theirs[i];
    if ((x->has_terminal ? shim_exec_start : shim_exec_run)(x, &by, err) < 0)
        return -1;
    pipes_close_theirs(p);
    return follow_exec(s, x, p, out_exit_code, err);
}

static int exec(struct session *s, int *out_exit_code, struct error *err)
{
    const struct stream_request *r = s->request;
    AUTO(container) *c = container_find(s->node, r->id, err);
    struct pipes p = {{-1, -1, -1}, {-1, -1, -1}};
    JSON_AUTO *process = NULL;
    JSON_AUTO *spec = NULL;
    struct shim_exec x = {.container = c, .has_terminal = r->tty};
    int outcome;

    if (!c || container_check_running(c, err) < 0)
        return -1;
    spec = container_bundle_load_spec(c, err);
    if (!spec ||
        oci_process_build_exec(spec, r->command.items, r->command.len, r->tty, &process, err) < 0)
        return -1;
    x.config = spec;
    x.process = process;
    outcome = run_exec(s, &x, &p, out_exit_code, err);
    pipes_close(&p);
    return outcome;
}

/* --- attach --- */

static void resize_container(void *data, const struct remotecommand_size *size)
{
    struct container *c = data;
    struct error err;

    if (c->config->tty && shim_resize(c, "", size->width, size->height, &err) < 0)
        log_debug("container %s: resize: %s", c->id, err.text);
}

static int follow_container(struct session *s, struct container *c, struct pipes *p,
                            struct error *err)
{
    bool closes_input = c->config->stdin_once && !c->config->tty;
    struct conversation talk = {.remote = &s->remote,
                                .in = p->ours[0],
                                .outs = {p->ours[1], p->ours[2]},
                                .ended_fd = -1,
                                .stop_fd = s->stop_fd,
                                .ends_with_input = p->ours[0] >= 0 && !closes_input,
                                .resize = resize_container,
                                .data = c};
    struct deadline by = deadline_in_ms(START_MS);

    by.cancel_fd = s->stop_fd;
    if (shim_attach(c, p->theirs, closes_input, &by, err) < 0)
        return -1;
    pipes_close_theirs(p);
    for (int i = 0; i < 3; i++)
        p->ours[i] = -1;
    return conversation_run(&talk, err);
}

/* What the container does not have is not attached: its terminal has no stderr. */
static int attach(struct session *s, int *out_exit_code, struct error *err)
{
    const struct stream_request *r = s->request;
    AUTO(container) *c = container_find(s->node, r->id, err);
    struct pipes p = {{-1, -1, -1}, {-1, -1, -1}};
    int outcome = -1;

    if (!c || container_check_running(c, err) < 0)
        return -1;
    if (pipes_open(&p, r->has_stdin && c->config->stdin, r->has_stdout,
                   r->has_stderr && !c->config->tty, err) == 0)
        outcome = follow_container(s, c, &p, err);
    pipes_close(&p);
    *out_exit_code = 0;
    return outcome;
}

/* --- both --- */

static void finish(struct session *s, int exit_code, const struct error *failure)
{
    struct remotecommand_end end = {.failure = failure,
                                    .exit_code = exit_code,
                                    .command = s->request->command.items,
                                    .n_command = s->request->command.len};

    remote_finish(&s->remote, &end, s->stop_fd);
    mux_close(s->mux, s->stop_fd, NULL);
}

/* Whatever it was that failed then, this is why. */
static void explain(const struct session *s, struct error *err)
{
    struct pollfd polled = {.fd = s->stop_fd, .events = POLLIN};

    if (poll(&polled, 1, 0) > 0)
        error_set(err, ERROR_UNAVAILABLE, "berthd is stopping");
}

static void serve(struct session *s, const char *protocol,
                  int (*run)(struct session *s, int *out_exit_code, struct error *err))
{
    struct deadline by = deadline_in_ms(OPEN_MS);
    int exit_code = 0;
    struct error err;

    by.cancel_fd = s->stop_fd;
    remote_init(&s->remote, s->mux, protocol);
    if (remote_open(&s->remote, s->request, &by, &err) < 0) {
        log_info("%s: %s", stream_request_path(s->request->kind), err.text);
        mux_close(s->mux, s->stop_fd, &err);
    } else if (run(s, &exit_code, &err) < 0) {
        explain(s, &err);
        log_info("%s in container %s: %s", stream_request_path(s->request->kind), s->request->id,
                 err.text);
        finish(s, 0, &err);
    } else {
        finish(s, exit_code, NULL);
    }
    remote_fini(&s->remote);
}

void command_session_exec(struct node *n, const struct stream_request *request, struct mux *m,
                          const char *protocol, int stop_fd)
{
    struct session s = {.node = n, .request = request, .mux = m, .stop_fd = stop_fd};

    serve(&s, protocol, exec);
}

void command_session_attach(struct node *n, const struct stream_request *request, struct mux *m,
                            const char *protocol, int stop_fd)
{
    struct session s = {.node = n, .request = request, .mux = m, .stop_fd = stop_fd};

    serve(&s, protocol, attach);
}
