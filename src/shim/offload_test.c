// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "shim/offload.h"

enum { LONG_MS = 60 * 1000 };

static struct poller poller;

/* A call that returns when a byte comes. */
struct waiting {
    struct offload_job job;
    int ends[2];
    unsigned told;
};

static void work(struct offload_job *j)
{
    struct waiting *w = LIST_OF(j, struct waiting, job);
    char byte;

    if (read(w->ends[0], &byte, 1) != 1)
        _exit(1);
}

static void done(struct offload_job *j)
{
    LIST_OF(j, struct waiting, job)->told++;
    poller_stop(&poller);
}

static void waiting_init(struct waiting *w)
{
    *w = (struct waiting){.job = {.work = work, .done = done}};
    list_init(&w->job.link);
    assert_int_equal(pipe(w->ends), 0);
}

static void let_return(struct waiting *w)
{
    assert_int_equal(write(w->ends[1], "x", 1), 1);
}

static void run_loop(void)
{
    struct error err;

    poller.is_stopped = false;
    assert_int_equal(poller_run(&poller, &err), 0);
}

static void test_what_returns_soon_is_done(void **state)
{
    struct waiting w;
    (void)state;

    waiting_init(&w);
    for (int i = 0; i < 1000; i++) {
        let_return(&w);
        assert_true(offload_run(&w.job, LONG_MS));
    }
    assert_int_equal(w.told, 0);
    assert_true(offload_threads() <= 1);
}

static void test_what_does_not_is_told_of_later(void **state)
{
    int64_t begun = clock_monotonic_ns();
    struct waiting w;
    (void)state;

    waiting_init(&w);
    assert_false(offload_run(&w.job, 10));
    assert_true(clock_monotonic_ns() - begun >= 10 * CLOCK_NS_PER_MS);
    assert_int_equal(w.told, 0);
    let_return(&w);
    run_loop();
    assert_int_equal(w.told, 1);
}

static void test_one_that_is_late_can_be_waited_for(void **state)
{
    struct waiting w;
    (void)state;

    waiting_init(&w);
    assert_false(offload_run(&w.job, 1));
    assert_false(offload_await(&w.job, 1));
    let_return(&w);
    assert_true(offload_await(&w.job, LONG_MS));
    assert_false(offload_run(&w.job, 1));
    let_return(&w);
    assert_int_equal(poll(&(struct pollfd){poller.epoll_fd, POLLIN, 0}, 1, LONG_MS), 1);
    assert_true(offload_await(&w.job, 0)); /* which had returned, but was not told of */
    assert_int_equal(w.told, 0);
}

static void test_one_that_hangs_does_not_hold_up_another(void **state)
{
    struct waiting stuck, other;
    (void)state;

    waiting_init(&stuck);
    waiting_init(&other);
    assert_false(offload_run(&stuck.job, 1));
    for (int i = 0; i < 100; i++) {
        let_return(&other);
        assert_true(offload_run(&other.job, LONG_MS));
    }
    let_return(&stuck);
    run_loop();
    assert_int_equal(stuck.told, 1);
}

static void test_more_than_there_are_threads_for_wait(void **state)
{
    static struct waiting all[OFFLOAD_THREADS_MAX + 2];
    size_t told = 0;
    (void)state;

    for (size_t i = 0; i < OFFLOAD_THREADS_MAX + 2; i++) {
        waiting_init(&all[i]);
        assert_false(offload_run(&all[i].job, 1));
    }
    assert_int_equal(offload_threads(), OFFLOAD_THREADS_MAX);
    for (size_t i = 0; i < OFFLOAD_THREADS_MAX + 2; i++)
        let_return(&all[i]);
    while (told < OFFLOAD_THREADS_MAX + 2) {
        run_loop();
        told = 0;
        for (size_t i = 0; i < OFFLOAD_THREADS_MAX + 2; i++)
            told += all[i].told;
    }
    for (size_t i = 0; i < OFFLOAD_THREADS_MAX + 2; i++) {
        close(all[i].ends[0]);
        close(all[i].ends[1]);
    }
}

static void test_threads_end_when_there_is_nothing_to_do(void **state)
{
    (void)state;
    for (int i = 0; i < 600 && offload_threads() > 0; i++)
        usleep(100 * 1000);
    assert_int_equal(offload_threads(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_returns_soon_is_done),
        cmocka_unit_test(test_what_does_not_is_told_of_later),
        cmocka_unit_test(test_one_that_is_late_can_be_waited_for),
        cmocka_unit_test(test_one_that_hangs_does_not_hold_up_another),
        cmocka_unit_test(test_more_than_there_are_threads_for_wait),
        cmocka_unit_test(test_threads_end_when_there_is_nothing_to_do),
    };
    struct error err;

    if (poller_init(&poller, &err) < 0)
        return 1;
    offload_init(&poller);
    return cmocka_run_group_tests_name("offload", tests, NULL, NULL);
}
