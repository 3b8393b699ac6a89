// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "ctl/command.h"
#include "ctl/pull.h"

static const char *creds;
static const struct flag flags[] = {
    {"creds", 0, FLAG_TEXT, &creds, "USER:PASSWORD", "for the registry, as with image pull"}, {0}};

struct answers {
    size_t hosts;
    bool found;
};

static void print_host(struct answers *a, const Berth__V1__ImageHost *host)
{
    printf("%s%2zu. %s", host->chosen ? "*" : " ", ++a->hosts, host->url);
    if (*host->mirror_of)
        printf(", a mirror of %s", host->mirror_of);
    if (*host->credentials)
        printf(", with credentials from %s", host->credentials);
    else
        printf(", without credentials");
    if (*host->digest)
        printf("\n      has %s (%s)\n", host->digest, host->media_type);
    else
        printf("\n      %s%s\n", host->asked ? "" : "not asked: ", host->words);
    a->found = a->found || host->chosen;
}

static int see(void *data, const ProtobufCMessage *message, struct error *err)
{
    const Berth__V1__ExplainImageResponse *m = (const Berth__V1__ExplainImageResponse *)message;
    struct answers *a = data;

    if (m->host) {
        print_host(a, m->host);
    } else if (*m->archive) {
        printf("%s, by %s: no host is asked\n", m->name, m->archive);
        a->found = true;
    } else {
        printf("%s, %s%s\n", m->name, *m->source ? "by " : "with no configuration of its registry",
               m->source);
        for (size_t i = 0; i < m->n_unused; i++)
            printf("!     %s\n", m->unused[i]);
    }
    return fflush(stdout) == 0 ? 0 : -1;
}

static int explain(struct ctl *c, const struct strv *args, struct error *err)
{
    Berth__V1__PullImageRequest request;
    struct answers answers = {0};

    if (pull_describe(c, args->items[0], creds, &request, err) < 0 ||
        ctl_node(c, "ExplainImage", &request, see, &answers, err) < 0)
        return -1;
    if (!answers.found)
        return error_set(err, ERROR_NOT_FOUND, "%s cannot be pulled: no host has it for us",
                         args->items[0]);
    return 0;
}

const struct command explain_command = {
    .name = "explain",
    .arguments = "IMAGE",
    .summary = "ask each host that an image might be pulled from, without pulling",
    .flags = flags,
    .args_min = 1,
    .args_max = 1,
    .run = explain};
