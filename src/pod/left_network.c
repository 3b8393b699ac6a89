// SPDX-License-Identifier: Apache-2.0
#include "pod/left_network.h"

#include "base/log.h"
#include "base/message.h"
#include "base/own.h"
#include "pod/lost_record.h"
#include "pod/sandbox_network.h"
#include "pod/sandbox_record.h"

static const char insert_left[] =
    "INSERT OR REPLACE INTO left_networks(pod_id, config, cni) VALUES(?1, ?2, ?3)";
static const char delete_left[] = "DELETE FROM left_networks WHERE pod_id = ?1";
static const char select_left[] = "SELECT pod_id, config, cni FROM left_networks";

enum { AT_ONCE = 1000 };

int left_network_store(struct sandbox *s, const char *record, struct error *err)
{
    size_t len;
    AUTO_FREE void *config = message_pack(&s->config->base, &len);

    return database_run(
        s->node->database,
        &DATABASE_STEP(insert_left, DB_TEXT(s->id), DB_BLOB(config, len), DB_TEXT(record)), 1, err);
}

/* Pods that nobody knows any more, with the record in cni. */
struct loading {
    struct node *node;
    struct sandbox *pods[AT_ONCE];
    size_t n;
};

static int load_one(void *data, const struct database_row *row, struct error *err)
{
    struct loading *l = data;
    size_t len;
    const void *bytes = database_blob(row, 1, &len);
    Runtime__V1__PodSandboxConfig *config;

    if (l->n == AT_ONCE)
        return 0;
    config = sandbox_record_unpack(bytes, len, err);
    if (!config)
        config = lost_record_pod(""); /* plugins know the address by the pod's id */
    l->pods[l->n] = sandbox_new(l->node, database_text(row, 0), "", config);
    l->pods[l->n++]->cni = xstrdup(database_text(row, 2));
    return 0;
}

static void retry(struct sandbox *s)
{
    struct error err;

    if (sandbox_network_take_down(s, s->cni, &err) == 0 &&
        database_run(s->node->database, &DATABASE_STEP(delete_left, DB_TEXT(s->id)), 1, &err) == 0)
        log_info("what was left of the network of pod %s is gone", s->id);
    else
        log_warn("what is left of the network of pod %s stays: %s", s->id, err.text);
}

static int retry_all(void *data, struct error *err)
{
    struct loading l = {.node = data};

    if (database_query(l.node->database, &(struct database_step){.sql = select_left}, load_one, &l,
                       err) < 0)
        return error_wrap(err, "load what is left of networks");
    for (size_t i = 0; i < l.n; i++) {
        retry(l.pods[i]);
        sandbox_free(l.pods[i]);
    }
    return 0;
}

void left_network_retry(struct node *n)
{
    static const char key[] = "what is left of networks";
    struct deadline forever = DEADLINE_NONE;
    AUTO_FREE char *nothing = NULL;
    struct job *job = NULL;
    struct error err;
    int outcome = job_enter(n->jobs, key, &forever, false, &job, &nothing, &err);

    if (outcome == JOB_LEADS) {
        outcome = retry_all(n, &err);
        job_leave(job, outcome < 0 ? NULL : "", &err);
    } else {
        /* That one began before us, and may have passed what can be taken down only now. */
        outcome = job_share(n->jobs, key, &forever, retry_all, n, &err);
    }
    if (outcome < 0)
        log_error("%s", err.text);
}
