// SPDX-License-Identifier: Apache-2.0
#include <signal.h>

#include "base/clock.h"
#include "base/exit_record.h"
#include "base/log.h"
#include "base/own.h"
#include "shim/exec.h"
#include "shim/shim.h"
#include "shim/task.h"
#include "task.pb-c.h"

/* From the end of a container's first process to the moment that others hear of it, in this
 * order, each step waiting for the one before:
 *
 *   1. runs of the OCI runtime for this container come to their end,
 *   2. execs are killed and gone; with a PID namespace that it shares, everything in its cgroup,
 *   3. its outputs are read to their end, unless somebody else keeps them open for too long,
 *   4. the OOM killer's count is read, while the cgroup is still there,
 *   5. the OCI runtime deletes the container,
 *   6. the exit record is stored, and those who wait are answered.
 *
 * task_end_advance() looks how far it has come; it is called again when something has happened,
 * and by a timer while it waits for what nobody tells. */
enum {
    TICK_FIRST_MS = 1,
    TICK_MAX_MS = 50,
    OVERALL_MS = 10000,    /* then whatever is in the way is given up, in each step */
    AFTER_EMPTY_MS = 2000, /* outputs that outlive the cgroup */
    DELETE_TIMEOUT_S = 10,
};

static int64_t ms_since(int64_t ns)
{
    return (clock_monotonic_ns() - ns) / CLOCK_NS_PER_MS;
}

static void wait_a_little(struct task *t)
{
    t->tick_ms = t->tick_ms ? t->tick_ms * 2 : TICK_FIRST_MS;
    if (t->tick_ms > TICK_MAX_MS)
        t->tick_ms = TICK_MAX_MS;
    poller_timer_set(&t->shim->poller, &t->tick, t->tick_ms);
}

static void kill_runs(struct task *t)
{
    run_kill_group(&t->shim->runs, t);
    LIST_EACH(entry, &t->execs)
    {
        exec_end(LIST_OF(entry, struct exec, link));
    }
}

/* Step 1. What a runtime wants of a container that is dead has no prospects. */
static bool runs_are_over(struct task *t)
{
    int64_t left_ms = OVERALL_MS - ms_since(t->ended_ns);

    if (t->n_runs == 0)
        return true;
    if (left_ms > 0)
        poller_timer_set(&t->shim->poller, &t->tick, left_ms);
    else
        kill_runs(t);
    return false;
}

/* Step 2: false while something is alive that can be hoped to die. */
static bool all_are_gone(struct task *t)
{
    bool are_alive = false;

    if (ms_since(t->ended_ns) >= OVERALL_MS)
        return true;
    LIST_EACH(entry, &t->execs)
    {
        struct exec *x = LIST_OF(entry, struct exec, link);

        exec_end(x);
        are_alive |= x->proc.state != PROC_STOPPED && x->proc.state != PROC_NEW;
    }
    if (t->has_shared_pid && container_cgroup_kill(&t->cgroup, SIGKILL) > 0)
        are_alive = true;
    if (are_alive)
        wait_a_little(t);
    return !are_alive;
}

/* Step 3. */
static bool is_drained(struct task *t)
{
    bool is_stuck = streams_is_stuck(&t->init.io);

    if (streams_is_drained(&t->init.io))
        return true;
    /* Who is attached and slow is given its time, which has an end. */
    if (streams_is_behind(&t->init.io)) {
        t->empty_ns = 0;
        wait_a_little(t);
        return false;
    }
    if (!container_cgroup_is_empty(&t->cgroup))
        t->empty_ns = 0;
    else if (t->empty_ns == 0)
        t->empty_ns = clock_monotonic_ns();
    if (ms_since(t->ended_ns) >= OVERALL_MS ||
        (t->empty_ns && ms_since(t->empty_ns) >= AFTER_EMPTY_MS && !is_stuck)) {
        log_warn("container %s has ended, but %s is lost", t->init.id,
                 is_stuck ? "the disk of its log hangs; what was not read of its outputs"
                          : "somebody keeps its outputs open; what they write");
        return true;
    }
    wait_a_little(t);
    return false;
}

