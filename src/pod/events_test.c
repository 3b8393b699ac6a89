// SPDX-License-Identifier: Apache-2.0
#include "pod/events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void publish(struct events *e, const char *id)
{
    Runtime__V1__ContainerEventResponse m = RUNTIME__V1__CONTAINER_EVENT_RESPONSE__INIT;

    m.container_id = (char *)id;
    events_publish(e, event_new(&m));
}

static void expect(struct events_subscriber *s, const char *id)
{
    struct deadline by = deadline_in_ms(60 * 1000);
    struct error err;
    struct event *e = events_next(s, &by, &err);

    assert_non_null(e);
    assert_string_equal(
        ((const Runtime__V1__ContainerEventResponse *)event_message(e))->container_id, id);
    event_free(e);
}

static void test_every_subscriber_gets_every_event_in_order(void **state)
{
    struct events *e = events_new();
    struct events_subscriber *one = events_subscribe(e), *two = events_subscribe(e);

    (void)state;
    publish(e, "a");
    publish(e, "b");
    expect(one, "a");
    expect(two, "a");
    expect(one, "b");
    expect(two, "b");
    events_unsubscribe(one);
    events_unsubscribe(two);
    events_free(e);
}

static void test_the_first_subscriber_gets_what_nobody_heard(void **state)
{
    struct events *e = events_new();
    struct events_subscriber *first, *second;
    struct deadline soon = deadline_in_ms(20);
    struct error err;

    (void)state;
    publish(e, "early");
    first = events_subscribe(e);
    second = events_subscribe(e);
    expect(first, "early");
    assert_null(events_next(second, &soon, &err));
    assert_int_equal(err.code, ERROR_DEADLINE);
    events_unsubscribe(first);
    events_unsubscribe(second);
    events_free(e);
}

static void test_one_who_does_not_listen_is_cut_off_and_holds_up_nobody(void **state)
{
    struct events *e = events_new();
    struct events_subscriber *slow = events_subscribe(e);
    struct deadline by = deadline_in_ms(60 * 1000);
    struct error err;
    int heard = 0;

    (void)state;
    for (int i = 0; i < EVENTS_QUEUE_MAX + 10; i++)
        publish(e, "x");
    for (struct event *event; (event = events_next(slow, &by, &err)); heard++)
        event_free(event);
    assert_int_equal(heard, EVENTS_QUEUE_MAX);
    assert_int_equal(err.code, ERROR_EXHAUSTED);
    events_unsubscribe(slow);
    events_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_subscriber_gets_every_event_in_order),
        cmocka_unit_test(test_the_first_subscriber_gets_what_nobody_heard),
        cmocka_unit_test(test_one_who_does_not_listen_is_cut_off_and_holds_up_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
