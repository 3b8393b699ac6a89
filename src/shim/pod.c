// SPDX-License-Identifier: Apache-2.0
#include "shim/pod.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/own.h"
#include "sandbox.pb-c.h"
#include "shim/shim.h"
#include "shim/task.h"

static void on_init_ended(struct reaper_child *c, int status, int64_t finished_ns)
{
    struct pod *p = LIST_OF(c, struct pod, init);

    (void)finished_ns;
    c->pid = 0;
    if (p->state == POD_READY) {
        log_warn("the pod's init has ended with status %d, and with it the pod", status);
        pod_stop(p);
        return;
    }
    pod_check_stopped(p);
}

void pod_init(struct pod *p, struct shim *shim, const char *id)
{
    *p = (struct pod){
        .shim = shim, .id = xstrdup(id), .init = {.ended = on_init_ended}, .exits = -1};
    list_init(&p->init.link);
    list_init(&p->tasks);
    oom_ledger_init(&p->ooms);
    list_init(&p->stoppers);
    list_init(&p->waiters);
    list_init(&p->closers);
}

int pod_create(struct pod *p, const struct namespaces_spec *spec, const char *exits_dir,
               struct error *err)
{
    AUTO_CLOSE int exits = -1;
    pid_t init;

    if (p->state != POD_NEW)
        return error_set(err, ERROR_EXISTS, "the shim has its pod already");
    if (*exits_dir) {
        exits = open(exits_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (exits < 0)
            return error_errno(err, errno, "open folder of exit records %s", exits_dir);
    }
    if (namespaces_create(spec, &init, err) < 0)
        return -1;
    if (init > 0)
        reaper_watch(&p->shim->reaper, &p->init, init);
    p->has_userns = idmap_is_set(&spec->ids);
    p->exits = fd_take(&exits);
    p->state = POD_READY;
    p->created_ns = clock_now_ns();
    return 0;
}

static bool all_ended(const struct pod *p)
{
    LIST_EACH(entry, &p->tasks)
    {
        if (LIST_OF(entry, struct task, link)->init.state != PROC_STOPPED)
            return false;
    }
    return true;
}

static void answer(struct list *calls, const ProtobufCMessage *response)
{
    while (!list_is_empty(calls))
        call_reply(LIST_OF(calls->next, struct call, link), response);
}

static void answer_all(struct pod *p)
{
    Containerd__Runtime__Sandbox__V1__WaitSandboxResponse waited =
        CONTAINERD__RUNTIME__SANDBOX__V1__WAIT_SANDBOX_RESPONSE__INIT;
    Google__Protobuf__Timestamp at = GOOGLE__PROTOBUF__TIMESTAMP__INIT;

    at.seconds = p->stopped_ns / CLOCK_NS_PER_S;
    at.nanos = (int32_t)(p->stopped_ns % CLOCK_NS_PER_S);
    waited.exited_at = &at;
    answer(&p->waiters, &waited.base);
    answer(&p->stoppers, NULL);
    answer(&p->closers, NULL);
}

void pod_check_stopped(struct pod *p)
{
    if (p->state == POD_STOPPING && all_ended(p)) {
        if (p->init.pid > 0) {
            kill(p->init.pid, SIGKILL);
            return; /* on_init_ended() comes back here */
        }
        namespaces_remove_shm();
        p->state = POD_STOPPED;
        p->stopped_ns = clock_now_ns();
    }
    if (p->state != POD_STOPPED)
        return;
    answer_all(p);
    if (p->is_to_exit)
        poller_stop(&p->shim->poller);
}

void pod_stop(struct pod *p)
{
    if (p->state == POD_NEW || p->state == POD_READY)
        p->state = POD_STOPPING;
    LIST_EACH(entry, &p->tasks)
    {
        task_end(LIST_OF(entry, struct task, link));
    }
    pod_check_stopped(p);
}

struct task *pod_find_task(const struct pod *p, const char *id)
{
    LIST_EACH(entry, &p->tasks)
    {
        struct task *t = LIST_OF(entry, struct task, link);

        if (strcmp(t->init.id, id) == 0)
            return t;
    }
    return NULL;
}

pid_t pod_pid(const struct pod *p)
{
    return p->init.pid > 0 ? p->init.pid : getpid();
}