static void answer_delete(const struct task *t, struct call *call)
{
    Containerd__Task__V3__DeleteResponse response = CONTAINERD__TASK__V3__DELETE_RESPONSE__INIT;
    Google__Protobuf__Timestamp at = GOOGLE__PROTOBUF__TIMESTAMP__INIT;

    at.seconds = t->init.finished_ns / CLOCK_NS_PER_S;
    at.nanos = (int32_t)(t->init.finished_ns % CLOCK_NS_PER_S);
    response.pid = (uint32_t)t->init.child.pid;
    response.exit_status = (uint32_t)t->init.status;
    response.exited_at = &at;
    call_reply(call, &response.base);
}

/* What was created and never started has no exit: a restarted berthd takes it for not created. */
static void store_record(const struct task *t)
{
    struct exit_record record = {t->init.status, t->init.finished_ns, t->saw_oom};
    struct error err;

    if (t->was_started && t->shim->pod.exits >= 0 &&
        exit_record_store(t->shim->pod.exits, t->init.id, &record, &err) < 0)
        log_error("container %s: %s", t->init.id, err.text);
}

/* Step 6. */
static void publish(struct task *t)
{
    struct pod *pod = &t->shim->pod;
    bool is_deleted = !list_is_empty(&t->deleters);

    store_record(t);
    proc_publish(&t->init);
    while (!list_is_empty(&t->deleters))
        answer_delete(t, LIST_OF(t->deleters.next, struct call, link));
    if (is_deleted)
        task_remove(t);
    else
        pod_check_stopped(pod);
}

static void on_deleted(void *owner, const struct error *failure)
{
    struct task *t = owner;

    if (failure)
        log_warn("container %s: %s", t->init.id, failure->text);
    publish(t);
}

/* Step 5. */
static void delete_container(struct task *t)
{
    AUTO_FINI(strv) verb = {0};
    struct run_spec spec = {.verb = &verb,
                            .stdio = {-1, -1, RUN_REPORT},
                            .timeout_ns = DELETE_TIMEOUT_S * CLOCK_NS_PER_S};
    struct error err;

    strv_add(&verb, "delete");
    strv_add(&verb, "--force");
    strv_add(&verb, t->init.id);
    t->is_deleting = true;
    if (task_run(t, &spec, on_deleted, t, &err) < 0) {
        log_error("container %s: delete it: %s", t->init.id, err.text);
        publish(t);
    }
}

/* By a signal that did not come through here. */
static bool is_killed_by_others(const struct task *t)
{
    return t->init.status == 128 + SIGKILL && !t->was_killed;
}

void task_end_advance(struct task *t)
{
    if (t->init.state != PROC_ENDED || t->is_deleting)
        return;
    if (t->ended_ns == 0)
        t->ended_ns = clock_monotonic_ns();
    if (!runs_are_over(t) || !all_are_gone(t) || !is_drained(t))
        return;
    poller_timer_clear(&t->tick);
    streams_close(&t->init.io);
    t->saw_oom = container_cgroup_saw_oom(&t->cgroup, is_killed_by_others(t));
    delete_container(t);
}

void task_end(struct task *t)
{
    struct error ignored;

    if (t->init.state == PROC_STARTING && !t->is_to_end)
        run_kill_group(&t->shim->runs, t);
    t->is_to_end = true;
    if (proc_is_alive(&t->init) && task_kill(t, SIGKILL, true, &ignored) < 0)
        return; /* it has just ended */
}

int task_end_and_delete(struct task *t, struct call *call, struct error *err)
{
    if (t->init.state == PROC_STOPPED) {
        answer_delete(t, call);
        task_remove(t);
        return 0;
    }
    if (t->init.state != PROC_CREATED && t->init.state != PROC_ENDED)
        return error_set(err, ERROR_PRECONDITION, "cannot delete a %s process",
                         proc_state_name(t->init.state));
    if (t->is_starting)
        return error_set(err, ERROR_PRECONDITION,
                         "cannot delete a container that is being started");
    list_add(&t->deleters, &call->link);
    task_end(t);
    return 0;
}
