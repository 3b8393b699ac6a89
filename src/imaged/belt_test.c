// SPDX-License-Identifier: Apache-2.0
#include "imaged/belt.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { BUFFERS = 1000, STOP_AFTER = 10 };

struct taker {
    struct belt *belt;
    size_t stop_after; /* 0: never */
    size_t taken;
    bool in_order;
};

static void *take(void *data)
{
    struct taker *t = data;
    const char *bytes;
    size_t len, number;

    t->in_order = true;
    while ((t->stop_after == 0 || t->taken < t->stop_after) && (bytes = belt_next(t->belt, &len))) {
        memcpy(&number, bytes, sizeof number);
        t->in_order = t->in_order && number == t->taken && len == sizeof number + number % 100;
        t->taken++;
        belt_pop(t->belt);
    }
    belt_stop(t->belt);
    return NULL;
}

/* Sends numbered buffers; returns how many were taken off its hands. */
static size_t fill(struct belt *b)
{
    for (size_t i = 0; i < BUFFERS; i++) {
        char *room = belt_room(b);

        if (!room)
            return i;
        assert_ptr_equal(room, belt_room(b));
        memcpy(room, &i, sizeof i);
        belt_push(b, sizeof i + i % 100);
    }
    return BUFFERS;
}

static void test_buffers_arrive_in_order(void **state)
{
    AUTO(belt) *b = belt_new();
    struct taker t = {.belt = b};
    pthread_t thread;
    (void)state;

    assert_int_equal(pthread_create(&thread, NULL, take, &t), 0);
    assert_int_equal(fill(b), BUFFERS);
    belt_end(b);
    pthread_join(thread, NULL);
    assert_int_equal(t.taken, BUFFERS);
    assert_true(t.in_order);
}

static void test_who_fills_learns_that_nobody_empties(void **state)
{
    AUTO(belt) *b = belt_new();
    struct taker t = {.belt = b, .stop_after = STOP_AFTER};
    pthread_t thread;
    size_t sent;
    (void)state;

    assert_int_equal(pthread_create(&thread, NULL, take, &t), 0);
    sent = fill(b);
    belt_end(b);
    pthread_join(thread, NULL);
    assert_int_equal(t.taken, STOP_AFTER);
    assert_in_range(sent, STOP_AFTER, STOP_AFTER + BELT_SLOTS);
}

static void test_an_end_without_buffers(void **state)
{
    AUTO(belt) *b = belt_new();
    size_t len;
    (void)state;

    belt_end(b);
    assert_null(belt_next(b, &len));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buffers_arrive_in_order),
        cmocka_unit_test(test_who_fills_learns_that_nobody_empties),
        cmocka_unit_test(test_an_end_without_buffers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
