// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "shim/reaper.h"

static struct poller poller;
static struct reaper reaper;

/* A child that the tests watch, and what they hear of it. */
struct heard {
    struct reaper_child child;
    int status;
    unsigned times;
};

static void on_ended(struct reaper_child *c, int status, int64_t finished_ns)
{
    struct heard *h = LIST_OF(c, struct heard, child);

    h->status = status;
    h->times++;
    assert_true(finished_ns > 0);
}

static void heard_init(struct heard *h)
{
    *h = (struct heard){.child = {.ended = on_ended}, .status = -1};
    list_init(&h->child.link);
}

static void stop(struct poller_timer *t)
{
    (void)t;
    poller_stop(&poller);
}

static void run_for(int64_t ms)
{
    struct poller_timer timer;
    struct error err;

    poller.is_stopped = false;
    poller_timer_init(&timer, stop);
    poller_timer_set(&poller, &timer, ms);
    assert_int_equal(poller_run(&poller, &err), 0);
}

#define RUN_UNTIL(condition)                                                                       \
    do                                                                                             \
        run_for(5);                                                                                \
    while (!(condition))

static bool is_gone(pid_t pid)
{
    return kill(pid, 0) < 0;
}

static pid_t child_that_exits(int status)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(status);
    return pid;
}

/* A process whose parent ends when the gate is closed, such as crun's helper that has made a
 * container. */
static pid_t child_of_one_that_waits(int status, int *out_gate)
{
    int ends[2], gate[2];
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(pipe(gate), 0);
    if (fork() == 0) {
        close(gate[1]);
        pid = child_that_exits(status);
        if (write(ends[1], &pid, sizeof pid) != sizeof pid || read(gate[0], &pid, 1) != 0)
            _exit(1);
        _exit(0);
    }
    close(gate[0]);
    *out_gate = gate[1];
    assert_int_equal(read(ends[0], &pid, sizeof pid), sizeof pid);
    close(ends[0]);
    close(ends[1]);
    return pid;
}

static pid_t parent_of(pid_t pid)
{
    char path[32], text[512] = "";
    FILE *file;
    int parent;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    assert_int_equal(sscanf(strrchr(text, ')'), ") %*c %d", &parent), 1);
    return parent;
}

/* A process that loses its parent, as an exec does when the OCI runtime ends. */
static pid_t orphan_that_exits(int status, unsigned after_us)
{
    int ends[2];
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    if (fork() == 0) {
        pid = fork();
        if (pid > 0)
            _exit(write(ends[1], &pid, sizeof pid) != sizeof pid);
        usleep(after_us);
        _exit(status);
    }
    assert_int_equal(read(ends[0], &pid, sizeof pid), sizeof pid);
    close(ends[0]);
    close(ends[1]);
    while (parent_of(pid) != getpid())
        usleep(1000);
    return pid;
}

static void test_a_watched_child_is_told_once(void **state)
{
    struct heard h, killed;
    (void)state;

    heard_init(&h);
    heard_init(&killed);
    reaper_watch(&reaper, &h.child, child_that_exits(5));
    reaper_watch(&reaper, &killed.child, orphan_that_exits(0, 1000000));
    kill(killed.child.pid, SIGKILL);
    RUN_UNTIL(h.times > 0 && killed.times > 0);
    run_for(20);
    assert_int_equal(h.times, 1);
    assert_int_equal(h.status, 5);
    assert_int_equal(killed.times, 1);
    assert_int_equal(killed.status, 128 + SIGKILL);
}

static void test_one_that_ended_before_it_was_adopted_is_told(void **state)
{
    struct heard h;
    struct error err;
    pid_t pid;
    (void)state;

    heard_init(&h);
    reaper_expect(&reaper);
    pid = orphan_that_exits(6, 0);
    RUN_UNTIL(is_gone(pid)); /* it is reaped, as a stranger */
    assert_int_equal(reaper_adopt(&reaper, &h.child, pid, &err), 0);
    assert_true(h.child.has_ended);
    reaper_unexpect(&reaper);
    assert_int_equal(h.times, 0);
    RUN_UNTIL(h.times > 0);
    assert_int_equal(h.status, 6);
    assert_int_equal(reaper.expected, 0);
}

