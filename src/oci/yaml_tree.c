// SPDX-License-Identifier: Apache-2.0
#include "oci/yaml_tree.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/json.h"
#include "base/own.h"

struct reading {
    yaml_document_t *document;
    size_t n_nodes; /* so far: aliases let a short text stand for a huge tree */
    struct error *err;
};

static int fail(struct reading *r, const yaml_node_t *at, const char *what)
{
    return error_set(r->err, ERROR_INVALID, "line %zu: %s", at->start_mark.line + 1, what);
}

/* --- plain scalars --- */

static const struct {
    const char *text;
    enum { IS_NULL, IS_TRUE, IS_FALSE } value;
} LITERALS[] = {
    {"", IS_NULL},     {"~", IS_NULL},      {"null", IS_NULL},   {"Null", IS_NULL},
    {"NULL", IS_NULL}, {"true", IS_TRUE},   {"True", IS_TRUE},   {"TRUE", IS_TRUE},
    {"yes", IS_TRUE},  {"Yes", IS_TRUE},    {"YES", IS_TRUE},    {"on", IS_TRUE},
    {"On", IS_TRUE},   {"ON", IS_TRUE},     {"false", IS_FALSE}, {"False", IS_FALSE},
    {"no", IS_FALSE},  {"FALSE", IS_FALSE}, {"No", IS_FALSE},    {"NO", IS_FALSE},
    {"off", IS_FALSE}, {"Off", IS_FALSE},   {"OFF", IS_FALSE},
};

static bool read_literal(const char *text, struct json_object **out)
{
    for (size_t i = 0; i < COUNT_OF(LITERALS); i++)
        if (strcmp(text, LITERALS[i].text) == 0) {
            *out = LITERALS[i].value == IS_NULL
                       ? NULL
                       : json_object_new_boolean(LITERALS[i].value == IS_TRUE);
            return true;
        }
    return false;
}

static bool read_integer(const char *text, struct json_object **out)
{
    const char *digits = text + (*text == '-' || *text == '+');
    bool is_octal = digits[0] == '0' && digits[1] == 'o';
    AUTO_FREE char *octal = NULL;
    int64_t value;
    char *end;

    if (!isdigit((unsigned char)*digits))
        return false;
    if (is_octal) { /* as strtoll() knows it: without the o */
        octal = xasprintf("%.*s0%s", (int)(digits - text), text, digits + 2);
        text = octal;
    }
    errno = 0;
    value = strtoll(text, &end, 0);
    if (errno || *end)
        return false;
    *out = json_object_new_int64(value);
    return true;
}

/* Digits with a point or an exponent; what strtod() knows beyond that are texts here. */
static bool read_real(const char *text, struct json_object **out)
{
    double value;
    char *end;

    if (!*text || text[strspn(text, "0123456789+-.eE")] || !strpbrk(text, "0123456789"))
        return false;
    value = strtod(text, &end);
    if (*end)
        return false;
    *out = json_object_new_double(value);
    return true;
}

static struct json_object *read_scalar(const yaml_node_t *node)
{
    const char *text = (const char *)node->data.scalar.value;
    struct json_object *value = NULL;

    if (node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
        (read_literal(text, &value) || read_integer(text, &value) || read_real(text, &value)))
        return value;
    return json_object_new_string_len(text, (int)node->data.scalar.length);
}

/* --- collections --- */

static int read_node(struct reading *r, int id, int depth, struct json_object **out);

static int read_sequence(struct reading *r, const yaml_node_t *node, int depth,
                         struct json_object *to)
{
    for (yaml_node_item_t *item = node->data.sequence.items.start;
         item < node->data.sequence.items.top; item++) {
        struct json_object *value = NULL;

        if (read_node(r, *item, depth, &value) < 0)
            return -1;
        json_add(to, NULL, value);
    }
    return 0;
}

static int read_mapping(struct reading *r, const yaml_node_t *node, int depth,
                        struct json_object *to)
{
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(r->document, pair->key);
        struct json_object *value = NULL;
        const char *name;

        if (key->type != YAML_SCALAR_NODE)
            return fail(r, key, "a key is no text");
        name = (const char *)key->data.scalar.value;
        if (strlen(name) != key->data.scalar.length)
            return fail(r, key, "a key contains a NUL byte");
        if (json_object_object_get_ex(to, name, NULL))
            return error_set(r->err, ERROR_INVALID, "line %zu: key \"%s\" is there twice",
                             key->start_mark.line + 1, name);
        if (read_node(r, pair->value, depth, &value) < 0)
            return -1;
        json_add(to, name, value);
    }
    return 0;
}

static int read_node(struct reading *r, int id, int depth, struct json_object **out)
{
    const yaml_node_t *node = yaml_document_get_node(r->document, id);
    JSON_AUTO *collection = NULL;
    int outcome;

    if (++r->n_nodes > YAML_TREE_NODES_MAX)
        return fail(r, node, "there are too many values");
    if (depth > YAML_TREE_DEPTH_MAX)
        return fail(r, node, "values are nested too deeply");
    if (node->type == YAML_SCALAR_NODE) {
        *out = read_scalar(node);
        return 0;
    }
    collection =
        node->type == YAML_MAPPING_NODE ? json_object_new_object() : json_object_new_array();
    outcome = node->type == YAML_MAPPING_NODE ? read_mapping(r, node, depth + 1, collection)
                                              : read_sequence(r, node, depth + 1, collection);
    if (outcome < 0)
        return -1;
    *out = TAKE(collection);
    return 0;
}

static struct json_object *read_document(yaml_document_t *document, struct error *err)
{
    struct reading r = {.document = document, .err = err};
    struct json_object *tree = NULL;

    if (!yaml_document_get_root_node(document))
        return json_object_new_object();
    if (read_node(&r, 1, 0, &tree) < 0)
        return NULL;
    return tree ? tree : json_object_new_object();
}

struct json_object *yaml_tree_parse(const char *text, size_t len, struct error *err)
{
    struct json_object *tree = NULL;
    yaml_parser_t parser;
    yaml_document_t document;

    if (!yaml_parser_initialize(&parser))
        abort();
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    if (yaml_parser_load(&parser, &document)) {
        tree = read_document(&document, err);
        yaml_document_delete(&document);
    } else {
        error_set(err, ERROR_INVALID, "line %zu: %s", parser.problem_mark.line + 1,
                  parser.problem ? parser.problem : "this is no YAML");
    }
    yaml_parser_delete(&parser);
    return tree;
}
