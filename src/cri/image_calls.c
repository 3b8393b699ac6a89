// SPDX-License-Identifier: Apache-2.0
#include "cri/image_calls.h"

#include <cri.pb-c.h>
#include <errno.h>
#include <fcntl.h>
#include <node.pb-c.h>
#include <string.h>

#include "base/fd.h"
#include "base/json.h"
#include "cri/image_message.h"
#include "cri/outcome.h"
#include "image/image_export.h"
#include "image/image_store.h"
#include "image/reference.h"
#include "pod/node.h"
#include "pod/stats.h"

enum { STREAM_BATCH = 5000 };

static const char *name_in(const Runtime__V1__ImageSpec *spec)
{
    return spec ? spec->image : "";
}

static Runtime__V1__Image *message_of(struct node *n, struct image *i, struct arena *a)
{
    Runtime__V1__Image *m = image_message_of(i, a);

    m->pinned = image_store_is_pinned(n->images, i) || offline_has(n->offline, i->id);
    return m;
}

/* All images, or the one that the filter names. */
static Runtime__V1__Image **select_images(struct node *n, const Runtime__V1__ImageFilter *f,
                                          struct arena *a, size_t *out_n)
{
    const char *name = f ? name_in(f->image) : "";
    size_t count = 0;
    struct error ignored;
    Runtime__V1__Image **items;

    if (*name) {
        AUTO(image) *only = image_store_find(n->images, name, &ignored);

        items = arena_alloc(a, sizeof *items);
        if (only)
            items[count++] = message_of(n, only, a);
        *out_n = count;
        return items;
    }
    AUTO_FREE struct image **list = image_store_list(n->images, &count);
    items = arena_alloc(a, count * sizeof *items);
    for (size_t i = 0; i < count; i++) {
        items[i] = message_of(n, list[i], a);
        image_free(list[i]);
    }
    *out_n = count;
    return items;
}

int image_calls_list(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                     ProtobufCMessage *response, struct error *err)
{
    Runtime__V1__ListImagesResponse *r = (Runtime__V1__ListImagesResponse *)response;

    r->images = select_images(data, ((const Runtime__V1__ListImagesRequest *)request)->filter,
                              rpc_call_arena(call), &r->n_images);
    return 0;
}

int image_calls_stream(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                       ProtobufCMessage *response, struct error *err)
{
    size_t n;
    Runtime__V1__Image **items =
        select_images(data, ((const Runtime__V1__StreamImagesRequest *)request)->filter,
                      rpc_call_arena(call), &n);

    for (size_t at = 0; at < n; at += STREAM_BATCH) {
        Runtime__V1__StreamImagesResponse batch = RUNTIME__V1__STREAM_IMAGES_RESPONSE__INIT;

        batch.images = items + at;
        batch.n_images = n - at < STREAM_BATCH ? n - at : STREAM_BATCH;
        if (rpc_call_send(call, &batch.base, err) < 0)
            return -1;
    }
    return 0;
}

int image_calls_status(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                       ProtobufCMessage *response, struct error *err)
{
    const Runtime__V1__ImageStatusRequest *r = (const Runtime__V1__ImageStatusRequest *)request;
    Runtime__V1__ImageStatusResponse *out = (Runtime__V1__ImageStatusResponse *)response;
    struct node *n = data;
    struct arena *a = rpc_call_arena(call);

    if (!*name_in(r->image))
        return error_set(err, ERROR_INVALID, "the request names no image");
    AUTO(image) *i = image_store_find(n->images, r->image->image, err);
    if (!i) /* an image that is not there is an answer */
        return err->code == ERROR_NOT_FOUND ? 0 : outcome_of(-1, err);
    out->image = message_of(n, i, a);
    if (r->verbose) {
        out->n_info = 1;
        out->info = arena_alloc(a, sizeof *out->info);
        out->info[0] = arena_new(a, &runtime__v1__image_status_response__info_entry__descriptor);
        out->info[0]->key = arena_strdup(a, "info");
        out->info[0]->value = image_message_info(i, a);
    }
    return 0;
}

/* From the folder of offline images, which no registry is asked for, or from the registry. */
static struct image *pull(struct node *n, const struct image_request *request, struct error *err)
{
    struct image *i = offline_find(n->offline, request->name);

    return i ? i : image_store_fetch(n->images, request, err);
}

