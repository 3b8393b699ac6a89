// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "base/strv.h"

/* flag: what a command can be told by --name and -n.
 *
 * A command has one table of them, ended by one without a name; the same table parses the command
 * line and prints the help. The values are the command's. */
enum flag_kind {
    FLAG_SWITCH, /* bool */
    FLAG_TEXT,   /* const char *, points into argv */
    FLAG_NUMBER, /* int64_t, not negative */
    FLAG_LIST,   /* struct strv, may be given several times */
};

struct flag {
    const char *name;
    char letter; /* 0: none */
    enum flag_kind kind;
    void *value;
    const char *placeholder; /* NULL for a switch */
    const char *help;
};

/* Sets values and adds what is no flag to args. "--" ends the flags; so does the first argument
 * when stops is true, for commands that end in a command line. ERROR_INVALID names what is wrong.
 */
MUST_CHECK int flag_parse(const struct flag *flags, char **argv, bool stops, struct strv *args,
                          struct error *err);

/* What is typed and what it does, aligned; on two lines when the first is long. */
void flag_print_row(const char *typed, const char *help, FILE *out);

/* A row for each flag. */
void flag_print_help(const struct flag *flags, FILE *out);
