// SPDX-License-Identifier: Apache-2.0
#include "ctl/flag.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum { TYPED_WIDTH = 26 };

static int set_value(const struct flag *f, const char *text, struct error *err)
{
    char *end;

    switch (f->kind) {
    case FLAG_SWITCH:
        *(bool *)f->value = true;
        return 0;
    case FLAG_TEXT:
        *(const char **)f->value = text;
        return 0;
    case FLAG_LIST:
        strv_add(f->value, text);
        return 0;
    case FLAG_NUMBER:
        errno = 0;
        *(int64_t *)f->value = strtoll(text, &end, 10);
        if (errno || end == text || *end || *(int64_t *)f->value < 0)
            return error_set(err, ERROR_INVALID, "--%s wants a number, not \"%s\"", f->name, text);
        return 0;
    }
    return -1;
}

/* --name, --name=value or --name value; returns how many of argv it used, or -1. */
static int parse_long(const struct flag *flags, char **argv, struct error *err)
{
    const char *name = argv[0] + 2, *equals = strchr(name, '=');
    size_t len = equals ? (size_t)(equals - name) : strlen(name);
    const struct flag *f = flags;

    while (f->name && (strncmp(f->name, name, len) != 0 || f->name[len]))
        f++;
    if (!f->name)
        return error_set(err, ERROR_INVALID, "there is no option %s", argv[0]);
    if (f->kind == FLAG_SWITCH && equals)
        return error_set(err, ERROR_INVALID, "--%s takes no value", f->name);
    if (f->kind == FLAG_SWITCH || equals)
        return set_value(f, equals ? equals + 1 : NULL, err) < 0 ? -1 : 1;
    if (!argv[1])
        return error_set(err, ERROR_INVALID, "--%s needs a value: %s", f->name, f->placeholder);
    return set_value(f, argv[1], err) < 0 ? -1 : 2;
}

/* -a, -abc, -nvalue or -n value; returns how many of argv it used, or -1. */
static int parse_short(const struct flag *flags, char **argv, struct error *err)
{
    for (const char *at = argv[0] + 1; *at; at++) {
        const struct flag *f = flags;

        while (f->name && f->letter != *at)
            f++;
        if (!f->name)
            return error_set(err, ERROR_INVALID, "there is no option -%c", *at);
        if (f->kind != FLAG_SWITCH && !at[1] && !argv[1])
            return error_set(err, ERROR_INVALID, "-%c needs a value: %s", *at, f->placeholder);
        if (f->kind != FLAG_SWITCH)
            return set_value(f, at[1] ? at + 1 : argv[1], err) < 0 ? -1 : at[1] ? 1 : 2;
        if (set_value(f, NULL, err) < 0)
            return -1;
    }
    return 1;
}

int flag_parse(const struct flag *flags, char **argv, bool stops, struct strv *args,
               struct error *err)
{
    while (*argv) {
        const char *at = *argv;
        int used = 1;

        if (strcmp(at, "--") == 0 || (at[0] != '-' && stops) || strcmp(at, "-") == 0)
            break;
        if (at[0] != '-')
            strv_add(args, at);
        else
            used = at[1] == '-' ? parse_long(flags, argv, err) : parse_short(flags, argv, err);
        if (used < 0)
            return -1;
        argv += used;
    }
    for (bool first = true; *argv; argv++, first = false) {
        /* IMAGE -- CMD: a marker in front of or behind the first argument is no argument. */
        if (strcmp(*argv, "--") != 0 || (!first && args->len != 1))
            strv_add(args, *argv);
    }
    return 0;
}

void flag_print_row(const char *typed, const char *help, FILE *out)
{
    if (strlen(typed) > TYPED_WIDTH)
        fprintf(out, "  %s\n  %-*s %s\n", typed, TYPED_WIDTH, "", help);
    else
        fprintf(out, "  %-*s %s\n", TYPED_WIDTH, typed, help);
}

void flag_print_help(const struct flag *flags, FILE *out)
{
    for (const struct flag *f = flags; f->name; f++) {
        char left[64];
        const char *space = f->placeholder ? " " : "",
                   *value = f->placeholder ? f->placeholder : "";

        if (f->letter)
            snprintf(left, sizeof left, "-%c, --%s%s%s", f->letter, f->name, space, value);
        else
            snprintf(left, sizeof left, "    --%s%s%s", f->name, space, value);
        flag_print_row(left, f->help, out);
    }
}
