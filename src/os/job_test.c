// SPDX-License-Identifier: Apache-2.0
#include "os/job.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

struct joiner {
    struct job_table *table;
    int role;
    char *result;
    struct error err;
};

static void *join(void *data)
{
    struct joiner *j = data;
    struct deadline by = deadline_in_ms(5000);
    struct job *job = NULL;

    j->role = job_enter(j->table, "k", &by, false, &job, &j->result, &j->err);
    return NULL;
}

static void test_who_comes_second_gets_the_result_of_the_first(void **state)
{
    struct job_table *t = job_table_new();
    struct deadline client = DEADLINE_NONE;
    struct joiner second = {.table = t};
    struct job *job = NULL;
    struct error err;
    pthread_t thread;

    (void)state;
    assert_int_equal(job_enter(t, "k", &client, false, &job, NULL, &err), JOB_LEADS);
    pthread_create(&thread, NULL, join, &second);
    usleep(20 * 1000);
    job_leave(job, "done", NULL);
    pthread_join(thread, NULL);
    /* It either joined, or came after the end and leads a job of its own. */
    assert_int_equal(second.role, JOB_JOINED);
    assert_string_equal(second.result, "done");
    free(second.result);
    job_table_free(t);
}

static void test_a_failure_is_the_failure_of_all(void **state)
{
    struct job_table *t = job_table_new();
    struct deadline client = DEADLINE_NONE;
    struct joiner second = {.table = t};
    struct error err = {0};
    struct job *job = NULL;
    pthread_t thread;

    (void)state;
    assert_int_equal(job_enter(t, "k", &client, false, &job, NULL, &err), JOB_LEADS);
    pthread_create(&thread, NULL, join, &second);
    usleep(20 * 1000);
    error_set(&err, ERROR_NOT_FOUND, "no such image");
    job_leave(job, NULL, &err);
    pthread_join(thread, NULL);
    assert_int_equal(second.role, -1);
    assert_int_equal(second.err.code, ERROR_NOT_FOUND);
    assert_string_equal(second.err.text, "no such image");
    job_table_free(t);
}

static void
test_a_leader_with_a_waiting_client_is_not_joined_when_only_abandoned_ones_are(void **state)
{
    struct job_table *t = job_table_new();
    struct deadline waiting = DEADLINE_NONE, soon = deadline_in_ms(50);
    struct job *job = NULL, *other = NULL;
    char *result = NULL;
    struct error err;

    (void)state;
    assert_int_equal(job_enter(t, "k", &waiting, true, &job, NULL, &err), JOB_LEADS);
    assert_int_equal(job_enter(t, "k", &soon, true, &other, &result, &err), -1);
    assert_int_equal(err.code, ERROR_PRECONDITION);
    job_leave(job, "x", NULL);

    /* The same again, but the leader's client has gone: its descriptor is readable. */
    waiting.cancel_fd = eventfd(1, EFD_CLOEXEC);
    assert_int_equal(job_enter(t, "k", &waiting, true, &job, NULL, &err), JOB_LEADS);
    assert_int_equal(job_enter(t, "k", &soon, true, &other, &result, &err), -1);
    assert_int_equal(err.code, ERROR_DEADLINE); /* it joined, and waited in vain */
    job_leave(job, "x", NULL);
    close(waiting.cancel_fd);
    job_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_comes_second_gets_the_result_of_the_first),
        cmocka_unit_test(test_a_failure_is_the_failure_of_all),
        cmocka_unit_test(
            test_a_leader_with_a_waiting_client_is_not_joined_when_only_abandoned_ones_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
