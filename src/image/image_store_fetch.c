// SPDX-License-Identifier: Apache-2.0
#include "image/image_store_inner.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "image/fetch_log.h"
#include "image/image_job.h"
#include "image/image_worker.h"
#include "image/layer_check.h"
#include "image/reference.h"

/* A pull whose client left goes on, but not for ever. */
enum { FETCH_MAX_MS = 6 * 60 * 60 * 1000, TRIES_MAX = 3 };

/* What a failed pull has unpacked is good for the next one; so long. */
enum { UNUSED_MAX_S = 60 * 60 };

struct fetch {
    struct image_store *store;
    const struct image_request *request;
    const struct image_reference *reference; /* pull: what was asked for; NULL: import */
    struct fetch_log log;
    struct image *first;
    struct strv planned; /* chain ids of the layers it is about, held */
};

static void hold_planned(struct fetch *f, struct json_object *chain_ids)
{
    for (size_t i = 0; i < json_len(chain_ids); i++) {
        const char *id = json_str(json_at(chain_ids, i));

        if (!digest_is_valid(id))
            continue;
        strv_add(&f->planned, id);
        layer_refs_hold(f->store->layers, id);
    }
}

/* Between berth-image's look at a layer and our hold on it somebody may have removed it. */
static int check_layers(const struct fetch *f, const struct image *i, struct error *err)
{
    for (size_t n = 0; n < i->n_layers; n++) {
        AUTO_FREE char *folder = layer_refs_path(f->store->layers, i->layers[n].chain_id);

        if (!strv_contains(&f->planned, i->layers[n].chain_id))
            return error_set(err, ERROR_INTERNAL, "berth-image did not announce layer %s",
                             i->layers[n].chain_id);
        if (layer_check(folder, LAYER_IS_THERE, err) < 0)
            return error_set(err, ERROR_ABORTED, "layer %s was removed meanwhile",
                             i->layers[n].chain_id);
    }
    return 0;
}

/* berth-image has read what strangers wrote. A pull names nothing but what was asked for, and who
 * asked for a digest gets that. */
static int check_names(const struct fetch *f, const struct image *i, struct error *err)
{
    char asked[REFERENCE_TEXT_SIZE], by_digest[REFERENCE_TEXT_SIZE];

    if (!f->reference)
        return 0;
    reference_format(f->reference, asked);
    reference_format_digest(f->reference, i->target, by_digest);
    for (size_t n = 0; n < i->names.len; n++) {
        const char *name = i->names.items[n];

        if (strcmp(name, by_digest) != 0 && (*f->reference->digest || strcmp(name, asked) != 0))
            return error_set(err, ERROR_INTERNAL, "berth-image calls it %s", name);
    }
    if (*f->reference->digest && strcmp(f->reference->digest, i->target) != 0)
        return error_set(err, ERROR_INTERNAL, "berth-image brought %s", i->target);
    return 0;
}

static int on_event(void *data, struct json_object *event, struct error *err)
{
    struct fetch *f = data;

    if (strcmp(json_get_str(event, "event"), "progress") == 0) {
        struct image_progress progress = {
            .layer = json_get_str(event, "layer"),
            .state = json_get_str(event, "state"),
            .done_bytes = (uint64_t)json_get_int(event, "done", 0),
            .total_bytes = (uint64_t)json_get_int(event, "total", 0),
        };

        if (!progress.layer || !progress.state)
            return 0;
        fetch_log_progress(&f->log, &progress);
        if (f->request->progress)
            f->request->progress(f->request->data, &progress);
        return 0;
    }
    if (strcmp(json_get_str(event, "event"), "layers") == 0) {
        hold_planned(f, json_get(event, "chain_ids"));
        return 0;
    }
    AUTO(image) *i = image_parse(event, err);
    if (!i || check_names(f, i, err) < 0 || check_layers(f, i, err) < 0)
        return -1;
    i->pulled_ns = clock_now_ns();
    if (image_store_put(f->store, i, err) < 0)
        return -1;
    fetch_log_done(&f->log, i);
    if (f->request->out_ids)
        strv_add(f->request->out_ids, i->id);
    if (f->request->out_names)
        strv_add_all(f->request->out_names, &i->names);
    if (!f->first)
        f->first = image_ref(i);
    return 0;
}

static int work(struct fetch *f, struct json_object *job, struct error *err)
{
    struct deadline by = deadline_in_ms(FETCH_MAX_MS);
    struct image_worker worker = {f->store->options.helper, job, on_event, f, 0};
    int outcome;

    by.cancel_fd = f->store->closing_fd;
    content_begin_fetch(f->store->content);
    outcome = image_worker_run(&worker, &by, err);
    content_end_fetch(f->store->content);
    content_collect(f->store->content, f->store->index);
    for (size_t i = 0; i < f->planned.len; i++)
        layer_refs_let_go(f->store->layers, f->planned.items[i]);
    strv_fini(&f->planned);
    layer_refs_collect(f->store->layers, UNUSED_MAX_S);
    if (outcome == 0 && !f->first)
        return error_set(err, ERROR_NOT_FOUND, "there is no image in it");
    return outcome;
}

/* The leader's part: does the work and tells those who joined. */
static struct image *lead(struct fetch f, struct json_object *job, struct job *j, struct error *err)
{
    const struct image_request *request = f.request;
    int outcome;

    fetch_log_init(&f.log, request->path ? "import" : "pull",
                   request->path ? request->path : request->name);
    outcome = work(&f, job, err);
    for (int n = 1; outcome < 0 && err->code == ERROR_ABORTED && !f.first && n < TRIES_MAX; n++)
        outcome = work(&f, job, err);
    fetch_log_fini(&f.log);
    if (outcome < 0) {
        image_free(TAKE(f.first));
        job_leave(j, NULL, err);
        return NULL;
    }
    job_leave(j, f.first->id, NULL);
    return f.first;
}

struct image *image_store_fetch(struct image_store *s, const struct image_request *request,
                                struct error *err)
{
    struct image_reference ref;
    char name[REFERENCE_TEXT_SIZE] = "";
    AUTO_FREE char *joined = NULL;
    struct job *j = NULL;
    int role;

    image_repair_wait(s->repair);
    if (!request->path || *request->name) {
        if (reference_parse(request->name, &ref, err) < 0)
            return NULL;
        reference_format(&ref, name);
    }
    JSON_AUTO *job = request->path
                         ? image_job_import(&s->options, request->path, name)
                         : image_job_pull(&s->options, "pull", name, &request->credentials);
    role = job_enter(s->jobs, json_text(job), request->client, false, &j, &joined, err);
    if (role < 0)
        return NULL;
    if (role == JOB_JOINED)
        return image_store_find(s, joined, err);
    return lead(
        (struct fetch){.store = s, .request = request, .reference = request->path ? NULL : &ref},
        job, j, err);
}

int image_store_explain(struct image_store *s, const struct image_request *request,
                        int (*each)(void *data, struct json_object *event, struct error *err),
                        void *data, struct error *err)
{
    JSON_AUTO *job = image_job_pull(&s->options, "explain", request->name, &request->credentials);
    struct image_worker worker = {s->options.helper, job, each, data, 0};

    return image_worker_run(&worker, request->client, err);
}
