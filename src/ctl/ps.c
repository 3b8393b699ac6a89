// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/clock.h"
#include "base/own.h"
#include "ctl/command.h"
#include "ctl/human.h"
#include "ctl/table.h"

static bool all;
static const char *output;
static const struct flag flags[] = {
    {"all", 'a', FLAG_SWITCH, &all, NULL, "containers that do not run, too"},
    COMMAND_OUTPUT_FLAG(&output),
    {0}};

static const char *state_name(Runtime__V1__ContainerState state)
{
    static const char *const names[] = {"created", "running", "exited", "unknown"};

    return (unsigned)state < 4 ? names[state] : "unknown";
}

static const char *pod_name(const Runtime__V1__ListPodSandboxResponse *pods, const char *id)
{
    for (size_t i = 0; i < pods->n_items; i++)
        if (strcmp(pods->items[i]->id, id) == 0 && pods->items[i]->metadata)
            return pods->items[i]->metadata->name;
    return id;
}

static void print(struct ctl *c, const Runtime__V1__ListContainersResponse *containers,
                  const Runtime__V1__ListPodSandboxResponse *pods)
{
    AUTO_FINI(table) table;
    char id[HUMAN_SIZE], age[HUMAN_SIZE];

    table_init(&table, (const char *const[]){"CONTAINER", "NAME", "STATE", "CREATED", "IMAGE",
                                             "POD", NULL});
    for (size_t i = 0; i < containers->n_containers; i++) {
        const Runtime__V1__Container *each = containers->containers[i];

        table_add(&table,
                  (const char *const[]){
                      arena_strdup(&c->arena, human_id(id, each->id)),
                      each->metadata ? each->metadata->name : "", state_name(each->state),
                      arena_strdup(&c->arena, human_age(age, each->created_at, clock_now_ns())),
                      each->image ? each->image->image : each->image_ref,
                      pod_name(pods, each->pod_sandbox_id)});
    }
    table_print(&table, stdout);
}

static int ps(struct ctl *c, const struct strv *args, struct error *err)
{
    Runtime__V1__ListContainersRequest request = RUNTIME__V1__LIST_CONTAINERS_REQUEST__INIT;
    Runtime__V1__ListPodSandboxRequest pods_request = RUNTIME__V1__LIST_POD_SANDBOX_REQUEST__INIT;
    Runtime__V1__ContainerFilter filter = RUNTIME__V1__CONTAINER_FILTER__INIT;
    Runtime__V1__ContainerStateValue running = RUNTIME__V1__CONTAINER_STATE_VALUE__INIT;
    const Runtime__V1__ListContainersResponse *containers;
    const Runtime__V1__ListPodSandboxResponse *pods;
    bool json;
    (void)args;

    running.state = RUNTIME__V1__CONTAINER_STATE__CONTAINER_RUNNING;
    filter.state = &running;
    if (!all)
        request.filter = &filter;
    if (command_wants_json(output, &json, err) < 0)
        return -1;
    containers = ctl_runtime(c, &c->arena, "ListContainers", &request, err);
    pods = containers ? ctl_runtime(c, &c->arena, "ListPodSandbox", &pods_request, err) : NULL;
    if (!pods)
        return -1;
    if (json)
        command_print_json(&containers->base);
    else
        print(c, containers, pods);
    return 0;
}

const struct command ps_command = {
    .name = "ps", .arguments = "", .summary = "list containers", .flags = flags, .run = ps};
