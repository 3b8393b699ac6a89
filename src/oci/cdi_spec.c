// SPDX-License-Identifier: Apache-2.0
#include "oci/cdi_spec.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "base/own.h"
#include "oci/yaml_tree.h"

/* What a file may say is in the tables SHAPES below, beside the first version of the specification
 * that has it; the rest of this file holds a tree against them. */

static const char *const VERSIONS[] = {"0.1.0", "0.2.0", "0.3.0", "0.4.0", "0.5.0",
                                       "0.6.0", "0.7.0", "0.8.0", "1.0.0", "1.1.0"};
enum version { V0_1, V0_2, V0_3, V0_4, V0_5, V0_6, V0_7, V0_8, V1_0, V1_1 };

enum kind { TEXT, NUMBER, UNSIGNED, FLAG, TEXTS, UNSIGNEDS, TEXT_MAP, OBJECT, OBJECTS };

enum { DEVICES_MAX = 4096 };

struct checking {
    enum version version;
    struct error *err;
};

struct shape;

struct rule {
    const char *key;
    enum kind kind;
    enum version since;
    bool required; /* and not "" */
    const struct shape *inner;
};

struct shape {
    const struct rule *rules;
    size_t n_rules;
    /* What no table says; NULL: nothing. */
    int (*check)(const struct checking *c, struct json_object *object);
};

#define SHAPE(rules_, check_)                                                                      \
    {                                                                                              \
        .rules = (rules_), .n_rules = COUNT_OF(rules_), .check = (check_)                          \
    }

/* --- names --- */

static bool is_alnum(char c)
{
    return isalnum((unsigned char)c);
}

/* Letters, digits and the marks; ends with a letter or digit. */
static bool is_name(const char *text, size_t len, bool digit_first, const char *marks)
{
    if (len == 0 || !is_alnum(text[len - 1]) ||
        !(digit_first ? is_alnum(text[0]) : isalpha((unsigned char)text[0])))
        return false;
    for (size_t i = 0; i < len; i++)
        if (!is_alnum(text[i]) && (!text[i] || !strchr(marks, text[i])))
            return false;
    return true;
}

static bool is_kind(const char *text, size_t len)
{
    const char *slash = memchr(text, '/', len);
    size_t vendor = slash ? (size_t)(slash - text) : 0;

    return slash && is_name(text, vendor, false, "_-.") &&
           is_name(slash + 1, len - vendor - 1, false, "_-.");
}

static bool is_device(const char *name)
{
    return is_name(name, strlen(name), true, "_-.:");
}

bool cdi_spec_is_device(const char *text)
{
    const char *equals = strchr(text, '=');

    return equals && is_kind(text, (size_t)(equals - text)) && is_device(equals + 1);
}

/* --- what no table says --- */

static int bad(const struct checking *c, const char *key, const char *value, const char *why)
{
    return error_set(c->err, ERROR_INVALID, "%s \"%s\" %s", key, value, why);
}

static int check_since(const struct checking *c, const char *what, enum version since)
{
    if (c->version < since)
        return error_set(c->err, ERROR_INVALID, "%s needs cdiVersion %s or later, not %s", what,
                         VERSIONS[since], VERSIONS[c->version]);
    return 0;
}

static bool is_one_of(const char *text, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(text, list[i]) == 0)
            return true;
    return false;
}

static int check_node(const struct checking *c, struct json_object *node)
{
    static const char *const types[] = {"", "b", "c", "u", "p"};
    const char *type = json_get_str(node, "type"), *access = json_get_str(node, "permissions");

    if (type && !is_one_of(type, types, COUNT_OF(types)))
        return bad(c, "type", type, "is none of b, c, u, p");
    if (access && access[strspn(access, "rwm")])
        return bad(c, "permissions", access, "are not of r, w, m");
    return 0;
}

static int check_hook(const struct checking *c, struct json_object *hook)
{
    static const char *const names[] = {"prestart",       "createRuntime", "createContainer",
                                        "startContainer", "poststart",     "poststop"};
    const char *name = json_get_str(hook, "hookName");

    return is_one_of(name, names, COUNT_OF(names)) ? 0 : bad(c, "hookName", name, "is not known");
}

