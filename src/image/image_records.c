// SPDX-License-Identifier: Apache-2.0
#include "image/image_records.h"

#include <string.h>

#include "base/map.h"
#include "base/own.h"

static const char insert_image[] =
    "INSERT INTO images(id, target, manifest, size, config, pulled_ns)"
    " VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(id) DO UPDATE SET target = excluded.target,"
    " manifest = excluded.manifest, size = excluded.size, pulled_ns = excluded.pulled_ns";
static const char insert_layer[] =
    "INSERT OR REPLACE INTO image_layers(image_id, position, chain_id, digest, size, used_bytes,"
    " inodes) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)";
static const char insert_name[] =
    "INSERT OR REPLACE INTO image_names(name, image_id) VALUES(?1, ?2)";
static const char delete_image[] = "DELETE FROM images WHERE id = ?1";
static const char select_images[] =
    "SELECT id, target, manifest, size, config, pulled_ns FROM images";
static const char select_layers[] =
    "SELECT image_id, chain_id, digest, size, used_bytes, inodes FROM image_layers"
    " ORDER BY image_id, position";
static const char select_names[] = "SELECT image_id, name FROM image_names";

int image_records_store(struct database *db, const struct image *i, struct error *err)
{
    size_t n_steps = 1 + i->n_layers + i->names.len, n = 0;
    AUTO_FREE struct database_step *steps = xcalloc(n_steps, sizeof *steps);
    AUTO_FREE struct database_value(*values)[7] = xcalloc(n_steps, sizeof *values);

    memcpy(values[n],
           (struct database_value[]){DB_TEXT(i->id), DB_TEXT(i->target), DB_TEXT(i->manifest),
                                     DB_INT((int64_t)i->size), DB_TEXT(i->config),
                                     DB_INT(i->pulled_ns)},
           6 * sizeof(struct database_value));
    steps[n] = (struct database_step){insert_image, values[n], 6};
    n++;
    for (size_t l = 0; l < i->n_layers; l++, n++) {
        const struct image_layer *layer = &i->layers[l];

        memcpy(values[n],
               (struct database_value[]){
                   DB_TEXT(i->id), DB_INT((int64_t)l), DB_TEXT(layer->chain_id),
                   DB_TEXT(layer->digest), DB_INT((int64_t)layer->size),
                   DB_INT((int64_t)layer->used_bytes), DB_INT((int64_t)layer->inodes)},
               7 * sizeof(struct database_value));
        steps[n] = (struct database_step){insert_layer, values[n], 7};
    }
    for (size_t l = 0; l < i->names.len; l++, n++) {
        values[n][0] = DB_TEXT(i->names.items[l]);
        values[n][1] = DB_TEXT(i->id);
        steps[n] = (struct database_step){insert_name, values[n], 2};
    }
    if (database_run(db, steps, n_steps, err) < 0)
        return error_wrap(err, "record image %s", i->id);
    return database_sync(db, err);
}

int image_records_remove(struct database *db, const char *id, struct error *err)
{
    if (database_run(db, &DATABASE_STEP(delete_image, DB_TEXT(id)), 1, err) < 0)
        return -1;
    return database_sync(db, err);
}

static int load_image(void *data, const struct database_row *row, struct error *err)
{
    struct image *i = image_new(database_text(row, 0));

    (void)err;
    i->target = xstrdup(database_text(row, 1));
    i->manifest = xstrdup(database_text(row, 2));
    i->size = (uint64_t)database_int(row, 3);
    image_set_config(i, xstrdup(database_text(row, 4)));
    i->pulled_ns = database_int(row, 5);
    map_put(data, i->id, i);
    return 0;
}

static int load_layer(void *data, const struct database_row *row, struct error *err)
{
    struct image *i = map_find(data, database_text(row, 0));
    struct image_layer layer = {.chain_id = (char *)database_text(row, 1),
                                .digest = (char *)database_text(row, 2),
                                .size = (uint64_t)database_int(row, 3),
                                .used_bytes = (uint64_t)database_int(row, 4),
                                .inodes = (uint64_t)database_int(row, 5)};

    (void)err;
    if (i)
        image_add_layer(i, &layer);
    return 0;
}

static int load_name(void *data, const struct database_row *row, struct error *err)
{
    struct image *i = map_find(data, database_text(row, 0));

    (void)err;
    if (i)
        strv_add(&i->names, database_text(row, 1));
    return 0;
}

int image_records_load(struct database *db, void (*each)(void *data, struct image *taken),
                       void *data, struct error *err)
{
    AUTO_FINI(map) images = {0};
    const struct map_slot *slot;

    if (database_query(db, &(struct database_step){.sql = select_images}, load_image, &images,
                       err) < 0 ||
        database_query(db, &(struct database_step){.sql = select_layers}, load_layer, &images,
                       err) < 0 ||
        database_query(db, &(struct database_step){.sql = select_names}, load_name, &images, err) <
            0)
        return error_wrap(err, "load images");
    for (size_t at = 0; (slot = map_next(&images, &at));)
        each(data, slot->value);
    return 0;
}