int image_calls_pull(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                     ProtobufCMessage *response, struct error *err)
{
    const Runtime__V1__PullImageRequest *r = (const Runtime__V1__PullImageRequest *)request;
    Runtime__V1__PullImageResponse *out = (Runtime__V1__PullImageResponse *)response;
    const Runtime__V1__AuthConfig *auth = r->auth;
    struct image_request fetch = {.name = name_in(r->image), .client = rpc_call_deadline(call)};
    struct node *n = data;

    if (!*fetch.name)
        return error_set(err, ERROR_INVALID, "the request names no image");
    if (auth)
        fetch.credentials = (struct image_credentials){auth->username,       auth->password,
                                                       auth->auth,           auth->server_address,
                                                       auth->identity_token, auth->registry_token};
    AUTO(image) *i = pull(n, &fetch, err);
    if (!i)
        return outcome_of(-1, err);
    out->image_ref = arena_strdup(rpc_call_arena(call), i->id);
    return 0;
}

int image_calls_remove(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                       ProtobufCMessage *response, struct error *err)
{
    const Runtime__V1__RemoveImageRequest *r = (const Runtime__V1__RemoveImageRequest *)request;
    struct node *n = data;

    if (!*name_in(r->image))
        return error_set(err, ERROR_INVALID, "the request names no image");
    return outcome_of(image_store_remove(n->images, r->image->image, err), err);
}

/* Images and writable layers are on one file system, which both lists name. */
int image_calls_fs_info(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                        ProtobufCMessage *response, struct error *err)
{
    Runtime__V1__ImageFsInfoResponse *out = (Runtime__V1__ImageFsInfoResponse *)response;
    struct arena *a = rpc_call_arena(call);
    struct node *n = data;
    Runtime__V1__FilesystemUsage *usage = arena_new(a, &runtime__v1__filesystem_usage__descriptor);
    struct disk_usage disk;

    image_store_usage(n->images, &disk, &usage->timestamp);
    stats_add_writable_layers(n, &disk, &usage->timestamp);
    usage->fs_id = arena_new(a, &runtime__v1__filesystem_identifier__descriptor);
    usage->fs_id->mountpoint = n->root;
    usage->used_bytes = arena_new(a, &runtime__v1__uint64_value__descriptor);
    usage->used_bytes->value = disk.bytes;
    usage->inodes_used = arena_new(a, &runtime__v1__uint64_value__descriptor);
    usage->inodes_used->value = disk.inodes;
    out->n_image_filesystems = out->n_container_filesystems = 1;
    out->image_filesystems = arena_alloc(a, sizeof *out->image_filesystems);
    out->image_filesystems[0] = usage;
    out->container_filesystems = out->image_filesystems;
    return 0;
}

/* --- berth.v1.Node --- */

/* A client that does not read its progress misses nothing that matters. */
static void send_progress(void *data, const struct image_progress *progress)
{
    Berth__V1__ImageProgress m = BERTH__V1__IMAGE_PROGRESS__INIT;
    struct error ignored;

    m.layer = (char *)progress->layer;
    m.state = (char *)progress->state;
    m.done_bytes = progress->done_bytes;
    m.total_bytes = progress->total_bytes;
    if (rpc_call_send(data, &m.base, &ignored) < 0)
        return;
}

static int fetch_for(struct rpc_call *call, struct node *n, struct image_request *fetch,
                     struct error *err)
{
    Berth__V1__ImageProgress last = BERTH__V1__IMAGE_PROGRESS__INIT;

    fetch->client = rpc_call_deadline(call);
    fetch->progress = send_progress;
    fetch->data = call;
    AUTO(image) *i = fetch->path ? image_store_fetch(n->images, fetch, err) : pull(n, fetch, err);
    if (!i)
        return outcome_of(-1, err);
    last.image_id = i->id;
    last.n_names = i->names.len;
    last.names = i->names.items;
    return rpc_call_send(call, &last.base, err);
}

int image_calls_node_import(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                            ProtobufCMessage *response, struct error *err)
{
    const Berth__V1__ImportImageRequest *r = (const Berth__V1__ImportImageRequest *)request;
    struct image_request fetch = {.name = r->name, .path = r->path};

    if (*r->path != '/')
        return error_set(err, ERROR_INVALID, "import \"%s\": the path is not absolute", r->path);
    return fetch_for(call, data, &fetch, err);
}

