// SPDX-License-Identifier: Apache-2.0
#include <json-c/json.h>

#include "base/json.h"
#include "ctl/command.h"

static const char *output;
static const struct flag flags[] = {COMMAND_OUTPUT_FLAG(&output), {0}};

static void print_conditions(const Runtime__V1__StatusResponse *r)
{
    for (size_t i = 0; r->status && i < r->status->n_conditions; i++) {
        const Runtime__V1__RuntimeCondition *each = r->status->conditions[i];
        const char *comma = *each->reason && *each->message ? ": " : "";

        printf("%s: %s%s%s%s%s\n", each->type, each->status ? "yes" : "no",
               *each->reason || *each->message ? ", " : "", each->reason, comma, each->message);
    }
}

static bool is_any(const Runtime__V1__RuntimeHandler *handler)
{
    (void)handler;
    return true;
}

static bool has_user_namespaces(const Runtime__V1__RuntimeHandler *handler)
{
    return handler->features && handler->features->user_namespaces;
}

static void print_handlers(const Runtime__V1__StatusResponse *r, const char *title,
                           bool (*is_wanted)(const Runtime__V1__RuntimeHandler *handler))
{
    const char *separator = "";

    printf("%s: ", title);
    for (size_t i = 0; i < r->n_runtime_handlers; i++) {
        const char *name = r->runtime_handlers[i]->name;

        if (!is_wanted(r->runtime_handlers[i]))
            continue;
        printf("%s%s", separator, *name ? name : "(default)");
        separator = ", ";
    }
    puts(*separator ? "" : "none");
}

/* The values are JSON by custom; what is not is printed as it is. */
static void print_info(const Runtime__V1__StatusResponse *r)
{
    for (size_t i = 0; i < r->n_info; i++) {
        const char *value = r->info[i]->value;
        struct error err;
        JSON_AUTO *tree = json_parse(value, strlen(value), &err);

        printf("%s: %s\n", r->info[i]->key,
               tree ? json_object_to_json_string_ext(tree, JSON_C_TO_STRING_PRETTY |
                                                               JSON_C_TO_STRING_SPACED |
                                                               JSON_C_TO_STRING_NOSLASHESCAPE)
                    : value);
    }
}

static int info(struct ctl *c, const struct strv *args, struct error *err)
{
    Runtime__V1__StatusRequest request = RUNTIME__V1__STATUS_REQUEST__INIT;
    const Runtime__V1__StatusResponse *response;
    bool json;
    (void)args;

    if (command_wants_json(output, &json, err) < 0)
        return -1;
    request.verbose = true;
    response = ctl_runtime(c, &c->arena, "Status", &request, err);
    if (!response)
        return -1;
    if (json) {
        command_print_json(&response->base);
        return 0;
    }
    print_conditions(response);
    print_handlers(response, "runtime handlers", is_any);
    print_handlers(response, "with user namespaces", has_user_namespaces);
    print_info(response);
    return 0;
}

const struct command info_command = {.name = "info",
                                     .arguments = "",
                                     .summary = "whether berthd is ready, and how it is set up",
                                     .flags = flags,
                                     .run = info};
