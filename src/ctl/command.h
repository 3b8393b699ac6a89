// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/strv.h"
#include "ctl/ctl.h"
#include "ctl/flag.h"

/* command: what stands behind a word on berthctl's command line; each has a file. */
struct command {
    const char *name;
    const char *arguments; /* for the usage line */
    const char *summary;
    const struct flag *flags; /* may be NULL */
    size_t args_min;
    size_t args_max;
    bool takes_command_line; /* flags end at the first argument */
    int failure;             /* exit status when the command itself fails; 0 means 1 */
    /* Returns berthctl's exit status, or -1 with the reason in err. */
    int (*run)(struct ctl *c, const struct strv *args, struct error *err);
    const struct command *const *children; /* instead of run; ends with NULL */
};

enum { COMMAND_USAGE_STATUS = 2 };

extern const struct command exec_command, explain_command, image_command, image_export_command,
    image_import_command, image_pull_command, image_rm_command, images_command, images_ls_command,
    info_command, logs_command, pods_command, ps_command, rm_command, run_command, stop_command,
    version_command;

/* Finds the command of argv[0] among those, and runs it or prints its help. Prints the sentence of
 * a failure and returns the exit status. prefix is what stands in front, such as "berthctl". */
int command_dispatch(const struct command *const *commands, const char *prefix, struct ctl *c,
                     char **argv);

/* The names and summaries, aligned. */
void command_print_list(const struct command *const *commands, FILE *out);

/* A reading of -o: "json" or "table"; anything else fails. */
MUST_CHECK int command_wants_json(const char *output, bool *out, struct error *err);

/* Prints an answer as indented JSON on standard output. */
void command_print_json(const ProtobufCMessage *message);

#define COMMAND_OUTPUT_FLAG(variable)                                                              \
    {                                                                                              \
        "output", 'o', FLAG_TEXT, variable, "FORMAT", "table (default) or json"                    \
    }
