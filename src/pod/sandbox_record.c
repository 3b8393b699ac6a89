// SPDX-License-Identifier: Apache-2.0
#include "pod/sandbox_record.h"

#include <string.h>

#include "base/log.h"
#include "base/message.h"
#include "pod/lost_record.h"

static const char insert_pod[] =
    "INSERT INTO pods(id, name, config, handler, runtime, created_ns, ready, boot_id, shim_pid,"
    " shim_start, ips, cni, runtime_path)"
    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, 0, 0, '', NULL, ?8)";
static const char update_pod[] =
    "UPDATE pods SET ready = ?2, shim_pid = ?3, shim_start = ?4, ips = ?5, cni = ?6"
    " WHERE id = ?1";
static const char update_resources[] = "UPDATE pods SET updated = ?2 WHERE id = ?1";
static const char delete_pod[] = "DELETE FROM pods WHERE id = ?1";
static const char select_pods[] =
    "SELECT id, name, config, handler, runtime, created_ns, ready, boot_id, shim_pid, shim_start,"
    " ips, cni, updated, runtime_path FROM pods";

int sandbox_record_insert(struct sandbox *s, struct error *err)
{
    size_t len;
    AUTO_FREE void *config = message_pack(&s->config->base, &len);

    if (database_run(s->node->database,
                     &DATABASE_STEP(insert_pod, DB_TEXT(s->id), DB_TEXT(s->name),
                                    DB_BLOB(config, len), DB_TEXT(s->handler),
                                    DB_TEXT(s->runtime->name), DB_INT(s->created_ns),
                                    DB_TEXT(s->node->boot_id), DB_TEXT(s->runtime->path)),
                     1, err) < 0)
        return error_wrap(err, "record pod %s", s->name);
    return 0;
}

int sandbox_record_update(struct sandbox *s, struct error *err)
{
    AUTO_FREE char *ips = NULL, *cni = NULL;
    int64_t ready, pid, start;

    pthread_mutex_lock(&s->node->lock);
    ips = strv_join(&s->ips, " ");
    cni = s->cni ? xstrdup(s->cni) : NULL;
    ready = s->state == SANDBOX_READY;
    pid = s->shim_pid;
    start = (int64_t)s->shim_start;
    pthread_mutex_unlock(&s->node->lock);
    if (database_run(s->node->database,
                     &DATABASE_STEP(update_pod, DB_TEXT(s->id), DB_INT(ready), DB_INT(pid),
                                    DB_INT(start), DB_TEXT(ips), DB_TEXT(cni)),
                     1, err) < 0)
        return error_wrap(err, "record pod %s", s->name);
    return 0;
}

int sandbox_record_set_updated(struct sandbox *s,
                               const Runtime__V1__UpdatePodSandboxResourcesRequest *updated,
                               struct error *err)
{
    size_t len;
    AUTO_FREE void *bytes = message_pack(&updated->base, &len);

    return database_run(s->node->database,
                        &DATABASE_STEP(update_resources, DB_TEXT(s->id), DB_BLOB(bytes, len)), 1,
                        err);
}

int sandbox_record_delete(struct sandbox *s, struct error *err)
{
    return database_run(s->node->database, &DATABASE_STEP(delete_pod, DB_TEXT(s->id)), 1, err);
}

struct loading {
    struct node *node;
    void (*each)(struct sandbox *taken);
};

Runtime__V1__PodSandboxConfig *sandbox_record_unpack(const void *bytes, size_t len,
                                                     struct error *err)
{
    Runtime__V1__PodSandboxConfig *config = (Runtime__V1__PodSandboxConfig *)message_unpack(
        &runtime__v1__pod_sandbox_config__descriptor, bytes, len, err);

    if (!config || config->metadata)
        return config;
    message_free(&config->base);
    error_set(err, ERROR_DATA_LOSS, "it has no metadata");
    return NULL;
}

/* What runs is never forgotten: without its configuration a pod can still be stopped and removed.
 */
static int load_one(void *data, const struct database_row *row, struct error *err)
{
    struct loading *l = data;
    size_t len;
    const void *bytes = database_blob(row, 2, &len);
    Runtime__V1__PodSandboxConfig *config = sandbox_record_unpack(bytes, len, err);
    bool is_lost = !config;
    struct sandbox *s;

    if (is_lost) {
        log_error("the record of pod %s cannot be read, so it is not ready until it is removed: %s",
                  database_text(row, 0), err->text);
        config = lost_record_pod(database_text(row, 1));
    }
    s = sandbox_new(l->node, database_text(row, 0), database_text(row, 1), config);
    free(s->handler);
    s->handler = xstrdup(database_text(row, 3));
    s->runtime = node_runtime_recall(l->node, database_text(row, 4), database_text(row, 13));
    s->created_ns = database_int(row, 5);
    if (strcmp(database_text(row, 7), l->node->boot_id) == 0) {
        s->state = database_int(row, 6) ? SANDBOX_READY : SANDBOX_NOTREADY;
        s->shim_pid = (pid_t)database_int(row, 8);
        s->shim_start = (uint64_t)database_int(row, 9);
    }
    if (is_lost && s->state == SANDBOX_READY)
        s->state = SANDBOX_UNKNOWN;
    strv_add_split(&s->ips, database_text(row, 10), ' ');
    bytes = database_blob(row, 12, &len);
    if (bytes)
        s->updated = (Runtime__V1__UpdatePodSandboxResourcesRequest *)message_unpack(
            &runtime__v1__update_pod_sandbox_resources_request__descriptor, bytes, len, err);
    s->cni = *database_text(row, 11) ? xstrdup(database_text(row, 11)) : NULL;
    l->each(s);
    return 0;
}

int sandbox_record_load(struct node *n, void (*each)(struct sandbox *taken), struct error *err)
{
    struct loading l = {n, each};

    if (database_query(n->database, &(struct database_step){.sql = select_pods}, load_one, &l,
                       err) < 0)
        return error_wrap(err, "load pods");
    return 0;
}
