// SPDX-License-Identifier: Apache-2.0
#include "image/offline_record.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/own.h"
#include "image/digest.h"

void offline_record_fini(struct offline_record *r)
{
    free(r->file);
    strv_fini(&r->ids);
    strv_fini(&r->names);
    *r = (struct offline_record){0};
}

void offline_record_free(struct offline_record *records, size_t len)
{
    for (size_t i = 0; i < len; i++)
        offline_record_fini(&records[i]);
    free(records);
}

void offline_record_set_version(struct offline_record *r, const struct stat *st)
{
    r->size = st->st_size;
    r->modified_ns = st->st_mtim.tv_sec * CLOCK_NS_PER_S + st->st_mtim.tv_nsec;
    r->inode = (int64_t)st->st_ino;
}

bool offline_record_same_version(const struct offline_record *a, const struct offline_record *b)
{
    return a->size == b->size && a->modified_ns == b->modified_ns && a->inode == b->inode;
}

static void decode(const char *file, struct json_object *from, struct offline_record *out)
{
    struct json_object *ids = json_get(from, "images"), *names = json_get(from, "names");

    *out = (struct offline_record){.file = xstrdup(file),
                                   .size = json_get_int(from, "size", -1),
                                   .modified_ns = json_get_int(from, "modified_ns", 0),
                                   .inode = json_get_int(from, "inode", 0)};
    for (size_t i = 0; i < json_len(ids); i++)
        if (json_str(json_at(ids, i)) && digest_is_valid(json_str(json_at(ids, i))))
            strv_add(&out->ids, json_str(json_at(ids, i)));
    for (size_t i = 0; i < json_len(names); i++)
        if (json_str(json_at(names, i)))
            strv_add(&out->names, json_str(json_at(names, i)));
}

void offline_record_load(const char *path, struct offline_record **out, size_t *out_len)
{
    AUTO_FINI(buf) text = BUF(OFFLINE_RECORDS_BYTES_MAX);
    JSON_AUTO *tree = NULL;
    struct error unreadable;

    *out = NULL;
    *out_len = 0;
    if (file_load(AT_FDCWD, path, &text, &unreadable) == 0 && text.len > 0)
        tree = json_parse(text.data, text.len, &unreadable);
    if (!json_object_is_type(tree, json_type_object))
        return;
    *out = xcalloc((size_t)json_object_object_length(tree) + 1, sizeof **out);
    json_object_object_foreach(tree, file, value)
    {
        decode(file, value, &(*out)[(*out_len)++]);
    }
}

static void add_texts(struct json_object *to, const char *key, const struct strv *texts)
{
    struct json_object *list = json_add_array(to, key);

    for (size_t i = 0; i < texts->len; i++)
        json_add_str(list, NULL, texts->items[i]);
}

int offline_record_save(const char *path, const struct offline_record *records, size_t len,
                        struct error *err)
{
    JSON_AUTO *tree = json_object_new_object();
    const char *text;

    for (size_t i = 0; i < len; i++) {
        const struct offline_record *r = &records[i];
        struct json_object *to = json_add_object(tree, r->file);

        json_add_int(to, "size", r->size);
        json_add_int(to, "modified_ns", r->modified_ns);
        json_add_int(to, "inode", r->inode);
        add_texts(to, "images", &r->ids);
        add_texts(to, "names", &r->names);
    }
    text = json_text(tree);
    return file_store(AT_FDCWD, path, text, strlen(text), 0600, err);
}
