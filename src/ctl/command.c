// SPDX-License-Identifier: Apache-2.0
#include "ctl/command.h"

#include <json-c/json.h>
#include <string.h>

#include "base/json.h"
#include "base/own.h"
#include "base/proto_json.h"

static const struct flag no_flags[] = {{0}};

static void print_help(const struct command *cmd, const char *prefix)
{
    const struct flag *flags = cmd->flags ? cmd->flags : no_flags;

    printf("usage: %s %s%s%s%s\n\n%s\n", prefix, cmd->name, flags->name ? " [options]" : "",
           *cmd->arguments ? " " : "", cmd->arguments, cmd->summary);
    if (flags->name)
        printf("\n");
    flag_print_help(flags, stdout);
    if (cmd->children) {
        printf("\n");
        command_print_list(cmd->children, stdout);
    }
}

static int fail(const char *prefix, const char *name, const struct error *err)
{
    bool usage = err->code == ERROR_INVALID;

    fprintf(stderr, "berthctl: %s", err->text);
    if (usage && name)
        fprintf(stderr, ": see %s %s --help", prefix, name);
    fputc('\n', stderr);
    return usage ? COMMAND_USAGE_STATUS : 1;
}

static bool asks_for_help(char *const *argv)
{
    return argv[0] && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0);
}

static int check_args(const struct command *cmd, const struct strv *args, struct error *err)
{
    if (args->len < cmd->args_min)
        return error_set(err, ERROR_INVALID, "%s needs %s", cmd->name, cmd->arguments);
    if (args->len > cmd->args_max)
        return error_set(err, ERROR_INVALID, "%s does not take \"%s\"", cmd->name,
                         args->items[cmd->args_max]);
    return 0;
}

static int execute(const struct command *cmd, const char *prefix, struct ctl *c, char **argv)
{
    AUTO_FINI(strv) args = {0};
    struct error err = {0};
    int status;

    if (flag_parse(cmd->flags ? cmd->flags : no_flags, argv, cmd->takes_command_line, &args, &err) <
            0 ||
        check_args(cmd, &args, &err) < 0)
        return fail(prefix, cmd->name, &err);
    status = cmd->run(c, &args, &err);
    if (status >= 0)
        return status;
    fail(prefix, NULL, &err);
    return cmd->failure ? cmd->failure : 1;
}

int command_dispatch(const struct command *const *commands, const char *prefix, struct ctl *c,
                     char **argv)
{
    const struct command *const *at = commands;
    char nested[64];

    while (*at && argv[0] && strcmp((*at)->name, argv[0]) != 0)
        at++;
    if (!argv[0] || !*at) {
        fprintf(stderr, "berthctl: %s%s%s: see %s --help\n",
                argv[0] ? "there is no command \"" : "a command is missing", argv[0] ? argv[0] : "",
                argv[0] ? "\"" : "", prefix);
        return COMMAND_USAGE_STATUS;
    }
    if (asks_for_help(argv + 1)) {
        print_help(*at, prefix);
        return 0;
    }
    if (!(*at)->children)
        return execute(*at, prefix, c, argv + 1);
    snprintf(nested, sizeof nested, "%s %s", prefix, (*at)->name);
    return command_dispatch((*at)->children, nested, c, argv + 1);
}

void command_print_list(const struct command *const *commands, FILE *out)
{
    for (; *commands; commands++) {
        char left[64];

        snprintf(left, sizeof left, "%s %s", (*commands)->name, (*commands)->arguments);
        flag_print_row(left, (*commands)->summary, out);
    }
}

int command_wants_json(const char *output, bool *out, struct error *err)
{
    bool json = output && strcmp(output, "json") == 0;

    if (output && !json && strcmp(output, "table") != 0)
        return error_set(err, ERROR_INVALID, "-o is table or json, not \"%s\"", output);
    *out = json;
    return 0;
}

void command_print_json(const ProtobufCMessage *message)
{
    JSON_AUTO *tree = proto_json_of(message);

    puts(json_object_to_json_string_ext(tree, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
                                                  JSON_C_TO_STRING_NOSLASHESCAPE));
}
