// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "base/own.h"
#include "ctl/command.h"
#include "ctl/human.h"
#include "ctl/table.h"

static const char *output;
static const struct flag flags[] = {COMMAND_OUTPUT_FLAG(&output), {0}};

/* A pod that went away since it was listed has no address. */
static const char *ip_of(struct ctl *c, const char *id)
{
    Runtime__V1__PodSandboxStatusRequest request = RUNTIME__V1__POD_SANDBOX_STATUS_REQUEST__INIT;
    const Runtime__V1__PodSandboxStatusResponse *response;
    struct error err;

    request.pod_sandbox_id = arena_strdup(&c->arena, id);
    response = ctl_runtime(c, &c->arena, "PodSandboxStatus", &request, &err);
    if (!response || !response->status || !response->status->network)
        return "-";
    return *response->status->network->ip ? response->status->network->ip : "-";
}

static void print(struct ctl *c, const Runtime__V1__ListPodSandboxResponse *pods)
{
    AUTO_FINI(table) table;
    char id[HUMAN_SIZE], age[HUMAN_SIZE];

    table_init(&table,
               (const char *const[]){"POD", "NAME", "NAMESPACE", "STATE", "CREATED", "IP", NULL});
    for (size_t i = 0; i < pods->n_items; i++) {
        const Runtime__V1__PodSandbox *each = pods->items[i];
        bool ready = each->state == RUNTIME__V1__POD_SANDBOX_STATE__SANDBOX_READY;

        table_add(&table,
                  (const char *const[]){
                      arena_strdup(&c->arena, human_id(id, each->id)),
                      each->metadata ? each->metadata->name : "",
                      each->metadata ? each->metadata->namespace_ : "", ready ? "ready" : "stopped",
                      arena_strdup(&c->arena, human_age(age, each->created_at, clock_now_ns())),
                      ready ? ip_of(c, each->id) : "-"});
    }
    table_print(&table, stdout);
}

static int pods(struct ctl *c, const struct strv *args, struct error *err)
{
    Runtime__V1__ListPodSandboxRequest request = RUNTIME__V1__LIST_POD_SANDBOX_REQUEST__INIT;
    const Runtime__V1__ListPodSandboxResponse *all;
    bool json;
    (void)args;

    if (command_wants_json(output, &json, err) < 0)
        return -1;
    all = ctl_runtime(c, &c->arena, "ListPodSandbox", &request, err);
    if (!all)
        return -1;
    if (json)
        command_print_json(&all->base);
    else
        print(c, all);
    return 0;
}

const struct command pods_command = {
    .name = "pods", .arguments = "", .summary = "list pods", .flags = flags, .run = pods};
