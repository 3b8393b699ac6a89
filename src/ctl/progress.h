// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* progress: a line for each layer of an image on its way.
 *
 * On a terminal the lines are drawn over as they change; elsewhere a line is printed when a layer
 * gets another state. Memory of the caller; one thread. */
enum { PROGRESS_LAYERS_MAX = 256 };

struct progress_layer {
    char name[16];
    char state[16];
    uint64_t done;
    uint64_t total;
};

struct progress {
    FILE *out;
    bool is_terminal;
    size_t rows;  /* of the terminal */
    size_t drawn; /* lines that stand there now */
    int64_t drawn_ns;
    size_t len;
    struct progress_layer layers[PROGRESS_LAYERS_MAX];
};

void progress_init(struct progress *p, FILE *out);

/* Layers beyond the maximum are not shown. */
void progress_update(struct progress *p, const char *layer, const char *state, uint64_t done,
                     uint64_t total);

/* Draws what the last updates were, for good. */
void progress_end(struct progress *p);
