// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
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

static pid_t child_that_exits(int status)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(status);
    return pid;
}

/* A process whose parent ends soon, such as crun's helper that has made a container. */
static pid_t child_of_one_that_exits(unsigned after_us, int status)
{
    int ends[2];
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    if (fork() == 0) {
        pid = child_that_exits(status);
        if (write(ends[1], &pid, sizeof pid) != sizeof pid)
            _exit(1);
        usleep(after_us);
        _exit(0);
    }
    assert_int_equal(read(ends[0], &pid, sizeof pid), sizeof pid);
    close(ends[0]);
    close(ends[1]);
    return pid;
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
    usleep(20000); /* until its parent has ended */
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
    run_for(50);
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
    run_for(50); /* it is reaped, as a stranger */
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(reaper_adopt(&reaper, &h.child, pid, &err), 0);
    assert_true(h.child.has_ended);
    reaper_unexpect(&reaper);
    assert_int_equal(h.times, 0);
    run_for(10);
    assert_int_equal(h.times, 1);
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
    run_for(300);
    assert_int_equal(living.status, 7);
    assert_int_equal(dead.status, 8);
}

static void test_one_whose_parent_is_about_to_end_can_be_adopted(void **state)
{
    struct heard h;
    struct error err;
    (void)state;

    heard_init(&h);
    reaper_expect(&reaper);
    assert_int_equal(reaper_adopt(&reaper, &h.child, child_of_one_that_exits(100000, 12), &err), 0);
    reaper_unexpect(&reaper);
    run_for(50);
    assert_int_equal(h.times, 0);
    run_for(150);
    assert_int_equal(h.times, 1);
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
    run_for(50);
    assert_int_equal(kill(pid, 0), -1);
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
    run_for(200);
    assert_int_equal(reaper_adopt(&reaper, &h.child, pid, &err), 0);
    reaper_unexpect(&reaper);
    run_for(5);
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
