// SPDX-License-Identifier: Apache-2.0
#include "os/loop.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fd.h"

struct fixture {
    struct loop *loop;
    struct loop_source *sources[2];
    int fds[2];
    int calls;
};

static int setup(void **state)
{
    static struct fixture f;
    struct error err;

    f = (struct fixture){.loop = loop_new(&err)};
    assert_non_null(f.loop);
    f.fds[0] = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    f.fds[1] = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    loop_free(f->loop);
    fd_close(&f->fds[0]);
    fd_close(&f->fds[1]);
    return 0;
}

static void run(struct fixture *f)
{
    struct error err;

    assert_int_equal(loop_run(f->loop, &err), 0);
}

static void count_and_stop(void *data, uint32_t events)
{
    struct fixture *f = data;

    assert_true(events & EPOLLIN);
    f->calls++;
    loop_stop(f->loop);
}

static void test_a_readable_descriptor_calls_back(void **state)
{
    struct fixture *f = *state;
    struct error err;

    f->sources[0] = loop_add(f->loop, f->fds[0], EPOLLIN, count_and_stop, f, &err);
    assert_non_null(f->sources[0]);
    run(f);
    assert_int_equal(f->calls, 1);
    run(f);
    assert_int_equal(f->calls, 2);
}

static void test_a_bad_descriptor_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};

    assert_null(loop_add(f->loop, -1, EPOLLIN, count_and_stop, f, &err));
    assert_int_equal(err.errnum, 9);
}

/* Both descriptors are ready in the same batch; whoever is first removes both. */
static void remove_both(void *data, uint32_t events)
{
    struct fixture *f = data;

    f->calls++;
    for (int i = 0; i < 2; i++) {
        loop_remove(f->sources[i]);
        fd_close(&f->fds[i]);
    }
    loop_stop(f->loop);
}

static void test_a_callback_may_remove_itself_and_others(void **state)
{
    struct fixture *f = *state;
    struct error err;

    for (int i = 0; i < 2; i++)
        f->sources[i] = loop_add(f->loop, f->fds[i], EPOLLIN, remove_both, f, &err);
    run(f);
    assert_int_equal(f->calls, 1);
}

static void test_changed_events_hold(void **state)
{
    struct fixture *f = *state;
    struct error err;

    f->sources[0] = loop_add(f->loop, f->fds[0], EPOLLIN, remove_both, f, &err);
    f->sources[1] = loop_add(f->loop, f->fds[1], EPOLLIN, count_and_stop, f, &err);
    loop_change(f->sources[0], 0);
    run(f);
    assert_int_equal(f->calls, 1);
}

static void on_tick(void *data, uint32_t events)
{
    struct fixture *f = data;

    if (++f->calls < 3)
        return;
    loop_remove(f->sources[0]);
    loop_stop(f->loop);
}

static void test_a_timer_ticks_until_removed(void **state)
{
    struct fixture *f = *state;
    int64_t before = clock_monotonic_ns();
    struct error err;

    f->sources[0] = loop_add_timer(f->loop, 10, on_tick, f, &err);
    assert_non_null(f->sources[0]);
    run(f);
    assert_int_equal(f->calls, 3);
    assert_true(clock_monotonic_ns() - before >= 30 * CLOCK_NS_PER_MS);
}

enum { POSTS = 1000, POSTERS = 4 };

static void count_post(void *data)
{
    struct fixture *f = data;

    if (++f->calls == POSTS * POSTERS)
        loop_stop(f->loop);
}

static void *post_many(void *data)
{
    struct fixture *f = data;

    for (int i = 0; i < POSTS; i++)
        loop_post(f->loop, count_post, f);
    return NULL;
}

static void test_posts_of_other_threads_all_arrive(void **state)
{
    struct fixture *f = *state;
    pthread_t threads[POSTERS];

    for (int i = 0; i < POSTERS; i++)
        pthread_create(&threads[i], NULL, post_many, f);
    run(f);
    for (int i = 0; i < POSTERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(f->calls, POSTS * POSTERS);
}

static void post_again(void *data)
{
    struct fixture *f = data;

    f->calls++;
    loop_post(f->loop, post_again, f);
}

static void test_a_post_that_posts_does_not_starve_others(void **state)
{
    struct fixture *f = *state;
    struct error err;

    f->sources[0] = loop_add_timer(f->loop, 5, count_and_stop, f, &err);
    loop_post(f->loop, post_again, f);
    run(f);
    assert_true(f->calls > 1);
}

static void test_a_stop_before_the_run_counts(void **state)
{
    struct fixture *f = *state;

    loop_stop(f->loop);
    run(f);
}

#define LOOP_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        LOOP_TEST(test_a_readable_descriptor_calls_back),
        LOOP_TEST(test_a_bad_descriptor_is_an_error),
        LOOP_TEST(test_a_callback_may_remove_itself_and_others),
        LOOP_TEST(test_changed_events_hold),
        LOOP_TEST(test_a_timer_ticks_until_removed),
        LOOP_TEST(test_posts_of_other_threads_all_arrive),
        LOOP_TEST(test_a_post_that_posts_does_not_starve_others),
        LOOP_TEST(test_a_stop_before_the_run_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