static int check_edits(const struct checking *c, struct json_object *edits)
{
    struct json_object *env = json_get(edits, "env");

    for (size_t i = 0; i < json_len(env); i++) {
        const char *variable = json_str(json_at(env, i));

        if (*variable == '=' || !strchr(variable, '='))
            return bad(c, "env", variable, "is not NAME=VALUE");
    }
    return 0;
}

static bool is_empty(struct json_object *edits)
{
    json_object_object_foreach(edits, key, value)
    {
        (void)key;
        if (json_object_is_type(value, json_type_object) || json_len(value) > 0)
            return false;
    }
    return true;
}

static int check_device(const struct checking *c, struct json_object *device)
{
    const char *name = json_get_str(device, "name");

    if (!is_device(name))
        return bad(c, "name", name, "is no name of a device");
    if (isdigit((unsigned char)*name) &&
        check_since(c, "a name that begins with a digit", V0_5) < 0)
        return -1;
    return is_empty(json_get(device, "containerEdits")) ? bad(c, "device", name, "has no edits")
                                                        : 0;
}

static int check_file(const struct checking *c, struct json_object *file)
{
    struct json_object *devices = json_get(file, "devices");
    const char *kind = json_get_str(file, "kind");

    if (!is_kind(kind, strlen(kind)))
        return bad(c, "kind", kind, "is not vendor/class");
    if (strchr(strchr(kind, '/'), '.') && check_since(c, "a class with a dot", V0_6) < 0)
        return -1;
    if (json_len(devices) == 0)
        return error_set(c->err, ERROR_INVALID, "devices are empty");
    if (json_len(devices) > DEVICES_MAX)
        return error_set(c->err, ERROR_EXHAUSTED, "devices: more than %d", DEVICES_MAX);
    for (size_t i = 0; i < json_len(devices); i++)
        for (size_t before = 0; before < i; before++) {
            const char *name = json_get_str(json_at(devices, i), "name");

            if (strcmp(name, json_get_str(json_at(devices, before), "name")) == 0)
                return bad(c, "device", name, "is there twice");
        }
    return 0;
}

/* --- the tables --- */

static const struct rule NODE_RULES[] = {
    {"path", TEXT, V0_1, true, NULL},         {"hostPath", TEXT, V0_5, false, NULL},
    {"type", TEXT, V0_1, false, NULL},        {"major", NUMBER, V0_1, false, NULL},
    {"minor", NUMBER, V0_1, false, NULL},     {"fileMode", UNSIGNED, V0_1, false, NULL},
    {"permissions", TEXT, V0_1, false, NULL}, {"uid", UNSIGNED, V0_1, false, NULL},
    {"gid", UNSIGNED, V0_1, false, NULL},
};
static const struct shape NODE = SHAPE(NODE_RULES, check_node);

static const struct rule NET_DEVICE_RULES[] = {
    {"hostInterfaceName", TEXT, V1_1, true, NULL},
    {"name", TEXT, V1_1, true, NULL},
};
static const struct shape NET_DEVICE = SHAPE(NET_DEVICE_RULES, NULL);

static const struct rule HOOK_RULES[] = {
    {"hookName", TEXT, V0_1, true, NULL},   {"path", TEXT, V0_1, true, NULL},
    {"args", TEXTS, V0_1, false, NULL},     {"env", TEXTS, V0_1, false, NULL},
    {"timeout", NUMBER, V0_1, false, NULL},
};
static const struct shape HOOK = SHAPE(HOOK_RULES, check_hook);

static const struct rule MOUNT_RULES[] = {
    {"hostPath", TEXT, V0_1, true, NULL},
    {"containerPath", TEXT, V0_1, true, NULL},
    {"options", TEXTS, V0_1, false, NULL},
    {"type", TEXT, V0_4, false, NULL},
};
static const struct shape MOUNT = SHAPE(MOUNT_RULES, NULL);

