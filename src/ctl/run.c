// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "ctl/command.h"
#include "ctl/follow.h"
#include "ctl/interrupt.h"
#include "ctl/launch.h"

enum { FAILURE_STATUS = 125, INTERRUPTED_STATUS = 130, STOP_TIMEOUT_S = 10 };

static bool detach;
static const char *network = "pod";
static struct launch_options options = {.log_dir = "/var/log/berth", .runtime = ""};
static const struct flag flags[] = {
    {"detach", 'd', FLAG_SWITCH, &detach, NULL, "print the container's id and leave it running"},
    {"env", 'e', FLAG_LIST, &options.env, "NAME=VALUE", "set it; NAME alone takes ours"},
    {"log-dir", 0, FLAG_TEXT, &options.log_dir, "FOLDER", "for the log (/var/log/berth)"},
    {"name", 'n', FLAG_TEXT, &options.name, "NAME", "of the pod and its container"},
    {"network", 0, FLAG_TEXT, &network, "pod|host",
     "a network of its own (default), or the node's"},
    {"publish", 'p', FLAG_LIST, &options.publish, "HOSTPORT:PORT",
     "lead a port of the node to one of the pod"},
    {"runtime", 0, FLAG_TEXT, &options.runtime, "HANDLER",
     "runtime handler, as in berthd's config"},
    {"userns", 0, FLAG_NUMBER, &options.first_id, "ID",
     "a user namespace of 65536 ids of the node, from this one on"},
    {0}};

static int read_options(const struct strv *args, struct error *err)
{
    if (strcmp(network, "host") != 0 && strcmp(network, "pod") != 0)
        return error_set(err, ERROR_INVALID, "--network is pod or host, not \"%s\"", network);
    if (args->len > 1 && args->items[1][0] == '-')
        return error_set(err, ERROR_INVALID,
                         "options of run stand in front of IMAGE, and the command behind --");
    if (options.name && strchr(options.name, '/'))
        return error_set(err, ERROR_INVALID, "--name must not have a slash: \"%s\"", options.name);
    if (options.first_id > UINT32_MAX)
        return error_set(err, ERROR_INVALID, "--userns: there is no id %" PRId64, options.first_id);
    if (options.publish.len > 0 && strcmp(network, "host") == 0)
        return error_set(err, ERROR_INVALID,
                         "--publish is for a pod with a network of its own, not --network host");
    options.image = args->items[0];
    options.host_network = strcmp(network, "host") == 0;
    for (size_t i = 1; i < args->len; i++)
        strv_add(&options.command, args->items[i]);
    return 0;
}

/* After the first interrupt: SIGTERM, and ten seconds to act on it. The next one cuts that short.
 */
static int stop_gently(struct launch *l, struct ctl *c, struct error *err)
{
    Runtime__V1__StopContainerRequest request = RUNTIME__V1__STOP_CONTAINER_REQUEST__INIT;

    interrupt_clear(c->cancel_fd);
    request.container_id = (char *)l->container_id;
    request.timeout = STOP_TIMEOUT_S;
    return ctl_runtime(c, &c->arena, "StopContainer", &request, err) ? 0 : -1;
}

static int start_and_follow(struct launch *l, struct ctl *c, struct error *err)
{
    AUTO(follow) *log = NULL;
    int exit_code = INTERRUPTED_STATUS;

    if (launch_start(l, c, err) < 0)
        return -1;
    if (detach) {
        puts(l->container_id);
        return 0;
    }
    log = follow_open(c, l->container_id, err);
    if (!log)
        return -1;
    if (follow_until_exit(log, c, &exit_code, err) < 0) {
        if (err->code != ERROR_CANCELLED || stop_gently(l, c, err) < 0 ||
            follow_until_exit(log, c, &exit_code, err) < 0)
            return -1;
    }
    return exit_code & 0xff;
}

static int run(struct ctl *c, const struct strv *args, struct error *err)
{
    AUTO_CLOSE int interrupts = interrupt_open(err);
    struct error remove_err = {0};
    struct launch launch;
    int status;

    if (interrupts < 0 || read_options(args, err) < 0)
        return -1;
    c->cancel_fd = interrupts;
    launch_init(&launch, c, &options);
    status = start_and_follow(&launch, c, err);
    c->cancel_fd = -1;
    if (detach && status == 0)
        return 0;
    if (launch_remove(&launch, c, &remove_err) < 0 && status >= 0) {
        *err = remove_err;
        return -1;
    }
    return status;
}

const struct command run_command = {.name = "run",
                                    .arguments = "IMAGE [-- CMD...]",
                                    .summary = "run a pod with one container of an image",
                                    .flags = flags,
                                    .args_min = 1,
                                    .args_max = SIZE_MAX,
                                    .takes_command_line = true,
                                    .failure = FAILURE_STATUS,
                                    .run = run};
