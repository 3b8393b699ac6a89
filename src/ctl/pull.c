// SPDX-License-Identifier: Apache-2.0
#include "ctl/pull.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "ctl/progress.h"

struct watch {
    struct arena *arena;
    struct progress progress;
    const char *image_id;
    bool prints_names;
};

static int see(void *data, const ProtobufCMessage *message, struct error *err)
{
    struct watch *w = data;
    const Berth__V1__ImageProgress *p = (const Berth__V1__ImageProgress *)message;
    (void)err;

    if (*p->layer)
        progress_update(&w->progress, p->layer, p->state, p->done_bytes, p->total_bytes);
    if (*p->image_id)
        w->image_id = arena_strdup(w->arena, p->image_id);
    for (size_t i = 0; w->prints_names && *p->image_id && i < p->n_names; i++)
        puts(p->names[i]);
    return 0;
}

static const char *follow(struct ctl *c, const char *method, const void *request, bool prints_names,
                          struct error *err)
{
    AUTO_FREE struct watch *w = xcalloc(1, sizeof *w);
    int rc;

    w->arena = &c->arena;
    w->prints_names = prints_names;
    progress_init(&w->progress, stderr);
    rc = ctl_node(c, method, request, see, w, err);
    progress_end(&w->progress);
    if (rc == 0 && !w->image_id)
        error_set(err, ERROR_INTERNAL, "berthd did not say which image came: look at its log");
    return rc == 0 ? w->image_id : NULL;
}

int pull_describe(struct ctl *c, const char *name, const char *creds,
                  Berth__V1__PullImageRequest *out, struct error *err)
{
    char *user = creds ? arena_strdup(&c->arena, creds) : NULL;
    char *colon = user ? strchr(user, ':') : NULL;

    if (user && !colon)
        return error_set(err, ERROR_INVALID, "--creds wants USER:PASSWORD");
    *out = (Berth__V1__PullImageRequest)BERTH__V1__PULL_IMAGE_REQUEST__INIT;
    out->image = arena_strdup(&c->arena, name);
    if (colon) {
        *colon = '\0';
        out->username = user;
        out->password = colon + 1;
    }
    return 0;
}

const char *pull_image(struct ctl *c, const char *name, const char *creds, struct error *err)
{
    Berth__V1__PullImageRequest request;

    return pull_describe(c, name, creds, &request, err) < 0
               ? NULL
               : follow(c, "PullImage", &request, false, err);
}

const char *pull_if_absent(struct ctl *c, const char *name, struct error *err)
{
    Runtime__V1__ImageStatusRequest request = RUNTIME__V1__IMAGE_STATUS_REQUEST__INIT;
    Runtime__V1__ImageSpec image = RUNTIME__V1__IMAGE_SPEC__INIT;
    const Runtime__V1__ImageStatusResponse *status;

    image.image = arena_strdup(&c->arena, name);
    request.image = &image;
    status = ctl_image(c, "ImageStatus", &request, err);
    if (!status)
        return NULL;
    return status->image ? status->image->id : pull_image(c, name, NULL, err);
}

const char *pull_from_path(struct ctl *c, const char *path, const char *name, struct error *err)
{
    Berth__V1__ImportImageRequest request = BERTH__V1__IMPORT_IMAGE_REQUEST__INIT;
    AUTO_FREE char *whole = realpath(path, NULL);

    if (!whole) {
        error_errno(err, errno, "find %s", path);
        return NULL;
    }
    request.path = whole;
    request.name = arena_strdup(&c->arena, name ? name : "");
    return follow(c, "ImportImage", &request, true, err);
}

const char *pull_into_path(struct ctl *c, const char *name, const char *path, struct error *err)
{
    Berth__V1__ExportImageRequest request = BERTH__V1__EXPORT_IMAGE_REQUEST__INIT;

    request.image = arena_strdup(&c->arena, name);
    request.path = arena_strdup(&c->arena, path);
    return follow(c, "ExportImage", &request, false, err);
}