int image_calls_node_pull(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                          ProtobufCMessage *response, struct error *err)
{
    const Berth__V1__PullImageRequest *r = (const Berth__V1__PullImageRequest *)request;
    struct image_request fetch = {
        .name = r->image,
        .credentials = {.username = r->username, .password = r->password},
    };

    if (!*r->image)
        return error_set(err, ERROR_INVALID, "the request names no image");
    return fetch_for(call, data, &fetch, err);
}

static char *text_in(struct json_object *event, const char *key)
{
    const char *text = json_get_str(event, key);

    return (char *)(text ? text : "");
}

static void strings_in(struct json_object *list, struct arena *a, size_t *out_len, char ***out)
{
    *out = arena_alloc(a, json_len(list) * sizeof **out);
    *out_len = 0;
    for (size_t i = 0; i < json_len(list); i++)
        if (json_str(json_at(list, i)))
            (*out)[(*out_len)++] = (char *)json_str(json_at(list, i));
}

static int send_host(void *data, struct json_object *event, struct error *err)
{
    Berth__V1__ExplainImageResponse m = BERTH__V1__EXPLAIN_IMAGE_RESPONSE__INIT;
    Berth__V1__ImageHost host = BERTH__V1__IMAGE_HOST__INIT;

    if (strcmp(json_get_str(event, "event"), "reference") == 0) {
        m.name = text_in(event, "name");
        m.source = text_in(event, "source");
        strings_in(json_get(event, "unused"), rpc_call_arena(data), &m.n_unused, &m.unused);
        return rpc_call_send(data, &m.base, err);
    }
    host.url = text_in(event, "url");
    host.mirror_of = text_in(event, "mirror_of");
    host.credentials = text_in(event, "credentials");
    host.digest = text_in(event, "digest");
    host.media_type = text_in(event, "media_type");
    host.words = text_in(event, "words");
    host.asked = json_get_flag(event, "asked", false);
    host.chosen = json_get_flag(event, "chosen", false);
    m.host = &host;
    return rpc_call_send(data, &m.base, err);
}

/* A pull would be answered with what the folder brought. */
static int send_archive(struct rpc_call *call, struct node *n, const struct image_reference *ref,
                        struct error *err)
{
    Berth__V1__ExplainImageResponse m = BERTH__V1__EXPLAIN_IMAGE_RESPONSE__INIT;
    AUTO_FREE char *path = offline_path(n->offline, ref);
    char name[REFERENCE_TEXT_SIZE];

    reference_format(ref, name);
    m.name = name;
    m.archive = path ? path : (char *)"an archive that is gone";
    return rpc_call_send(call, &m.base, err);
}

int image_calls_node_explain(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                             ProtobufCMessage *response, struct error *err)
{
    const Berth__V1__PullImageRequest *r = (const Berth__V1__PullImageRequest *)request;
    const struct image_request explain = {
        .name = r->image,
        .credentials = {.username = r->username, .password = r->password},
        .client = rpc_call_deadline(call),
    };
    struct node *n = data;
    struct image_reference ref;

    if (reference_parse(r->image, &ref, err) < 0)
        return -1;
    AUTO(image) *brought = offline_find(n->offline, r->image);
    if (brought)
        return send_archive(call, n, &ref, err);
    return outcome_of(image_store_explain(n->images, &explain, send_host, call, err), err);
}

int image_calls_node_export(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                            ProtobufCMessage *response, struct error *err)
{
    const Berth__V1__ExportImageRequest *r = (const Berth__V1__ExportImageRequest *)request;
    Berth__V1__ImageProgress last = BERTH__V1__IMAGE_PROGRESS__INIT;
    const struct image_request export = {.name = r->image,
                                         .client = rpc_call_deadline(call),
                                         .progress = send_progress,
                                         .data = call};
    AUTO_FREE char *id = NULL;
    AUTO_CLOSE int output = -1;
    struct node *n = data;

    if (*r->path != '/')
        return error_set(err, ERROR_INVALID, "export to \"%s\": the path is not absolute", r->path);
    output = open(r->path, O_WRONLY | O_APPEND | O_NOCTTY | O_CLOEXEC);
    if (output < 0)
        return outcome_of(error_errno(err, errno, "open %s", r->path), err);
    if (image_export(n->images, &export, output, &id, err) < 0)
        return outcome_of(-1, err);
    last.image_id = id;
    return rpc_call_send(call, &last.base, err);
}
