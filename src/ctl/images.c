// SPDX-License-Identifier: Apache-2.0
#include "base/own.h"
#include "ctl/command.h"
#include "ctl/human.h"
#include "ctl/table.h"

static const char *output;
static const struct flag flags[] = {COMMAND_OUTPUT_FLAG(&output), {0}};

static void add(struct ctl *c, struct table *table, const char *name,
                const Runtime__V1__Image *image)
{
    char id[HUMAN_SIZE], size[HUMAN_SIZE];

    table_add(table,
              (const char *const[]){name, arena_strdup(&c->arena, human_id(id, image->id)),
                                    arena_strdup(&c->arena, human_bytes(size, image->size))});
}

/* A line for each tag; an image without any goes by its digest. */
static void print(struct ctl *c, const Runtime__V1__ListImagesResponse *images)
{
    AUTO_FINI(table) table;

    table_init(&table, (const char *const[]){"NAME", "IMAGE", "SIZE", NULL});
    for (size_t i = 0; i < images->n_images; i++) {
        const Runtime__V1__Image *each = images->images[i];

        for (size_t tag = 0; tag < each->n_repo_tags; tag++)
            add(c, &table, each->repo_tags[tag], each);
        if (!each->n_repo_tags)
            add(c, &table, each->n_repo_digests ? each->repo_digests[0] : "-", each);
    }
    table_print(&table, stdout);
}

static int images(struct ctl *c, const struct strv *args, struct error *err)
{
    Runtime__V1__ListImagesRequest request = RUNTIME__V1__LIST_IMAGES_REQUEST__INIT;
    const Runtime__V1__ListImagesResponse *all;
    bool json;
    (void)args;

    if (command_wants_json(output, &json, err) < 0)
        return -1;
    all = ctl_image(c, "ListImages", &request, err);
    if (!all)
        return -1;
    if (json)
        command_print_json(&all->base);
    else
        print(c, all);
    return 0;
}

const struct command images_command = {
    .name = "images", .arguments = "", .summary = "list images", .flags = flags, .run = images};

/* "image ls", for those who look for it there. */
const struct command images_ls_command = {
    .name = "ls", .arguments = "", .summary = "list images", .flags = flags, .run = images};
