// SPDX-License-Identifier: Apache-2.0
#include "oci/seccomp_check.h"

#include <stdbool.h>
#include <string.h>

#include "base/json.h"
#include "base/own.h"

enum { ARGS_COUNT = 6 };

static const char *const ACTIONS[] = {
    "SCMP_ACT_KILL",  "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD",
    "SCMP_ACT_TRAP",  "SCMP_ACT_ERRNO",        "SCMP_ACT_TRACE",
    "SCMP_ACT_ALLOW", "SCMP_ACT_LOG",          "SCMP_ACT_NOTIFY",
};

static const char *const OPERATORS[] = {
    "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE",        "SCMP_CMP_EQ",
    "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ",
};

static bool is_among(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (name && strcmp(names[i], name) == 0)
            return true;
    return false;
}

static int check_action(const char *where, struct json_object *action, struct error *err)
{
    if (is_among(ACTIONS, COUNT_OF(ACTIONS), json_str(action)))
        return 0;
    return error_set(err, ERROR_INVALID, "%s: %.100s is no action", where,
                     action ? json_text(action) : "what is missing");
}

/* An array of strings; one that may be missing is not there, or null. */
static int check_texts(const char *where, struct json_object *texts, bool may_be_missing,
                       struct error *err)
{
    if (!texts && may_be_missing)
        return 0;
    if (!json_object_is_type(texts, json_type_array))
        return error_set(err, ERROR_INVALID, "%s is no list of names", where);
    for (size_t i = 0; i < json_len(texts); i++)
        if (!json_str(json_at(texts, i)))
            return error_set(err, ERROR_INVALID, "%s: %.100s is no name", where,
                             json_text(json_at(texts, i)));
    return 0;
}

static int check_number(const char *where, const char *key, struct json_object *in, bool is_needed,
                        struct error *err)
{
    struct json_object *value = json_get(in, key);

    if ((!value && !is_needed) || json_object_is_type(value, json_type_int))
        return 0;
    return error_set(err, ERROR_INVALID, "%s.%s is no number", where, key);
}

static int check_arg(const char *where, struct json_object *arg, struct error *err)
{
    const char *comparison = json_get_str(arg, "op");

    if (check_number(where, "index", arg, true, err) < 0 ||
        check_number(where, "value", arg, true, err) < 0 ||
        check_number(where, "valueTwo", arg, false, err) < 0)
        return -1;
    if (json_get_int(arg, "index", 0) < 0 || json_get_int(arg, "index", 0) >= ARGS_COUNT)
        return error_set(err, ERROR_INVALID, "%s.index: a system call has %d arguments", where,
                         ARGS_COUNT);
    if (!is_among(OPERATORS, COUNT_OF(OPERATORS), comparison))
        return error_set(err, ERROR_INVALID, "%s.op: \"%.100s\" is no comparison", where,
                         comparison ? comparison : "");
    return 0;
}

static int check_args(const char *where, struct json_object *args, struct error *err)
{
    if (args && !json_object_is_type(args, json_type_array))
        return error_set(err, ERROR_INVALID, "%s is no list", where);
    for (size_t i = 0; i < json_len(args); i++) {
        AUTO_FREE char *at = xasprintf("%s[%zu]", where, i);

        if (check_arg(at, json_at(args, i), err) < 0)
            return -1;
    }
    return 0;
}

static int check_rule(size_t nth, struct json_object *rule, struct error *err)
{
    AUTO_FREE char *where = xasprintf("syscalls[%zu]", nth);
    AUTO_FREE char *names = xasprintf("%s.names", where), *args = xasprintf("%s.args", where);
    AUTO_FREE char *action = xasprintf("%s.action", where);

    if (check_texts(names, json_get(rule, "names"), false, err) < 0 ||
        check_action(action, json_get(rule, "action"), err) < 0 ||
        check_number(where, "errnoRet", rule, false, err) < 0)
        return -1;
    return check_args(args, json_get(rule, "args"), err);
}

int seccomp_check(struct json_object *profile, struct error *err)
{
    struct json_object *rules = json_get(profile, "syscalls");

    if (!json_object_is_type(profile, json_type_object))
        return error_set(err, ERROR_INVALID, "it is no JSON object");
    if (check_action("defaultAction", json_get(profile, "defaultAction"), err) < 0 ||
        check_texts("architectures", json_get(profile, "architectures"), true, err) < 0 ||
        check_texts("flags", json_get(profile, "flags"), true, err) < 0 ||
        check_number("profile", "defaultErrnoRet", profile, false, err) < 0)
        return -1;
    if (rules && !json_object_is_type(rules, json_type_array))
        return error_set(err, ERROR_INVALID, "syscalls is no list");
    for (size_t i = 0; i < json_len(rules); i++)
        if (check_rule(i, json_at(rules, i), err) < 0)
            return -1;
    return 0;
}
