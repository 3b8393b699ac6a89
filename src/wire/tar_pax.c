// SPDX-License-Identifier: Apache-2.0
#include "wire/tar_pax.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"

#define XATTR_PREFIX "SCHILY.xattr."

enum { NS_DIGITS = 9, SECONDS_DIGITS_MAX = 18 };

/* One record, its strings ended by NULs; the value of an attribute may hold more of them. */
struct record {
    const char *key;
    const char *value;
    size_t len;
};

void tar_pax_fini(struct tar_pax *p)
{
    free(p->xattrs);
    *p = (struct tar_pax){0};
}

void tar_pax_clear(struct tar_pax *p)
{
    *p = (struct tar_pax){.xattrs = p->xattrs, .size = -1, .uid = -1, .gid = -1, .sparse_size = -1};
}

static int parse_number(const struct record *r, int64_t *out, struct error *err)
{
    int64_t value = 0;

    for (size_t i = 0; i < r->len; i++) {
        if (r->value[i] < '0' || r->value[i] > '9' || i == SECONDS_DIGITS_MAX)
            return error_set(err, ERROR_INVALID, "\"%s\" is no number", r->value);
        value = value * 10 + (r->value[i] - '0');
    }
    *out = value;
    return 0;
}

/* Seconds with a fraction of any length, of which nine digits count. */
static int parse_time(const struct record *r, struct timespec *out, struct error *err)
{
    bool negative = r->value[0] == '-';
    const char *at = r->value + negative;
    size_t digits = strspn(at, "0123456789"), scale = NS_DIGITS;
    int64_t seconds = 0;
    long ns = 0;

    if (digits == 0 || digits > SECONDS_DIGITS_MAX)
        return error_set(err, ERROR_INVALID, "\"%s\" is no time", r->value);
    for (; digits > 0; digits--)
        seconds = seconds * 10 + (*at++ - '0');
    if (*at == '.')
        at++;
    for (; *at >= '0' && *at <= '9'; at++)
        if (scale > 0 && scale--)
            ns = ns * 10 + (*at - '0');
    if (at != r->value + r->len)
        return error_set(err, ERROR_INVALID, "\"%s\" is no time", r->value);
    for (; scale > 0; scale--)
        ns *= 10;
    *out = (struct timespec){.tv_sec = negative ? -seconds : seconds, .tv_nsec = ns};
    if (negative && ns > 0)
        *out = (struct timespec){.tv_sec = -seconds - 1, .tv_nsec = 1000000000 - ns};
    return 0;
}

static int parse_text(const struct record *r, const char **out, struct error *err)
{
    if (strlen(r->value) != r->len)
        return error_set(err, ERROR_INVALID, "there is a NUL in it");
    *out = r->len ? r->value : NULL;
    return 0;
}

static int add_xattr(struct tar_pax *p, const struct record *r, struct error *err)
{
    const char *name = r->key + strlen(XATTR_PREFIX);
    size_t i = 0, name_len = strlen(name);

    if (name_len == 0 || name_len > TAR_XATTR_NAME_MAX)
        return error_set(err, ERROR_INVALID, "the name has %zu bytes, not 1 to %d", name_len,
                         TAR_XATTR_NAME_MAX);
    if (r->len > TAR_XATTR_SIZE_MAX)
        return error_set(err, ERROR_EXHAUSTED, "the value is longer than %d bytes",
                         TAR_XATTR_SIZE_MAX);
    while (i < p->n_xattrs && strcmp(p->xattrs[i].name, name) != 0)
        i++;
    if (i == TAR_XATTRS_MAX)
        return error_set(err, ERROR_EXHAUSTED, "there are more than %d of them", TAR_XATTRS_MAX);
    if (!p->xattrs)
        p->xattrs = xcalloc(TAR_XATTRS_MAX, sizeof *p->xattrs);
    p->xattrs[i] = (struct tar_xattr){name, r->value, r->len};
    p->n_xattrs += i == p->n_xattrs;
    return 0;
}

/* Version 0.0 repeats the records offset and numbytes for each piece. */
static int add_pair(struct tar_pax *p, struct tar_sparse *sparse, const struct record *r,
                    struct error *err)
{
    bool is_offset = strcmp(r->key, "GNU.sparse.offset") == 0;
    int64_t value = 0;