static const struct rule RDT_RULES[] = {
    {"closID", TEXT, V0_7, false, NULL},           {"l3CacheSchema", TEXT, V0_7, false, NULL},
    {"memBwSchema", TEXT, V0_7, false, NULL},      {"enableCMT", FLAG, V0_7, false, NULL},
    {"enableMBM", FLAG, V0_7, false, NULL},        {"schemata", TEXTS, V1_1, false, NULL},
    {"enableMonitoring", FLAG, V1_1, false, NULL},
};
static const struct shape RDT = SHAPE(RDT_RULES, NULL);

static const struct rule EDITS_RULES[] = {
    {"env", TEXTS, V0_1, false, NULL},
    {"deviceNodes", OBJECTS, V0_1, false, &NODE},
    {"netDevices", OBJECTS, V1_1, false, &NET_DEVICE},
    {"hooks", OBJECTS, V0_1, false, &HOOK},
    {"mounts", OBJECTS, V0_1, false, &MOUNT},
    {"intelRdt", OBJECT, V0_7, false, &RDT},
    {"additionalGids", UNSIGNEDS, V0_7, false, NULL},
};
static const struct shape EDITS = SHAPE(EDITS_RULES, check_edits);

static const struct rule DEVICE_RULES[] = {
    {"name", TEXT, V0_1, true, NULL},
    {"annotations", TEXT_MAP, V0_6, false, NULL},
    {"containerEdits", OBJECT, V0_1, true, &EDITS},
};
static const struct shape DEVICE = SHAPE(DEVICE_RULES, check_device);

static const struct rule FILE_RULES[] = {
    {"cdiVersion", TEXT, V0_1, true, NULL},       {"kind", TEXT, V0_1, true, NULL},
    {"annotations", TEXT_MAP, V0_6, false, NULL}, {"containerEdits", OBJECT, V0_1, false, &EDITS},
    {"devices", OBJECTS, V0_1, true, &DEVICE},
};
static const struct shape FILE_SHAPE = SHAPE(FILE_RULES, check_file);

/* --- a tree against the tables --- */

static int check_object(const struct checking *c, const struct shape *shape,
                        struct json_object *object);

static const struct rule *find_rule(const struct shape *shape, const char *key)
{
    for (size_t i = 0; i < shape->n_rules; i++)
        if (strcmp(shape->rules[i].key, key) == 0)
            return &shape->rules[i];
    return NULL;
}

static int wrong_type(const struct checking *c)
{
    return error_set(c->err, ERROR_INVALID, "is of the wrong type");
}

static int check_unsigned(const struct checking *c, struct json_object *value)
{
    if (!json_object_is_type(value, json_type_int))
        return wrong_type(c);
    if (json_object_get_int64(value) < 0 || json_object_get_int64(value) > UINT32_MAX)
        return error_set(c->err, ERROR_INVALID, "%" PRId64 " is out of range",
                         json_object_get_int64(value));
    return 0;
}

static int check_one(const struct checking *c, enum kind kind, const struct shape *inner,
                     struct json_object *value)
{
    static const enum json_type types[] = {
        [TEXT] = json_type_string, [NUMBER] = json_type_int, [FLAG] = json_type_boolean};

    if (kind == UNSIGNED)
        return check_unsigned(c, value);
    if (kind == OBJECT)
        return json_object_is_type(value, json_type_object) ? check_object(c, inner, value)
                                                            : wrong_type(c);
    return json_object_is_type(value, types[kind]) ? 0 : wrong_type(c);
}

/* YAML without the quotes of a text such as 0 is borne with. */
static bool is_unquoted(struct json_object *value)
{
    return json_object_is_type(value, json_type_int) ||
           json_object_is_type(value, json_type_boolean);
}

static int check_list(const struct checking *c, enum kind kind, const struct shape *inner,
                      struct json_object *list)
{
    if (!json_object_is_type(list, json_type_array))
        return wrong_type(c);
    for (size_t i = 0; i < json_len(list); i++) {
        struct json_object *value = json_at(list, i);

        if (kind == TEXT && is_unquoted(value))
            json_object_array_put_idx(list, i, json_object_new_string(json_text(value)));
        else if (check_one(c, kind, inner, value) < 0)
            return error_wrap(c->err, "%zu", i);
    }
    return 0;
}

