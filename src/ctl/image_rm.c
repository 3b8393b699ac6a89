// SPDX-License-Identifier: Apache-2.0
#include "ctl/command.h"

/* CRI is content with removing what is not there; a person who mistypes a name wants to know. */
static int remove_one(struct ctl *c, char *name, struct error *err)
{
    Runtime__V1__ImageStatusRequest status = RUNTIME__V1__IMAGE_STATUS_REQUEST__INIT;
    Runtime__V1__RemoveImageRequest request = RUNTIME__V1__REMOVE_IMAGE_REQUEST__INIT;
    Runtime__V1__ImageSpec image = RUNTIME__V1__IMAGE_SPEC__INIT;
    const Runtime__V1__ImageStatusResponse *there;

    image.image = name;
    status.image = request.image = &image;
    there = ctl_image(c, "ImageStatus", &status, err);
    if (!there)
        return -1;
    if (!there->image)
        return error_set(err, ERROR_NOT_FOUND,
                         "no image has the id or name \"%s\": see berthctl images", name);
    return ctl_image(c, "RemoveImage", &request, err) ? 0 : -1;
}

static int image_rm(struct ctl *c, const struct strv *args, struct error *err)
{
    for (size_t i = 0; i < args->len; i++)
        if (remove_one(c, args->items[i], err) < 0)
            return -1;
    return 0;
}

const struct command image_rm_command = {.name = "rm",
                                         .arguments = "NAME...",
                                         .summary = "remove images, by name or id",
                                         .args_min = 1,
                                         .args_max = SIZE_MAX,
                                         .run = image_rm};
