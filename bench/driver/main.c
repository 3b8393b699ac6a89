// SPDX-License-Identifier: Apache-2.0
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "bench.h"

static const struct {
    const char *name;
    int (*run)(const struct bench *b, struct error *err);
} WORKS[] = {
    {"pods", bench_pods},     {"fill", bench_fill},     {"clear", bench_clear},
    {"exec", bench_exec},     {"log", bench_log},       {"queries", bench_queries},
    {"memory", bench_memory}, {"idle", bench_idle},     {"pull", bench_pull},
    {"answer", bench_answer}, {"stream", bench_stream},
};

static const struct option OPTIONS[] = {
    {"socket", required_argument, NULL, 's'},
    {"image", required_argument, NULL, 'i'},
    {"logs", required_argument, NULL, 'l'},
    {"cgroup-parent", required_argument, NULL, 'c'},
    {"prefix", required_argument, NULL, 'p'},
    {"rounds", required_argument, NULL, 'n'},
    {"at-once", required_argument, NULL, 'a'},
    {"seconds", required_argument, NULL, 't'},
    {"daemon", required_argument, NULL, 'd'},
    {"host-network", no_argument, NULL, 'h'},
    {0},
};

static int usage(void)
{
    fputs("usage: berth-bench --socket PATH [--image NAME] [--logs FOLDER] [--cgroup-parent PATH]\n"
          "                   [--prefix NAME] [--rounds N] [--at-once N] [--seconds N]\n"
          "                   [--daemon PID] [--host-network] WORK\n"
          "works:",
          stderr);
    for (size_t i = 0; i < COUNT_OF(WORKS); i++)
        fprintf(stderr, " %s", WORKS[i].name);
    fputs("\n", stderr);
    return 2;
}

/* A number from 1 on; 0 when text is none. */
static int number(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);

    return *text && !*end && value > 0 && value <= 10000000 ? (int)value : 0;
}

static int set(struct bench *b, int option)
{
    switch (option) {
    case 's':
        b->socket = optarg;
        return 1;
    case 'i':
        b->image = optarg;
        return 1;
    case 'l':
        b->logs = optarg;
        return 1;
    case 'c':
        b->cgroup_parent = optarg;
        return 1;
    case 'p':
        b->prefix = optarg;
        return 1;
    case 'n':
        return b->rounds = number(optarg);
    case 'a':
        return b->at_once = number(optarg);
    case 't':
        return b->seconds = number(optarg);
    case 'd':
        return b->daemon = number(optarg);
    case 'h':
        return b->host_network = true;
    default:
        return 0;
    }
}

int main(int argc, char **argv)
{
    struct bench b = {.image = "",
                      .logs = "/tmp",
                      .cgroup_parent = "/berth-bench",
                      .prefix = "p",
                      .rounds = 1,
                      .at_once = 1,
                      .seconds = 1};
    struct error err = {0};
    int option;

    while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1)
        if (!set(&b, option))
            return usage();
    if (optind != argc - 1 || !b.socket)
        return usage();
    for (size_t i = 0; i < COUNT_OF(WORKS); i++) {
        if (strcmp(WORKS[i].name, argv[optind]) != 0)
            continue;
        if (WORKS[i].run(&b, &err) == 0)
            return 0;
        fprintf(stderr, "berth-bench: %s: %s\n", argv[optind], err.text);
        return 1;
    }
    return usage();
}
