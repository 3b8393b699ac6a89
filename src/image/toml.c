// SPDX-License-Identifier: Apache-2.0
#include "image/toml.h"

#include <assert.h>
#include <string.h>

#include "base/json.h"
#include "base/own.h"
#include "base/strv.h"
#include "image/toml_scalar.h"

/* TOML lets a table be mentioned in several places but defined in one, so each table remembers how
 * it came to be (in json-c's userdata):
 *
 *     IMPLICIT  a of [a.b]        [a] may define it later, once
 *     HEADER    [a]               nothing may define it again
 *     DOTTED    a of a.b = 1      more dotted keys may add to it, and headers below it
 *     INLINE    {...} and [...]   closed
 *     LIST      [[a]]             another [[a]] appends to it */
enum origin { IMPLICIT = 1, HEADER, DOTTED, INLINE, LIST };

struct parser {
    struct toml_cursor cursor;
    size_t depth;
    struct error *err;
};

static enum origin origin_of(struct json_object *o)
{
    return (enum origin)(uintptr_t)json_object_get_userdata(o);
}

static struct json_object *marked(struct json_object *o, enum origin origin)
{
    json_object_set_userdata(o, (void *)(uintptr_t)origin, NULL);
    return o;
}

static struct json_object *new_table(struct json_object *in, const char *key, enum origin origin)
{
    return marked(json_add_object(in, key), origin);
}

#define FAIL(p, ...) toml_scalar_fail(&(p)->cursor, (p)->err, __VA_ARGS__)

static char next(const struct parser *p)
{
    return p->cursor.at < p->cursor.end ? *p->cursor.at : '\0';
}

static bool take(struct parser *p, const char *text)
{
    if (strncmp(p->cursor.at, text, strlen(text)) != 0)
        return false;
    p->cursor.at += strlen(text);
    return true;
}

static void skip_space(struct parser *p)
{
    p->cursor.at += strspn(p->cursor.at, " \t");
}

static void skip_comment(struct parser *p)
{
    skip_space(p);
    if (next(p) == '#')
        p->cursor.at += strcspn(p->cursor.at, "\r\n");
}

static bool take_line_end(struct parser *p)
{
    return take(p, "\n") || take(p, "\r\n");
}

/* Blank lines and comments. */
static void skip_lines(struct parser *p)
{
    do {
        skip_comment(p);
    } while (take_line_end(p));
}

static int end_line(struct parser *p)
{
    skip_comment(p);
    if (!take_line_end(p) && p->cursor.at < p->cursor.end)
        return FAIL(p, "the line should end here");
    return 0;
}