    if (is_offset == p->in_pair)
        return error_set(err, ERROR_INVALID, "offsets and lengths do not alternate");
    if (parse_number(r, &value, err) < 0)
        return -1;
    p->in_pair = is_offset;
    p->sparse = true;
    if (!is_offset)
        return tar_sparse_add(sparse, p->pair_offset, (uint64_t)value, err);
    p->pair_offset = (uint64_t)value;
    return 0;
}

static int apply_sparse(struct tar_pax *p, struct tar_sparse *sparse, const struct record *r,
                        struct error *err)
{
    const char *key = r->key + strlen("GNU.sparse.");

    if (strcmp(key, "name") == 0)
        return parse_text(r, &p->sparse_path, err);
    if (strcmp(key, "size") == 0 || strcmp(key, "realsize") == 0)
        return parse_number(r, &p->sparse_size, err);
    if (strcmp(key, "offset") == 0 || strcmp(key, "numbytes") == 0)
        return add_pair(p, sparse, r, err);
    if (strcmp(key, "major") == 0)
        p->sparse_inline = strcmp(r->value, "1") == 0;
    if (strcmp(key, "major") == 0 && !p->sparse_inline && strcmp(r->value, "0") != 0)
        return error_set(err, ERROR_UNIMPLEMENTED, "version %s is not known", r->value);
    p->sparse = p->sparse || p->sparse_inline || strcmp(key, "numblocks") == 0;
    if (strcmp(key, "map") != 0)
        return 0;
    p->sparse = true;
    return tar_sparse_add_list(sparse, r->value, err);
}

static int apply(struct tar_pax *p, struct tar_sparse *sparse, const struct record *r,
                 struct error *err)
{
    if (strncmp(r->key, XATTR_PREFIX, strlen(XATTR_PREFIX)) == 0)
        return add_xattr(p, r, err);
    if (strcmp(r->key, "path") == 0)
        return parse_text(r, &p->path, err);
    if (strcmp(r->key, "linkpath") == 0)
        return parse_text(r, &p->link, err);
    if (r->len == 0)
        return 0; /* an empty value gives the header block its say again */
    if (strcmp(r->key, "size") == 0)
        return parse_number(r, &p->size, err);
    if (strcmp(r->key, "uid") == 0)
        return parse_number(r, &p->uid, err);
    if (strcmp(r->key, "gid") == 0)
        return parse_number(r, &p->gid, err);
    if (strcmp(r->key, "mtime") == 0) {
        p->has_modified = true;
        return parse_time(r, &p->modified, err);
    }
    if (strcmp(r->key, "atime") == 0) {
        p->has_accessed = true;
        return parse_time(r, &p->accessed, err);
    }
    if (strncmp(r->key, "GNU.sparse.", strlen("GNU.sparse.")) == 0)
        return apply_sparse(p, sparse, r, err);
    return 0;
}

/* "<length of all of this> <key>=<value>\n" */
static int take_record(char **at, const char *end, struct record *out, struct error *err)
{
    size_t len = 0, left = (size_t)(end - *at), digits = 0;
    char *line = *at, *key, *equals;

    for (; digits < left && line[digits] >= '0' && line[digits] <= '9' && len <= left; digits++)
        len = len * 10 + (size_t)(line[digits] - '0');
    if (digits == 0 || digits >= left || line[digits] != ' ' || len > left || len < digits + 3 ||
        line[len - 1] != '\n')
        return error_set(err, ERROR_INVALID, "a pax record is damaged");
    key = line + digits + 1;
    equals = memchr(key, '=', len - digits - 2);
    if (!equals || equals == key || memchr(key, '\0', (size_t)(equals - key)))
        return error_set(err, ERROR_INVALID, "a pax record has no key");
    *equals = '\0';
    line[len - 1] = '\0';
    *out = (struct record){key, equals + 1, (size_t)(line + len - 1 - (equals + 1))};
    *at = line + len;
    return 0;
}

int tar_pax_parse(struct tar_pax *p, struct tar_sparse *sparse, char *text, size_t len,
                  struct error *err)
{
    const char *end = text + len;

    while (text < end) {
        struct record r = {"", "", 0};

        if (take_record(&text, end, &r, err) < 0)
            return -1;
        if (apply(p, sparse, &r, err) < 0)
            return error_wrap(err, "pax record %.64s", r.key);
    }
    if (p->in_pair)
        return error_set(err, ERROR_INVALID, "a sparse piece has no length");
    return 0;
}
