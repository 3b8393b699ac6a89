// SPDX-License-Identifier: Apache-2.0
#include "os/pool.h"

#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <cmocka.h>

static atomic_int done;

static void count(void *data)
{
    atomic_fetch_add(&done, 1);
}

static struct pool *new_pool(size_t threads_max)
{
    struct error err;
    struct pool *p = pool_new(threads_max, &err);

    assert_non_null(p);
    atomic_store(&done, 0);
    return p;
}

static void test_freeing_waits_for_all_jobs(void **state)
{
    struct pool *p = new_pool(4);
    (void)state;

    for (int i = 0; i < 10000; i++)
        pool_submit(p, count, NULL);
    pool_free(p);
    assert_int_equal(atomic_load(&done), 10000);
}

static void meet(void *data)
{
    pthread_barrier_wait(data);
    atomic_fetch_add(&done, 1);
}

static void test_it_grows_while_jobs_wait(void **state)
{
    struct pool *p = new_pool(8);
    pthread_barrier_t barrier;
    (void)state;

    /* None of the eight can end before all of them run. */
    pthread_barrier_init(&barrier, NULL, 8);
    for (int i = 0; i < 8; i++)
        pool_submit(p, meet, &barrier);
    pool_free(p);
    pthread_barrier_destroy(&barrier);
    assert_int_equal(atomic_load(&done), 8);
}

static atomic_int running, most;

static void crowd(void *data)
{
    int now = atomic_fetch_add(&running, 1) + 1, seen = atomic_load(&most);

    while (seen < now && !atomic_compare_exchange_weak(&most, &seen, now))
        ;
    usleep(2000);
    atomic_fetch_sub(&running, 1);
    atomic_fetch_add(&done, 1);
}

static void test_it_grows_to_its_maximum_only(void **state)
{
    struct pool *p = new_pool(3);
    (void)state;

    for (int i = 0; i < 30; i++)
        pool_submit(p, crowd, NULL);
    pool_free(p);
    assert_int_equal(atomic_load(&most), 3);
    assert_int_equal(atomic_load(&done), 30);
}

struct resubmission {
    struct pool *pool;
    int left;
};

static void submit_again(void *data)
{
    struct resubmission *r = data;

    atomic_fetch_add(&done, 1);
    if (r->left-- > 0)
        pool_submit(r->pool, submit_again, r);
}

static void test_a_job_may_submit_jobs(void **state)
{
    struct resubmission r = {.pool = new_pool(2), .left = 100};
    (void)state;

    pool_submit(r.pool, submit_again, &r);
    while (atomic_load(&done) < 101)
        usleep(100);
    pool_free(r.pool);
}

static void wait_at_gate(void *data)
{
    sem_wait(data);
    atomic_fetch_add(&done, 1);
}

static void test_closing_waits_for_so_long_and_no_longer(void **state)
{
    struct pool *p = new_pool(2);
    sem_t gate;
    (void)state;

    sem_init(&gate, 0, 0);
    pool_submit(p, wait_at_gate, &gate);
    assert_false(pool_close(p, 20));
    sem_post(&gate);
    assert_true(pool_close(p, 20 * 1000));
    assert_int_equal(atomic_load(&done), 1);
    pool_free(p);
    sem_destroy(&gate);
}

static void look_at_signals(void *data)
{
    sigset_t mask;

    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    atomic_store(&done, sigismember(&mask, SIGTERM));
}

static void test_its_threads_take_no_signals(void **state)
{
    struct pool *p = new_pool(1);
    (void)state;

    pool_submit(p, look_at_signals, NULL);
    pool_free(p);
    assert_int_equal(atomic_load(&done), 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_freeing_waits_for_all_jobs),
        cmocka_unit_test(test_it_grows_while_jobs_wait),
        cmocka_unit_test(test_it_grows_to_its_maximum_only),
        cmocka_unit_test(test_a_job_may_submit_jobs),
        cmocka_unit_test(test_closing_waits_for_so_long_and_no_longer),
        cmocka_unit_test(test_its_threads_take_no_signals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
