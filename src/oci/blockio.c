// SPDX-License-Identifier: Apache-2.0
#include "oci/blockio.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/own.h"
#include "net/quantity.h"
#include "oci/yaml_tree.h"

enum { WEIGHT_MIN = 10, WEIGHT_MAX = 1000 };

static const struct {
    const char *key;    /* in the file */
    const char *member; /* of the runtime specification's blockIO */
} RATES[] = {
    {"ThrottleReadBps", "throttleReadBpsDevice"},
    {"ThrottleWriteBps", "throttleWriteBpsDevice"},
    {"ThrottleReadIOPS", "throttleReadIOPSDevice"},
    {"ThrottleWriteIOPS", "throttleWriteIOPSDevice"},
};

/* --- the file --- */

/* One entry of a class: {"devices": [...], "weight": N, "rates": {member: N}}. */
static int read_devices(struct json_object *value, struct json_object *out, struct error *err)
{
    struct json_object *devices = json_add_array(out, "devices");

    for (size_t i = 0; i < json_len(value); i++) {
        const char *pattern = json_str(json_at(value, i));

        if (!pattern || *pattern != '/')
            return error_set(err, ERROR_INVALID, "%s is no absolute path",
                             json_at(value, i) ? json_text(json_at(value, i)) : "null");
        json_add_str(devices, NULL, pattern);
    }
    return json_len(devices) > 0 ? 0 : error_set(err, ERROR_INVALID, "it is no list of paths");
}

static int read_number(struct json_object *value, uint64_t max, uint64_t *out, struct error *err)
{
    const char *text = json_str(value);

    if (!text && json_object_is_type(value, json_type_int))
        text = json_text(value);
    if (!text)
        return error_set(err, ERROR_INVALID, "it is no number");
    return quantity_parse(text, max, out, err);
}

static int read_weight(struct json_object *value, struct json_object *out, struct error *err)
{
    uint64_t weight = 0;

    if (read_number(value, WEIGHT_MAX, &weight, err) < 0)
        return -1;
    if (weight < WEIGHT_MIN)
        return error_set(err, ERROR_INVALID, "%u is not from %d to %d", (unsigned)weight,
                         WEIGHT_MIN, WEIGHT_MAX);
    json_add_uint(out, "weight", weight);
    return 0;
}

static int read_parameter(const char *key, struct json_object *value, struct json_object *out,
                          struct error *err)
{
    uint64_t rate = 0;

    if (strcasecmp(key, "Devices") == 0)
        return read_devices(value, out, err);
    if (strcasecmp(key, "Weight") == 0)
        return read_weight(value, out, err);
    for (size_t i = 0; i < COUNT_OF(RATES); i++)
        if (strcasecmp(key, RATES[i].key) == 0) {
            if (read_number(value, INT64_MAX, &rate, err) < 0)
                return -1;
            json_add_uint(json_get(out, "rates"), RATES[i].member, rate);
            return 0;
        }
    return error_set(err, ERROR_INVALID, "it is not known");
}

static int read_entry(struct json_object *entry, struct json_object *out, struct error *err)
{
    struct json_object *rates = json_add_object(out, "rates");

    if (!json_object_is_type(entry, json_type_object))
        return error_set(err, ERROR_INVALID, "it is no mapping");
    json_object_object_foreach(entry, key, value)
    {
        if (read_parameter(key, value, out, err) < 0)
            return error_wrap(err, "%s", key);
    }
    if (!json_get(out, "devices") && json_object_object_length(rates) > 0)
        return error_set(err, ERROR_INVALID, "limits without Devices");
    return 0;
}

static int read_class(struct json_object *entries, struct json_object *out, struct error *err)
{
    if (entries && !json_object_is_type(entries, json_type_array))
        return error_set(err, ERROR_INVALID, "it is no list");
    for (size_t i = 0; i < json_len(entries); i++)
        if (read_entry(json_at(entries, i), json_add_object(out, NULL), err) < 0)
            return error_wrap(err, "%zu", i);
    return 0;
}