static int parse_key_part(struct parser *p, struct strv *out)
{
    static const char bare[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    size_t len = strspn(p->cursor.at, bare);

    if (next(p) == '"' || next(p) == '\'') {
        AUTO_FINI(buf) text = BUF(TOML_BYTES_MAX);

        if (toml_scalar_string(&p->cursor, true, &text, p->err) < 0)
            return -1;
        strv_add(out, text.data ? text.data : "");
        return 0;
    }
    if (len == 0)
        return FAIL(p, "a key is missing");
    strv_addf(out, "%.*s", (int)len, p->cursor.at);
    p->cursor.at += len;
    return 0;
}

/* a."b c".d, with the white space behind it. */
static int parse_key(struct parser *p, struct strv *out)
{
    do {
        skip_space(p);
        if (out->len == TOML_DEPTH_MAX)
            return FAIL(p, "a key of more than %d parts", TOML_DEPTH_MAX);
        if (parse_key_part(p, out) < 0)
            return -1;
        skip_space(p);
    } while (take(p, "."));
    return 0;
}

static const char *last_part(const struct strv *key)
{
    assert(key->len > 0);
    return key->items[key->len - 1];
}

static struct json_object *parse_value(struct parser *p);
static int parse_member(struct parser *p, struct json_object *table);

static struct json_object *parse_string(struct parser *p)
{
    AUTO_FINI(buf) text = BUF(TOML_BYTES_MAX);

    if (toml_scalar_string(&p->cursor, false, &text, p->err) < 0)
        return NULL;
    return json_object_new_string_len(text.data ? text.data : "", (int)text.len);
}

static int fill_array(struct parser *p, struct json_object *array)
{
    for (;;) {
        struct json_object *value;

        skip_lines(p);
        if (take(p, "]"))
            return 0;
        value = parse_value(p);
        if (!value)
            return -1;
        json_add(array, NULL, value);
        skip_lines(p);
        if (!take(p, ",") && next(p) != ']')
            return FAIL(p, "the array should go on with a comma or end here");
    }
}

static int fill_inline_table(struct parser *p, struct json_object *table)
{
    skip_space(p);
    if (take(p, "}"))
        return 0;
    do {
        skip_space(p);
        if (parse_member(p, table) < 0)
            return -1;
        skip_space(p);
    } while (take(p, ","));
    return take(p, "}") ? 0 : FAIL(p, "the table should go on with a comma or end here");
}

/* Tables made by dotted keys within an inline table are closed with it. */
static void close_table(struct json_object *table)
{
    marked(table, INLINE);
    json_object_object_foreach(table, key, value)
    {
        (void)key;
        if (json_object_is_type(value, json_type_object))
            close_table(value);
    }
}

static struct json_object *parse_compound(struct parser *p)
{
    bool array = next(p) == '[';
    JSON_AUTO *value = array ? json_object_new_array() : json_object_new_object();
    int failed;

    p->cursor.at++;
    failed = array ? fill_array(p, value) : fill_inline_table(p, value);
    if (failed < 0)
        return NULL;
    if (array)
        marked(value, INLINE);
    else
        close_table(value);
    return TAKE(value);
}

static struct json_object *parse_value(struct parser *p)
{
    struct json_object *value;

    switch (next(p)) {
    case '"':
    case '\'':
        return parse_string(p);
    case '[':
    case '{':
        if (p->depth == TOML_DEPTH_MAX) {
            FAIL(p, "nested more than %d deep", TOML_DEPTH_MAX);
            return NULL;
        }
        p->depth++;
        value = parse_compound(p);
        p->depth--;
        return value;
    default:
        return toml_scalar_bare(&p->cursor, p->err);
    }
}

/* The table in which the last part of a dotted key goes. */
static struct json_object *walk_dotted(struct parser *p, struct json_object *table,
                                       const struct strv *key)
{
    for (size_t i = 0; i + 1 < key->len; i++) {
        struct json_object *found = json_get(table, key->items[i]);

        if (found &&
            (!json_object_is_type(found, json_type_object) || origin_of(found) != DOTTED)) {
            FAIL(p, "\"%.100s\" is defined already", key->items[i]);
            return NULL;
        }
        table = found ? found : new_table(table, key->items[i], DOTTED);
    }
    return table;
}

/* key = value */
static int parse_member(struct parser *p, struct json_object *table)
{
    AUTO_FINI(strv) key = {0};
    const char *last;
    struct json_object *value;

    if (parse_key(p, &key) < 0)
        return -1;
    last = last_part(&key);
    table = walk_dotted(p, table, &key);
    if (!table)
        return -1;
    if (json_object_object_get_ex(table, last, NULL))
        return FAIL(p, "\"%.100s\" is defined already", last);
    if (!take(p, "="))
        return FAIL(p, "\"=\" is missing");
    skip_space(p);
    value = parse_value(p);
    if (!value)
        return -1;
    json_add(table, last, value);
    return 0;
}

/* The table in which the last part of a header goes; lists stand for their last entry. */
static struct json_object *walk_header(struct parser *p, struct json_object *table,
                                       const struct strv *key)
{
    for (size_t i = 0; i + 1 < key->len; i++) {
        struct json_object *found = json_get(table, key->items[i]);

        if (!found)
            found = new_table(table, key->items[i], IMPLICIT);
        else if (origin_of(found) == LIST)
            found = json_at(found, json_len(found) - 1);
        if (!json_object_is_type(found, json_type_object) || origin_of(found) == INLINE) {
            FAIL(p, "\"%.100s\" is no table to add to", key->items[i]);
            return NULL;
        }
        table = found;
    }
    return table;
}

static struct json_object *enter_table(struct parser *p, struct json_object *parent,
                                       const char *name)
{
    struct json_object *found = json_get(parent, name);

    if (!found)
        return new_table(parent, name, HEADER);
    if (json_object_is_type(found, json_type_object) && origin_of(found) == IMPLICIT)
        return marked(found, HEADER);
    FAIL(p, "\"%.100s\" is defined already", name);
    return NULL;
}

static struct json_object *enter_list(struct parser *p, struct json_object *parent,
                                      const char *name)
{
    struct json_object *found = json_get(parent, name);

    if (!found)
        found = marked(json_add_array(parent, name), LIST);
    if (origin_of(found) != LIST) {
        FAIL(p, "\"%.100s\" is defined already", name);
        return NULL;
    }
    return new_table(found, NULL, HEADER);
}

/* [a.b] or [[a.b]]; returns the table that what follows goes into. */
static struct json_object *parse_header(struct parser *p, struct json_object *root)
{
    AUTO_FINI(strv) key = {0};
    struct json_object *parent;
    bool list;

    take(p, "[");
    list = take(p, "[");
    if (parse_key(p, &key) < 0)
        return NULL;
    if (!take(p, list ? "]]" : "]")) {
        FAIL(p, "the table's name should end here");
        return NULL;
    }
    parent = walk_header(p, root, &key);
    if (!parent)
        return NULL;
    return list ? enter_list(p, parent, last_part(&key)) : enter_table(p, parent, last_part(&key));
}

static int parse_document(struct parser *p, struct json_object *root)
{
    struct json_object *table = root;

    take(p, "\xef\xbb\xbf");
    for (skip_lines(p); p->cursor.at < p->cursor.end; skip_lines(p)) {
        if (next(p) == '[') {
            table = parse_header(p, root);
            if (!table)
                return -1;
        } else if (parse_member(p, table) < 0) {
            return -1;
        }
        if (end_line(p) < 0)
            return -1;
    }
    return 0;
}

struct json_object *toml_parse(const char *text, size_t len, struct error *err)
{
    AUTO_FREE char *copy = NULL;
    JSON_AUTO *root = NULL;
    struct parser p = {.err = err};

    if (len > TOML_BYTES_MAX) {
        error_set(err, ERROR_EXHAUSTED, "TOML of %zu bytes, %d are the limit", len, TOML_BYTES_MAX);
        return NULL;
    }
    copy = xmalloc(len + 1);
    if (len > 0)
        memcpy(copy, text, len);
    copy[len] = '\0';
    p.cursor = (struct toml_cursor){.text = copy, .at = copy, .end = copy + len};
    root = marked(json_object_new_object(), HEADER);
    if (toml_scalar_check(&p.cursor, err) < 0 || parse_document(&p, root) < 0)
        return NULL;
    return TAKE(root);
}