static void test_one_that_lives_or_is_a_zombie_can_be_adopted(void **state)
{
    struct heard living, dead;
    struct error err;
    (void)state;

    heard_init(&living);
    heard_init(&dead);
    reaper_expect(&reaper);
    assert_int_equal(reaper_adopt(&reaper, &living.child, orphan_that_exits(7, 100000), &err), 0);
    assert_int_equal(reaper_adopt(&reaper, &dead.child, child_that_exits(8), &err), 0);
    reaper_unexpect(&reaper);
    RUN_UNTIL(living.times > 0 && dead.times > 0);
    assert_int_equal(living.status, 7);
    assert_int_equal(dead.status, 8);
}

static void test_one_whose_parent_is_about_to_end_can_be_adopted(void **state)
{
    struct heard h;
    struct error err;
    pid_t pid;
    int gate;
    (void)state;

    heard_init(&h);
    reaper_expect(&reaper);
    pid = child_of_one_that_waits(12, &gate);
    assert_int_equal(reaper_adopt(&reaper, &h.child, pid, &err), 0);
    reaper_unexpect(&reaper);
    run_for(50);
    assert_int_equal(h.times, 0);
    close(gate);
    RUN_UNTIL(h.times > 0);
    assert_int_equal(h.status, 12);
}

static void test_one_that_had_ended_can_be_forgotten(void **state)
{
    struct heard h;
    struct error err;
    pid_t pid;
    (void)state;

    heard_init(&h);
    reaper_expect(&reaper);
    pid = orphan_that_exits(6, 0);
    run_for(50);
    assert_int_equal(reaper_adopt(&reaper, &h.child, pid, &err), 0);
    reaper_unexpect(&reaper);
    reaper_forget(&h.child);
    assert_int_equal(reaper.expected, 0);
    run_for(10);
    assert_int_equal(h.times, 0);
}

static void test_strangers_are_reaped_and_forgotten(void **state)
{
    struct heard h;
    struct error err;
    pid_t pid = orphan_that_exits(9, 0);
    (void)state;

    heard_init(&h);
    RUN_UNTIL(is_gone(pid));
    reaper_expect(&reaper);
    assert_int_equal(reaper_adopt(&reaper, &h.child, pid, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_int_equal(reaper_adopt(&reaper, &h.child, getppid(), &err), -1);
    reaper_unexpect(&reaper);
}

static void test_a_flood_of_strangers_does_not_drown_the_latest(void **state)
{
    struct heard h;
    struct error err;
    pid_t pid;
    (void)state;

    heard_init(&h);
    reaper_expect(&reaper);
    for (int i = 0; i < REAPER_EARLY_MAX + 50; i++) {
        child_that_exits(1);
        if (i % 50 == 0)
            run_for(1);
    }
    pid = child_that_exits(11);
    RUN_UNTIL(is_gone(pid));
    assert_int_equal(reaper_adopt(&reaper, &h.child, pid, &err), 0);
    reaper_unexpect(&reaper);
    RUN_UNTIL(h.times > 0);
    assert_int_equal(h.status, 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_watched_child_is_told_once),
        cmocka_unit_test(test_one_that_ended_before_it_was_adopted_is_told),
        cmocka_unit_test(test_one_that_lives_or_is_a_zombie_can_be_adopted),
        cmocka_unit_test(test_one_whose_parent_is_about_to_end_can_be_adopted),
        cmocka_unit_test(test_one_that_had_ended_can_be_forgotten),
        cmocka_unit_test(test_strangers_are_reaped_and_forgotten),
        cmocka_unit_test(test_a_flood_of_strangers_does_not_drown_the_latest),
    };
    struct error err;

    if (poller_init(&poller, &err) < 0 || reaper_init(&reaper, &poller, &err) < 0)
        return 1;
    return cmocka_run_group_tests_name("reaper", tests, NULL, NULL);
}
