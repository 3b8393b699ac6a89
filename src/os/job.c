// SPDX-License-Identifier: Apache-2.0
#include "os/job.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/map.h"
#include "base/own.h"

struct job_table {
    pthread_mutex_t lock;
    struct map running; /* key → struct job */
};

struct job {
    struct job_table *table;
    char *key;
    int refs; /* the leader and those who wait */
    const struct deadline *client;
    int ended_fd; /* readable once the job has ended */
    char *result;
    struct error err;
};

struct job_table *job_table_new(void)
{
    struct job_table *t = xcalloc(1, sizeof *t);

    pthread_mutex_init(&t->lock, NULL);
    return t;
}

void job_table_free(struct job_table *t)
{
    if (!t)
        return;
    map_fini(&t->running);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

/* Under the lock. */
static void unref(struct job *j)
{
    if (--j->refs > 0)
        return;
    fd_close(&j->ended_fd);
    free(j->key);
    free(j->result);
    free(j);
}

static struct job *lead(struct job_table *t, const char *key, const struct deadline *client)
{
    struct job *j = xcalloc(1, sizeof *j);

    j->table = t;
    j->key = xstrdup(key);
    j->refs = 1;
    j->client = client;
    j->ended_fd = eventfd(0, EFD_CLOEXEC);
    if (j->ended_fd < 0)
        abort();
    map_put(&t->running, key, j);
    return j;
}

static int join(struct job *j, const struct deadline *client, char **out_result, struct error *err)
{
    struct job_table *t = j->table;
    int outcome = deadline_wait(client, j->ended_fd, POLLIN, err);

    pthread_mutex_lock(&t->lock);
    if (outcome == 0 && j->result) {
        *out_result = xstrdup(j->result);
        outcome = JOB_JOINED;
    } else if (outcome == 0) {
        *err = j->err;
        outcome = -1;
    }
    unref(j);
    pthread_mutex_unlock(&t->lock);
    return outcome;
}

int job_enter(struct job_table *t, const char *key, const struct deadline *client,
              bool only_abandoned, struct job **out, char **out_result, struct error *err)
{
    struct error gone;
    struct job *j;
    bool living;

    pthread_mutex_lock(&t->lock);
    j = map_find(&t->running, key);
    if (!j) {
        *out = lead(t, key, client);
        pthread_mutex_unlock(&t->lock);
        return JOB_LEADS;
    }
    living = only_abandoned && deadline_check(j->client, &gone) == 0;
    if (!living)
        j->refs++;
    pthread_mutex_unlock(&t->lock);
    if (living)
        return error_set(err, ERROR_PRECONDITION, "the same request is being worked on");
    return join(j, client, out_result, err);
}

void job_leave(struct job *j, const char *result, const struct error *err)
{
    struct job_table *t = j->table;
    uint64_t one = 1;

    pthread_mutex_lock(&t->lock);
    if (result)
        j->result = xstrdup(result);
    else
        j->err = *err;
    map_remove(&t->running, j->key);
    if (write(j->ended_fd, &one, sizeof one) < 0)
        abort(); /* an eventfd has room for a one */
    unref(j);
    pthread_mutex_unlock(&t->lock);
}

int job_share(struct job_table *t, const char *key, const struct deadline *client, job_work *work,
              void *data, struct error *err)
{
    AUTO_FREE char *nothing = NULL;
    struct job *job = NULL;
    int outcome = job_enter(t, key, client, false, &job, &nothing, err);

    if (outcome != JOB_LEADS)
        return outcome == JOB_JOINED ? 0 : -1;
    outcome = work(data, err);
    job_leave(job, outcome < 0 ? NULL : "", err);
    return outcome;
}
