// SPDX-License-Identifier: Apache-2.0
#include "pod/container_record.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/message.h"
#include "oci/spec.h"
#include "pod/lost_record.h"

static const char insert_container[] =
    "INSERT INTO containers(id, pod_id, name, config, extra, created_ns, started_ns, finished_ns,"
    " exit_code, pid, reason, message) VALUES(?1, ?2, ?3, ?4, ?5, ?6, 0, 0, 0, 0, NULL, NULL)";
static const char update_container[] =
    "UPDATE containers SET started_ns = ?2, finished_ns = ?3, exit_code = ?4, pid = ?5,"
    " reason = ?6, message = ?7 WHERE id = ?1";
static const char update_extra[] = "UPDATE containers SET extra = ?2 WHERE id = ?1";
static const char delete_container[] = "DELETE FROM containers WHERE id = ?1";
static const char select_containers[] =
    "SELECT id, pod_id, name, config, extra, created_ns, started_ns, finished_ns, exit_code, pid,"
    " reason, message FROM containers";

enum { GONE_STATUS = 255 };

/* The resources are a protobuf message; as hex they fit into JSON. */
static void add_resources(struct json_object *extra, const Runtime__V1__LinuxContainerResources *r)
{
    size_t len;
    AUTO_FREE unsigned char *bytes = message_pack(&r->base, &len);
    AUTO_FREE char *hex = xmalloc(2 * len + 1);

    for (size_t i = 0; i < len; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    hex[2 * len] = '\0';
    json_add_str(extra, "resources", hex);
}

static Runtime__V1__LinuxContainerResources *get_resources(struct json_object *extra)
{
    const char *hex = json_get_str(extra, "resources");
    size_t len = hex ? strlen(hex) / 2 : 0;
    AUTO_FREE unsigned char *bytes = xmalloc(len);
    struct error ignored;

    if (!hex)
        return NULL;
    for (size_t i = 0; i < len; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

        bytes[i] = (unsigned char)strtoul(digits, NULL, 16);
    }
    return (Runtime__V1__LinuxContainerResources *)message_unpack(
        &runtime__v1__linux_container_resources__descriptor, bytes, len, &ignored);
}

static struct json_object *describe(const struct container *c)
{
    struct json_object *extra = json_object_new_object(), *layers, *groups;

    json_add_str(extra, "image_id", c->image_id);
    json_add_str(extra, "image_ref", c->image_ref);
    json_add_str(extra, "image_name", c->image_name);
    json_add_str(extra, "log_path", c->log_path);
    json_add_str(extra, "stop_signal", c->stop_signal);
    json_add_str(extra, "cgroups_path", c->cgroups_path);
    layers = json_add_array(extra, "layers");
    for (size_t i = 0; i < c->layers.len; i++)
        json_add_str(layers, NULL, c->layers.items[i]);
    json_add_int(extra, "uid", c->user.uid);
    json_add_int(extra, "gid", c->user.gid);
    groups = json_add_array(extra, "groups");
    for (size_t i = 0; i < c->user.n_groups; i++)
        json_add_int(groups, NULL, c->user.groups[i]);
    if (c->resources)
        add_resources(extra, c->resources);
    return extra;
}

static char *get_copy(struct json_object *extra, const char *key)
{
    const char *text = json_get_str(extra, key);

    return xstrdup(text ? text : "");
}

static void apply(struct container *c, struct json_object *extra)
{
    struct json_object *layers = json_get(extra, "layers"), *groups = json_get(extra, "groups");

    c->image_id = get_copy(extra, "image_id");
    c->image_ref = get_copy(extra, "image_ref");
    c->image_name = get_copy(extra, "image_name");
    c->log_path = get_copy(extra, "log_path");
    c->stop_signal = get_copy(extra, "stop_signal");
    c->cgroups_path = get_copy(extra, "cgroups_path");
    for (size_t i = 0; i < json_len(layers); i++)
        if (json_str(json_at(layers, i)))
            strv_add(&c->layers, json_str(json_at(layers, i)));
    c->user.uid = (uint32_t)json_get_int(extra, "uid", 0);
    c->user.gid = (uint32_t)json_get_int(extra, "gid", 0);
    c->user.groups = xcalloc(json_len(groups), sizeof *c->user.groups);
    for (size_t i = 0; i < json_len(groups); i++)
        c->user.groups[c->user.n_groups++] = (uint32_t)json_object_get_int64(json_at(groups, i));
    c->resources = get_resources(extra);
}

int container_record_insert(struct container *c, struct error *err)
{
    JSON_AUTO *extra = describe(c);
    size_t len;
    AUTO_FREE void *config = message_pack(&c->config->base, &len);

    if (database_run(c->sandbox->node->database,
                     &DATABASE_STEP(insert_container, DB_TEXT(c->id), DB_TEXT(c->sandbox->id),
                                    DB_TEXT(c->name), DB_BLOB(config, len),
                                    DB_TEXT(json_text(extra)), DB_INT(c->status.created_ns)),
                     1, err) < 0)
        return error_wrap(err, "record container %s", c->name);
    return 0;
}

int container_record_update(struct container *c, const struct container_status *status,
                            struct error *err)
{
    if (database_run(c->sandbox->node->database,
                     &DATABASE_STEP(update_container, DB_TEXT(c->id), DB_INT(status->started_ns),
                                    DB_INT(status->finished_ns), DB_INT(status->exit_code),
                                    DB_INT(status->pid), DB_TEXT(status->reason),
                                    DB_TEXT(status->message)),
                     1, err) < 0)
        return error_wrap(err, "record container %s", c->name);
    return 0;
}

int container_record_update_resources(struct container *c, struct error *err)
{
    JSON_AUTO *extra = describe(c);

    return database_run(c->sandbox->node->database,
                        &DATABASE_STEP(update_extra, DB_TEXT(c->id), DB_TEXT(json_text(extra))), 1,
                        err);
}

int container_record_delete(struct container *c, struct error *err)
{
    return database_run(c->sandbox->node->database,
                        &DATABASE_STEP(delete_container, DB_TEXT(c->id)), 1, err);
}

struct loading {
    struct node *node;
    void (*each)(struct container *taken);
};

/* NULL when there is nothing in it that could be used. */
static Runtime__V1__ContainerConfig *load_config(const struct database_row *row, struct error *err)
{
    size_t len;
    const void *bytes = database_blob(row, 3, &len);
    Runtime__V1__ContainerConfig *config = (Runtime__V1__ContainerConfig *)message_unpack(
        &runtime__v1__container_config__descriptor, bytes, len, err);

    if (!config || (config->metadata && config->image))
        return config;
    message_free(&config->base);
    error_set(err, ERROR_DATA_LOSS, "it has no metadata or no image");
    return NULL;
}

static void load_status(struct container *c, const struct database_row *row)
{
    c->status.created_ns = database_int(row, 5);
    c->status.started_ns = database_int(row, 6);
    c->status.finished_ns = database_int(row, 7);
    c->status.exit_code = (int)database_int(row, 8);
    c->status.pid = (pid_t)database_int(row, 9);
    if (*database_text(row, 10))
        c->status.reason = xstrdup(database_text(row, 10));
    if (*database_text(row, 11))
        c->status.message = xstrdup(database_text(row, 11));
}

/* What runs is never forgotten, whatever became of its record: it can be stopped and removed. What
 * did not run yet cannot be started any more. */
static void set_lost(struct container *c, const struct error *why)
{
    log_error("the record of container %s cannot be read: %s", c->id, why->text);
    if (c->status.finished_ns)
        return;
    if (c->status.started_ns) {
        c->unknown = true;
        return;
    }
    c->status.finished_ns = clock_now_ns();
    c->status.exit_code = GONE_STATUS;
    container_set_text(&c->status.reason, "Unknown");
    container_set_text(&c->status.message, "its record cannot be read");
}

/* As when it was made. It must have one: what ends it empties its cgroup. */
static void find_cgroup(struct container *c)
{
    const Runtime__V1__LinuxPodSandboxConfig *linux = c->sandbox->config->linux;
    const char *parent = linux ? linux->cgroup_parent : "";
    struct error ignored;

    if (*c->cgroups_path)
        return;
    free(TAKE(c->cgroups_path));
    if (oci_cgroups_path(parent, c->id, oci_cgroups_parent_is_slice(parent), &c->cgroups_path,
                         &ignored) < 0)
        c->cgroups_path = xasprintf("/berth/%s", c->id);
}

static int load_one(void *data, const struct database_row *row, struct error *err)
{
    struct loading *l = data;
    struct sandbox *s = map_find(&l->node->sandboxes, database_text(row, 1));
    Runtime__V1__ContainerConfig *config = load_config(row, err);
    JSON_AUTO *extra =
        config ? json_parse(database_text(row, 4), strlen(database_text(row, 4)), err) : NULL;
    bool is_lost = !config || !extra;
    struct container *c;

    if (!s) {
        log_error("the record of container %s is passed over: its pod has none",
                  database_text(row, 0));
        if (config)
            message_free(&config->base);
        return 0;
    }
    if (!config)
        config = lost_record_container(database_text(row, 2));
    c = container_new(s, database_text(row, 0), database_text(row, 2), config);
    load_status(c, row);
    if (is_lost)
        set_lost(c, err);
    apply(c, extra);
    find_cgroup(c);
    l->each(c);
    return 0;
}

int container_record_load(struct node *n, void (*each)(struct container *taken), struct error *err)
{
    struct loading l = {n, each};

    if (database_query(n->database, &(struct database_step){.sql = select_containers}, load_one, &l,
                       err) < 0)
        return error_wrap(err, "load containers");
    return 0;
}
