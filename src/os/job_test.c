// SPDX-License-Identifier: Apache-2.0
#include "os/job.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/own.h"

struct joiner {
    struct job_table *table;
    int role;
    char *result;
    struct error err;
};

static bool is_in_poll(const char *task)
{
    AUTO_FINI(buf) text = BUF(1024);
    char path[64];
    struct error err;
    int number;

    snprintf(path, sizeof path, "/proc/self/task/%.20s/syscall", task);
    if (file_load(AT_FDCWD, path, &text, &err) < 0 || sscanf(text.data, "%d", &number) != 1)
        return false;
#ifdef SYS_poll
    if (number == SYS_poll)
        return true;
#endif
    return number == SYS_ppoll;
}

/* Until so many threads of ours wait in poll(2). */
static void wait_for_waiting(unsigned n)
{
    for (unsigned found = 0; found < n; usleep(1000)) {
        DIR *tasks = opendir("/proc/self/task");

        found = 0;
        for (struct dirent *entry; (entry = readdir(tasks));)
            found += is_in_poll(entry->d_name);
        closedir(tasks);
    }
}

static void *join(void *data)
{
    struct joiner *j = data;
    struct deadline by = deadline_in_ms(60 * 1000);
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
    wait_for_waiting(1);
    job_leave(job, "done", NULL);
    pthread_join(thread, NULL);
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
    wait_for_waiting(1);
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

struct shared {
    struct job_table *table;
    struct deadline client;
    _Atomic int works; /* how often it was done */
    _Atomic int ended; /* who was told so */
    int gate;
};

static int pass_gate(void *data, struct error *err)
{
    struct shared *s = data;
    struct deadline by = deadline_in_ms(60 * 1000);

    s->works++;
    return deadline_wait(&by, s->gate, POLLIN, err);
}

static void *share(void *data)
{
    struct shared *s = data;
    struct error err;

    if (job_share(s->table, "k", &s->client, pass_gate, s, &err) == 0)
        s->ended++;
    return NULL;
}

static void test_shared_work_is_done_once_and_outlives_the_client_of_its_leader(void **state)
{
    struct shared s = {.table = job_table_new(), .gate = eventfd(0, EFD_CLOEXEC)};
    struct deadline gone = {.cancel_fd = eventfd(1, EFD_CLOEXEC)};
    pthread_t leader, others[4];
    uint64_t one = 1;
    struct error err;

    (void)state;
    s.client = gone;
    pthread_create(&leader, NULL, share, &s);
    while (s.works == 0)
        usleep(1000);
    s.client = DEADLINE_NONE;
    for (size_t i = 0; i < 4; i++)
        pthread_create(&others[i], NULL, share, &s);
    wait_for_waiting(5); /* one that comes later finds nothing to join, and does it again */
    assert_int_equal(s.ended, 0);
    assert_int_equal(job_share(s.table, "k", &gone, pass_gate, &s, &err), -1);
    assert_int_equal(err.code, ERROR_CANCELLED);
    assert_int_equal(write(s.gate, &one, sizeof one), sizeof one);
    for (size_t i = 0; i < 4; i++)
        pthread_join(others[i], NULL);
    pthread_join(leader, NULL);
    assert_int_equal(s.ended, 5);
    close(gone.cancel_fd);
    close(s.gate);
    job_table_free(s.table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_comes_second_gets_the_result_of_the_first),
        cmocka_unit_test(test_a_failure_is_the_failure_of_all),
        cmocka_unit_test(
            test_a_leader_with_a_waiting_client_is_not_joined_when_only_abandoned_ones_are),
        cmocka_unit_test(test_shared_work_is_done_once_and_outlives_the_client_of_its_leader),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