static int check_map(const struct checking *c, struct json_object *map)
{
    if (!json_object_is_type(map, json_type_object))
        return wrong_type(c);
    json_object_object_foreach(map, key, value)
    {
        if (!is_unquoted(value) && check_one(c, TEXT, NULL, value) < 0)
            return error_wrap(c->err, "%s", key);
    }
    return 0;
}

static int check_value(const struct checking *c, const struct rule *rule, struct json_object *value)
{
    switch (rule->kind) {
    case TEXTS:
        return check_list(c, TEXT, NULL, value);
    case UNSIGNEDS:
        return check_list(c, UNSIGNED, NULL, value);
    case OBJECTS:
        return check_list(c, OBJECT, rule->inner, value);
    case TEXT_MAP:
        return check_map(c, value);
    default:
        return check_one(c, rule->kind, rule->inner, value);
    }
}

/* A member that says nothing needs no version. */
static bool says_something(const struct rule *rule, struct json_object *value)
{
    switch (rule->kind) {
    case TEXT:
        return *json_str(value) != '\0';
    case FLAG:
        return json_object_get_boolean(value);
    case TEXT_MAP:
        return json_object_object_length(value) > 0;
    case TEXTS:
    case UNSIGNEDS:
    case OBJECTS:
        return json_len(value) > 0;
    default:
        return true;
    }
}

static int check_member(const struct checking *c, const struct shape *shape,
                        struct json_object *object, const char *key)
{
    const struct rule *rule = find_rule(shape, key);
    struct json_object *value = json_get(object, key);

    if (!rule)
        return error_set(c->err, ERROR_INVALID, "is no member that is known");
    if (!value) /* null is as if it were not there */
        return 0;
    if (rule->kind == TEXT && is_unquoted(value)) {
        json_add_str(object, key, json_text(value));
        return check_since(c, key, rule->since);
    }
    if (check_value(c, rule, value) < 0)
        return -1;
    return says_something(rule, value) ? check_since(c, key, rule->since) : 0;
}

static int check_object(const struct checking *c, const struct shape *shape,
                        struct json_object *object)
{
    json_object_object_foreach(object, key, value)
    {
        (void)value;
        if (check_member(c, shape, object, key) < 0)
            return error_wrap(c->err, "%s", key);
    }
    for (size_t i = 0; i < shape->n_rules; i++) {
        const struct rule *rule = &shape->rules[i];
        struct json_object *member = json_get(object, rule->key);

        if (rule->required && (!member || (json_str(member) && !*json_str(member))))
            return error_set(c->err, ERROR_INVALID, "%s is missing", rule->key);
    }
    return shape->check ? shape->check(c, object) : 0;
}

/* A leading v is borne with. */
static int find_version(struct json_object *file, struct checking *c)
{
    const char *text = json_get_str(file, "cdiVersion");

    if (!text)
        return error_set(c->err, ERROR_INVALID, "cdiVersion is missing");
    for (size_t i = 0; i < COUNT_OF(VERSIONS); i++)
        if (strcmp(text + (*text == 'v'), VERSIONS[i]) == 0) {
            c->version = (enum version)i;
            return 0;
        }
    return error_set(c->err, ERROR_INVALID, "cdiVersion \"%s\" is not known", text);
}

struct json_object *cdi_spec_parse(const char *text, size_t len, bool is_yaml, struct error *err)
{
    JSON_AUTO *file = is_yaml ? yaml_tree_parse(text, len, err) : json_parse(text, len, err);
    struct checking c = {.err = err};

    if (!file)
        return NULL;
    if (!json_object_is_type(file, json_type_object)) {
        error_set(err, ERROR_INVALID, "it is no object");
        return NULL;
    }
    if (find_version(file, &c) < 0 || check_object(&c, &FILE_SHAPE, file) < 0)
        return NULL;
    return TAKE(file);
}
