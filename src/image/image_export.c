// SPDX-License-Identifier: Apache-2.0
#include "image/image_export.h"

#include <string.h>

#include "base/json.h"
#include "image/image_job.h"
#include "image/image_worker.h"
#include "image/reference.h"

struct run {
    const struct image_request *request;
    char *id; /* once it is written */
};

static int on_event(void *data, struct json_object *event, struct error *err)
{
    struct run *r = data;
    const char *id = json_get_str(event, "id");
    const struct image_progress progress = {
        .layer = json_get_str(event, "layer"),
        .state = json_get_str(event, "state"),
        .done_bytes = (uint64_t)json_get_int(event, "done", 0),
        .total_bytes = (uint64_t)json_get_int(event, "total", 0),
    };
    (void)err;

    if (id && !r->id)
        r->id = xstrdup(id);
    if (r->request->progress && progress.layer && progress.state)
        r->request->progress(r->request->data, &progress);
    return 0;
}

/* What it is to be called: what it was asked for by, when that is one of its names. */
static const char *name_for(const struct image *i, const char *asked, char *room)
{
    struct image_reference ref;
    struct error ignored;

    if (reference_is_id(asked) || reference_parse(asked, &ref, &ignored) < 0)
        return image_tag(i);
    reference_format(&ref, room);
    return strv_contains(&i->names, room) && *ref.tag ? room : image_tag(i);
}

static void list_layers(const struct image *i, struct strv *out)
{
    for (size_t n = 0; n < i->n_layers; n++)
        strv_add(out, i->layers[n].chain_id);
}

static int export(struct image_store *s, const struct image *i, struct run *r, int output,
                  struct error *err)
{
    char room[REFERENCE_TEXT_SIZE];
    const char *name = name_for(i, r->request->name, room);
    const struct image_store_options *options = image_store_setup(s);
    JSON_AUTO *job = image_job_export(options, i, name ? name : "");
    struct image_worker worker = {options->helper, job, on_event, r, output};

    return image_worker_run(&worker, r->request->client, err);
}

int image_export(struct image_store *s, const struct image_request *request, int output,
                 char **out_id, struct error *err)
{
    AUTO(image) *i = image_store_find(s, request->name, err);
    AUTO_FINI(strv) layers = {0};
    struct run r = {.request = request};
    int done;

    if (!i)
        return -1;
    list_layers(i, &layers);
    image_store_hold(s, &layers);
    done = export(s, i, &r, output, err);
    image_store_release(s, &layers);
    if (done == 0 && !r.id)
        done = error_set(err, ERROR_INTERNAL, "berth-image did not say what it wrote");
    if (done < 0)
        free(r.id);
    else
        *out_id = r.id;
    return done;
}
