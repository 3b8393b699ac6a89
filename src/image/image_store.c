// SPDX-License-Identifier: Apache-2.0
#include "image/image_store_inner.h"

#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/map.h"
#include "image/image_records.h"
#include "image/pins.h"
#include "image/reference.h"
#include "image/shutdown_mark.h"

static void hold_image(struct image_store *s, const struct image *i)
{
    for (size_t n = 0; n < i->n_layers; n++)
        layer_refs_hold(s->layers, i->layers[n].chain_id);
}

static void release_image(struct image_store *s, const struct image *i)
{
    for (size_t n = 0; n < i->n_layers; n++)
        layer_refs_release(s->layers, i->layers[n].chain_id);
}

int image_store_put(struct image_store *s, struct image *i, struct error *err)
{
    size_t count;
    AUTO(image) *known = NULL;
    int outcome;

    pthread_mutex_lock(&s->change);
    outcome = image_records_store(s->database, i, err);
    if (outcome == 0) {
        known = image_index_find_id(s->index, strchr(i->id, ':') + 1, &count);
        if (!known)
            hold_image(s, i);
        image_index_put(s->index, image_ref(i));
    }
    pthread_mutex_unlock(&s->change);
    return outcome;
}

/* --- what was recorded --- */

static void add_loaded(void *data, struct image *taken)
{
    struct image_store *s = data;

    image_repair_add(s->repair, taken);
}

static void keep_loaded(void *data, struct image *taken)
{
    struct image_store *s = data;

    hold_image(s, taken);
    image_index_put(s->index, taken);
}

static void forget_loaded(void *data, const struct image *i)
{
    struct image_store *s = data;
    struct error err;

    if (image_records_remove(s->database, i->id, &err) < 0)
        log_error("forget image %s: %s", i->id, err.text);
}

static void remove_layer(void *data, const char *chain_id)
{
    struct image_store *s = data;

    layer_refs_discard(s->layers, chain_id);
}

/* Only now: who is killed before has looked at nothing. */
static void mark_running(void *data)
{
    struct image_store *s = data;
    struct error err;

    s->marked = shutdown_mark_set(s->options.root, s->options.boot_id, &err) == 0;
    if (!s->marked)
        log_warn("a power cut would not be noticed: %s", err.text);
}

/* Those of its names that have not come to mean something else meanwhile. */
static int name_again(struct image_store *s, const struct image *fetched, const struct image *lost,
                      struct error *err)
{
    AUTO(image) *renamed = image_copy_unnamed(fetched);

    for (size_t n = 0; n < lost->names.len; n++) {
        AUTO(image) *other = image_index_find_name(s->index, lost->names.items[n]);

        if (!other)
            strv_add(&renamed->names, lost->names.items[n]);
    }
    return image_store_put(s, renamed, err);
}

/* What it was, whatever its tag points to today. */
static void fetch_lost(void *data, const struct image *lost)
{
    struct image_store *s = data;
    const struct deadline client = {.cancel_fd = s->closing_fd};
    const struct image_request request = {.name = image_digest_name(lost), .client = &client};
    struct error err = {0};
    AUTO(image) *fetched = NULL;

    if (!request.name) {
        log_warn("image %s is lost, and no registry has it: import it again", lost->id);
        return;
    }
    fetched = image_store_fetch(s, &request, &err);
    if (!fetched || name_again(s, fetched, lost, &err) < 0)
        log_warn("image %s is lost: %s", request.name, err.text);
    else
        log_info("image %s was fetched again", request.name);
}

static int load_images(struct image_store *s, struct error *err)
{
    const struct image_repair_options options = {
        .root = s->options.root,
        .closely = shutdown_mark_is_old(s->options.root, s->options.boot_id),
        .last_sign_s = shutdown_mark_last_sign(s->options.root),
        .sifted = mark_running,
        .keep = keep_loaded,
        .forget = forget_loaded,
        .remove_layer = remove_layer,
        .fetch_again = fetch_lost,
        .data = s};

    s->repair = image_repair_new(&options);
    if (image_records_load(s->database, add_loaded, s, err) < 0)
        return -1;
    return image_repair_start(s->repair, err);
}

struct image_store *image_store_open(const struct image_store_options *options, struct error *err)
{
    struct image_store *s = xcalloc(1, sizeof *s);
    AUTO_FREE char *layers = xasprintf("%s/layers", options->root);

    pthread_mutex_init(&s->change, NULL);
    s->options = *options;
    s->database = options->database;
    s->index = image_index_new();
    s->layers = layer_refs_new(options->root);
    s->content = content_new(options->root);
    s->jobs = job_table_new();
    s->closing_fd = eventfd(0, EFD_CLOEXEC);
    if (s->closing_fd < 0)
        abort();
    if (file_make_dirs(layers, 0700, err) < 0 || load_images(s, err) < 0) {
        image_store_close(s);
        return NULL;
    }
    return s;
}

