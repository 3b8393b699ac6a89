// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "hot.h"

static const struct {
    const char *name;
    void (*run)(void);
} PATHS[] = {{"grpc", hot_grpc}, {"list", hot_list}, {"log", hot_log}, {"tar", hot_tar}};

__attribute__((noinline)) void hot_measure(hot_run *run, void *data)
{
    run(data);
    __asm__ volatile(""); /* keeps the call above from being the last thing, a jump */
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < COUNT_OF(PATHS); i++) {
        if (strcmp(argv[1], PATHS[i].name) == 0) {
            PATHS[i].run();
            return 0;
        }
    }
    fputs("usage: berth-hot-paths", stderr);
    for (size_t i = 0; i < COUNT_OF(PATHS); i++)
        fprintf(stderr, " %s%s", i ? "| " : "", PATHS[i].name);
    fputs("\n", stderr);
    return 2;
}