static int read_classes(struct json_object *classes, struct json_object *out, struct error *err)
{
    if (!json_object_is_type(classes, json_type_object))
        return error_set(err, ERROR_INVALID, "Classes are no mapping");
    json_object_object_foreach(classes, name, entries)
    {
        if (read_class(entries, json_add_array(out, name), err) < 0)
            return error_wrap(err, "class %s", name);
    }
    return 0;
}

struct json_object *oci_blockio_parse(const char *text, size_t len, struct error *err)
{
    JSON_AUTO *file = yaml_tree_parse(text, len, err);
    JSON_AUTO *classes = json_object_new_object();

    if (!file)
        return NULL;
    if (!json_object_is_type(file, json_type_object)) {
        error_set(err, ERROR_INVALID, "it is no mapping");
        return NULL;
    }
    json_object_object_foreach(file, key, value)
    {
        if (strcasecmp(key, "Classes") != 0) {
            error_set(err, ERROR_INVALID, "%s is not known", key);
            return NULL;
        }
        if (read_classes(value, classes, err) < 0)
            return NULL;
    }
    return TAKE(classes);
}

struct json_object *oci_blockio_load(const char *path, struct error *err)
{
    AUTO_FINI(buf) text = BUF(OCI_BLOCKIO_FILE_MAX);
    struct json_object *classes;

    if (file_load(AT_FDCWD, path, &text, err) < 0)
        return NULL;
    classes = oci_blockio_parse(text.len ? text.data : "", text.len, err);
    if (!classes)
        error_wrap(err, "%s", path);
    return classes;
}

/* --- a container --- */

static struct json_object *list_within(struct json_object *to, const char *key)
{
    struct json_object *list = json_get(to, key);

    return list ? list : json_add_array(to, key);
}

static void add_device(struct json_object *block_io, const char *member, const struct stat *st,
                       const char *what, int64_t value)
{
    struct json_object *device = json_add_object(list_within(block_io, member), NULL);

    json_add_int(device, "major", major(st->st_rdev));
    json_add_int(device, "minor", minor(st->st_rdev));
    json_add_int(device, what, value);
}

static void apply_to_device(struct json_object *block_io, struct json_object *entry,
                            const struct stat *st)
{
    if (json_get(entry, "weight"))
        add_device(block_io, "weightDevice", st, "weight", json_get_int(entry, "weight", 0));
    json_object_object_foreach(json_get(entry, "rates"), member, rate)
    {
        add_device(block_io, member, st, "rate", json_object_get_int64(rate));
    }
}

/* How many block devices fit. */
static size_t apply_to_pattern(struct json_object *block_io, struct json_object *entry,
                               const char *pattern)
{
    glob_t found = {0};
    size_t n = 0;
    struct stat st;

    if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            if (stat(found.gl_pathv[i], &st) == 0 && S_ISBLK(st.st_mode)) {
                apply_to_device(block_io, entry, &st);
                n++;
            }
    globfree(&found);
    return n;
}

static int apply_entry(struct json_object *block_io, struct json_object *entry, struct error *err)
{
    struct json_object *patterns = json_get(entry, "devices");
    size_t n = 0;

    if (!patterns) {
        if (json_get(entry, "weight"))
            json_add_int(block_io, "weight", json_get_int(entry, "weight", 0));
        return 0;
    }
    for (size_t i = 0; i < json_len(patterns); i++)
        n += apply_to_pattern(block_io, entry, json_str(json_at(patterns, i)));
    if (n == 0)
        return error_set(err, ERROR_PRECONDITION, "no block device of the host fits %s",
                         json_str(json_at(patterns, 0)));
    return 0;
}

int oci_blockio_apply(struct json_object *classes, const char *name, struct json_object *resources,
                      struct error *err)
{
    struct json_object *entries = json_get(classes, name), *block_io;

    if (!classes)
        return error_set(err, ERROR_PRECONDITION,
                         "block I/O class \"%s\": no blockio_config_file is configured", name);
    if (!entries)
        return error_set(err, ERROR_INVALID,
                         "block I/O class \"%s\" is not in the blockio_config_file", name);
    block_io = json_add_object(resources, "blockIO");
    for (size_t i = 0; i < json_len(entries); i++)
        if (apply_entry(block_io, json_at(entries, i), err) < 0)
            return error_wrap(err, "block I/O class \"%s\"", name);
    return 0;
}
