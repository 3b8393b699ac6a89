// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"
#include "os/cgroup_procs.h"

/* A folder with a list stands in for a group. */
static int set_up(void **state)
{
    static char path[] = "/tmp/cgroup-procs-test-XXXXXX";
    static int group;

    if (!mkdtemp(path) || (group = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        return -1;
    *state = &group;
    return 0;
}

static int tear_down(void **state)
{
    char path[64], folder[64];
    ssize_t len;

    snprintf(path, sizeof path, "/proc/self/fd/%d", *(int *)*state);
    len = readlink(path, folder, sizeof folder - 1);
    unlinkat(*(int *)*state, "cgroup.procs", 0);
    close(*(int *)*state);
    folder[len > 0 ? len : 0] = '\0';
    return rmdir(folder);
}

static pid_t start(void)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    for (;;)
        pause();
}

static void list(int group, const pid_t *pids, size_t n)
{
    AUTO_FINI(buf) text = BUF(64 * 1024);
    struct error err;

    for (size_t i = 0; i < n; i++) {
        AUTO_FREE char *line = xasprintf("%d\n", pids[i]);

        assert_int_equal(buf_append(&text, line, strlen(line), &err), 0);
    }
    assert_int_equal(
        file_store(group, "cgroup.procs", text.len ? text.data : "", text.len, 0600, &err), 0);
}

static void assert_killed_by(pid_t pid, int signal)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), signal);
}

/* More than are held at a time. */
static void test_those_who_are_listed_are_signalled(void **state)
{
    enum { N = 150 };
    int group = *(int *)*state;
    pid_t pids[N], other = start();

    for (size_t i = 0; i < N; i++)
        pids[i] = start();
    list(group, pids, N);
    assert_int_equal(cgroup_procs_signal(group, 0), N);
    assert_int_equal(cgroup_procs_signal(group, SIGTERM), N);
    for (size_t i = 0; i < N; i++)
        assert_killed_by(pids[i], SIGTERM);
    assert_int_equal(waitpid(other, NULL, WNOHANG), 0);
    kill(other, SIGKILL);
    assert_killed_by(other, SIGKILL);
}

/* The first who reads gets the one list, and the next one the other. */
struct two_lists {
    int group;
    pid_t first;
    pid_t next;
};

static void *tell(void *data)
{
    struct two_lists *lists = data;
    AUTO_CLOSE int fifo = openat(lists->group, "cgroup.procs", O_WRONLY | O_CLOEXEC);

    list(lists->group, &lists->next, 1);
    dprintf(fifo, "%d\n", lists->first);
    return NULL;
}

/* As if the pid had been given to a stranger in between. */
static void test_who_is_listed_no_more_is_spared(void **state)
{
    struct two_lists lists = {*(int *)*state, start(), start()};
    pthread_t teller;

    unlinkat(lists.group, "cgroup.procs", 0);
    assert_int_equal(mkfifoat(lists.group, "cgroup.procs", 0600), 0);
    assert_int_equal(pthread_create(&teller, NULL, tell, &lists), 0);
    assert_int_equal(cgroup_procs_signal(lists.group, SIGTERM), 1);
    pthread_join(teller, NULL);
    kill(lists.first, SIGKILL);
    kill(lists.next, SIGKILL);
    assert_killed_by(lists.first, SIGKILL);
    assert_killed_by(lists.next, SIGKILL);
}

static void test_a_group_that_has_gone_has_none(void **state)
{
    int group = *(int *)*state;

    unlinkat(group, "cgroup.procs", 0);
    assert_int_equal(cgroup_procs_signal(group, SIGKILL), 0);
    list(group, &(pid_t){1}, 1); /* the first process of all is nobody's */
    assert_int_equal(cgroup_procs_signal(group, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_those_who_are_listed_are_signalled),
        cmocka_unit_test(test_who_is_listed_no_more_is_spared),
        cmocka_unit_test(test_a_group_that_has_gone_has_none),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