void image_store_close(struct image_store *s)
{
    if (!s)
        return;
    eventfd_write(s->closing_fd, 1);
    image_repair_free(s->repair);
    if (s->marked)
        shutdown_mark_clear(s->options.root);
    fd_close(&s->closing_fd);
    image_index_free(s->index);
    layer_refs_free(s->layers);
    content_free(s->content);
    job_table_free(s->jobs);
    pthread_mutex_destroy(&s->change);
    free(s);
}

static struct image *find_by_id(struct image_store *s, const char *hex, const char *name,
                                struct error *err)
{
    size_t count = 0;
    struct image *i = image_index_find_id(s->index, hex, &count);

    if (count > 1)
        error_set(err, ERROR_UNKNOWN, "%zu images have an id that begins with \"%s\"", count, name);
    else if (count == 0)
        error_set(err, ERROR_NOT_FOUND, "image \"%s\" is not on this node", name);
    return i;
}

struct image *image_store_find(struct image_store *s, const char *name, struct error *err)
{
    const char *hex = reference_id_prefix(name);
    struct image_reference ref;
    struct image *i = NULL;
    char text[REFERENCE_TEXT_SIZE];

    image_repair_wait(s->repair);
    if (!reference_is_id(name)) {
        if (reference_parse(name, &ref, err) == 0) {
            reference_format(&ref, text);
            i = image_index_find_name(s->index, text);
        } else if (!hex) {
            return NULL;
        }
    }
    if (i)
        return i;
    if (hex)
        return find_by_id(s, hex, name, err);
    error_set(err, ERROR_NOT_FOUND, "image \"%s\" is not on this node", name);
    return NULL;
}

struct image **image_store_list(struct image_store *s, size_t *out_count)
{
    image_repair_wait(s->repair);
    return image_index_list(s->index, out_count);
}

/* out_removed stays NULL when somebody else was faster. */
static int forget(struct image_store *s, const char *id, struct image **out_removed,
                  struct error *err)
{
    int outcome;

    pthread_mutex_lock(&s->change);
    outcome = image_records_remove(s->database, id, err);
    if (outcome == 0)
        *out_removed = image_index_remove(s->index, id);
    pthread_mutex_unlock(&s->change);
    return outcome;
}

int image_store_remove(struct image_store *s, const char *name, struct error *err)
{
    AUTO(image) *found = image_store_find(s, name, err), *removed = NULL;

    if (!found && err->code != ERROR_NOT_FOUND)
        return -1;
    if (found && forget(s, found->id, &removed, err) < 0)
        return error_wrap(err, "remove image %s", name);
    if (removed)
        release_image(s, removed);
    /* Who removes images wants the space, also that of what failed pulls have left. */
    layer_refs_collect(s->layers, 0);
    content_collect(s->content, s->index);
    return 0;
}

bool image_store_is_pinned(const struct image_store *s, const struct image *i)
{
    return pins_match(s->options.pinned, &i->names);
}

void image_store_hold(struct image_store *s, const struct strv *chain_ids)
{
    for (size_t n = 0; n < chain_ids->len; n++)
        layer_refs_hold(s->layers, chain_ids->items[n]);
}

void image_store_release(struct image_store *s, const struct strv *chain_ids)
{
    for (size_t n = 0; n < chain_ids->len; n++)
        layer_refs_release(s->layers, chain_ids->items[n]);
}

void image_store_collect(struct image_store *s)
{
    image_repair_wait(s->repair);
    layer_refs_collect(s->layers, 0);
    content_collect(s->content, s->index);
}

void image_store_usage(struct image_store *s, struct disk_usage *out, int64_t *out_at_ns)
{
    AUTO_FINI(map) seen = {0};
    size_t count;
    AUTO_FREE struct image **list = image_store_list(s, &count);

    content_usage(s->content, out, out_at_ns);
    for (size_t i = 0; i < count; i++) {
        for (size_t n = 0; n < list[i]->n_layers; n++) {
            const struct image_layer *layer = &list[i]->layers[n];

            if (map_put(&seen, layer->chain_id, list))
                continue; /* shared with an image counted before */
            out->bytes += layer->used_bytes;
            out->inodes += layer->inodes;
        }
        image_free(list[i]);
    }
}

char *image_store_layer_path(struct image_store *s, const char *chain_id)
{
    AUTO_FREE char *folder = layer_refs_path(s->layers, chain_id);

    return xasprintf("%s/fs", folder);
}

const struct image_store_options *image_store_setup(const struct image_store *s)
{
    return &s->options;
}

const char *image_store_root(const struct image_store *s)
{
    return s->options.root;
}
