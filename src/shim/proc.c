// SPDX-License-Identifier: Apache-2.0
#include "shim/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/own.h"
#include "task.pb-c.h"

void proc_init(struct proc *p, const char *id, struct poller *poller)
{
    *p = (struct proc){.id = xstrdup(id)};
    list_init(&p->child.link);
    list_init(&p->waiters);
    streams_init(&p->io, poller);
}

void proc_fini(struct proc *p)
{
    reaper_forget(&p->child);
    streams_close(&p->io);
    free(p->id);
    free(p->in);
    free(p->out);
    free(p->err);
}

int proc_check_id(const char *id, struct error *err)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t len = strspn(id, letters);

    if (len == 0 || id[len] != '\0' || len > PROC_ID_MAX || id[0] == '.' || id[0] == '-')
        return error_set(err, ERROR_INVALID, "\"%.*s\" is not an id", PROC_ID_MAX, id);
    return 0;
}

int proc_open_stdio(struct proc *p, const struct streams_spec *spec, struct error *err)
{
    p->in = xstrdup(spec->in);
    p->out = xstrdup(spec->out);
    p->err = xstrdup(spec->err);
    return streams_open(&p->io, spec, err);
}

int proc_adopt(struct proc *p, struct reaper *r, const char *pid_file, struct error *err)
{
    AUTO_FINI(buf) text = BUF(32);
    char *end;
    long pid;

    if (file_load(AT_FDCWD, pid_file, &text, err) < 0)
        return error_wrap(err, "read the pid that the OCI runtime left");
    unlink(pid_file);
    pid = text.data ? strtol(text.data, &end, 10) : 0;
    if (pid <= 1 || pid > INT32_MAX || (*end != '\0' && *end != '\n'))
        return error_set(err, ERROR_INTERNAL, "the OCI runtime left no pid");
    return reaper_adopt(r, &p->child, (pid_t)pid, err);
}

bool proc_is_alive(const struct proc *p)
{
    return p->state == PROC_CREATED || p->state == PROC_RUNNING || p->state == PROC_PAUSED;
}

int proc_signal(const struct proc *p, int signal, struct error *err)
{
    if (p->state == PROC_NEW || p->state == PROC_STARTING)
        return error_set(err, ERROR_PRECONDITION, "process %s was not started", p->id);
    if (!proc_is_alive(p) || p->child.has_ended)
        return error_set(err, ERROR_NOT_FOUND, "process already finished");
    if (kill(p->child.pid, signal) < 0)
        return error_errno(err, errno, "signal %d to process %d", signal, p->child.pid);
    return 0;
}

void proc_set_ended(struct proc *p, int status, int64_t finished_ns)
{
    p->state = PROC_ENDED;
    p->status = status;
    p->finished_ns = finished_ns;
}

static void answer_wait(const struct proc *p, struct call *call)
{
    Containerd__Task__V3__WaitResponse response = CONTAINERD__TASK__V3__WAIT_RESPONSE__INIT;
    Google__Protobuf__Timestamp at = GOOGLE__PROTOBUF__TIMESTAMP__INIT;

    at.seconds = p->finished_ns / CLOCK_NS_PER_S;
    at.nanos = (int32_t)(p->finished_ns % CLOCK_NS_PER_S);
    response.exit_status = (uint32_t)p->status;
    response.exited_at = &at;
    call_reply(call, &response.base);
}

void proc_publish(struct proc *p)
{
    p->state = PROC_STOPPED;
    while (!list_is_empty(&p->waiters))
        answer_wait(p, LIST_OF(p->waiters.next, struct call, link));
}

void proc_wait(struct proc *p, struct call *call)
{
    if (p->state == PROC_STOPPED)
        answer_wait(p, call);
    else
        list_add(&p->waiters, &call->link);
}

const char *proc_state_name(enum proc_state state)
{
    static const char *const names[] = {"new",    "starting", "created", "running",
                                        "paused", "ending",   "stopped"};

    return names[state];
}
