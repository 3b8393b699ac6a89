// SPDX-License-Identifier: Apache-2.0
/* berthctl: the operator's tool, a client of berthd's socket. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/strv.h"
#include "ctl/command.h"

#define DEFAULT_SOCKET "/run/berth/berth.sock"

static const struct command *const commands[] = {&run_command,
                                                 &ps_command,
                                                 &pods_command,
                                                 &logs_command,
                                                 &exec_command,
                                                 &stop_command,
                                                 &rm_command,
                                                 &images_command,
                                                 &image_command,
                                                 &explain_command,
                                                 &version_command,
                                                 &info_command,
                                                 NULL};

static bool wants_help, wants_version;
static const char *socket_path;
static const struct flag flags[] = {
    {"socket", 's', FLAG_TEXT, &socket_path, "PATH",
     "berthd's socket (BERTH_SOCKET, " DEFAULT_SOCKET ")"},
    {"help", 'h', FLAG_SWITCH, &wants_help, NULL, "this text; COMMAND --help tells of a command"},
    {"version", 'V', FLAG_SWITCH, &wants_version, NULL, "the version of berthctl"},
    {0}};

static void print_usage(void)
{
    printf("usage: berthctl [options] COMMAND [arguments]\n\n");
    command_print_list(commands, stdout);
    printf("\n");
    flag_print_help(flags, stdout);
}

/* A path, or the unix:// URL of one, as kubelets have it. */
static const char *path_of(const char *socket)
{
    return strncmp(socket, "unix://", 7) == 0 ? socket + 7 : socket;
}

int main(int argc, char **argv)
{
    AUTO_FINI(strv) args = {0};
    AUTO_FINI(ctl) ctl;
    struct error err = {0};
    int status = 0;

    signal(SIGPIPE, SIG_IGN);
    socket_path = getenv("BERTH_SOCKET");
    ctl_init(&ctl, DEFAULT_SOCKET);
    if (flag_parse(flags, argv + 1, true, &args, &err) < 0) {
        fprintf(stderr, "berthctl: %s: see berthctl --help\n", err.text);
        return COMMAND_USAGE_STATUS;
    }
    if (socket_path && *socket_path)
        ctl.socket = path_of(socket_path);
    if (wants_version)
        puts("berthctl " BERTH_VERSION);
    else if (wants_help)
        print_usage();
    else
        status =
            command_dispatch(commands, "berthctl", &ctl, args.items ? args.items : argv + argc);
    if (fflush(stdout) != 0 && status == 0)
        status = 1;
    return status;
}
