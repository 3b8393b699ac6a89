// SPDX-License-Identifier: Apache-2.0
#include "ctl/progress.h"

#include <string.h>
#include <sys/ioctl.h>

#include "base/clock.h"
#include "ctl/human.h"

enum { REDRAW_MS = 80, BAR_WIDTH = 24, DEFAULT_ROWS = 24 };

void progress_init(struct progress *p, FILE *out)
{
    struct winsize size = {0};

    memset(p, 0, sizeof *p);
    p->out = out;
    p->is_terminal = isatty(fileno(out));
    p->rows = DEFAULT_ROWS;
    if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_row > 1)
        p->rows = size.ws_row;
}

static bool is_moving(const struct progress_layer *l)
{
    return strcmp(l->state, "downloading") == 0 || strcmp(l->state, "unpacking") == 0;
}

static void print_layer(FILE *out, const struct progress_layer *l, bool with_bar)
{
    char done[HUMAN_SIZE], total[HUMAN_SIZE];
    size_t filled = l->total ? (size_t)((double)l->done / (double)l->total * BAR_WIDTH) : 0;

    fprintf(out, "%s  %-11s", l->name, l->state);
    if (with_bar && is_moving(l) && l->total)
        fprintf(
            out, "  [%-*.*s]  %s / %s", BAR_WIDTH, (int)(filled < BAR_WIDTH ? filled : BAR_WIDTH),
            "========================", human_bytes(done, l->done), human_bytes(total, l->total));
    else if (l->total)
        fprintf(out, "  %s", human_bytes(total, l->total));
    fputc('\n', out);
}

/* The last lines that fit; a line that scrolled away cannot be drawn over. */
static void draw(struct progress *p)
{
    size_t count = p->len < p->rows - 1 ? p->len : p->rows - 1;

    fputs("\033[?7l", p->out); /* a long line is cut, not wrapped: lines are counted */
    if (p->drawn)
        fprintf(p->out, "\033[%zuA", p->drawn);
    for (size_t i = p->len - count; i < p->len; i++) {
        fputs("\r\033[K", p->out);
        print_layer(p->out, &p->layers[i], true);
    }
    fputs("\033[?7h", p->out);
    fflush(p->out);
    p->drawn = count;
    p->drawn_ns = clock_monotonic_ns();
}

static struct progress_layer *layer_named(struct progress *p, const char *name)
{
    size_t i = 0;

    while (i < p->len && strcmp(p->layers[i].name, name) != 0)
        i++;
    if (i == PROGRESS_LAYERS_MAX)
        return NULL;
    if (i == p->len)
        snprintf(p->layers[p->len++].name, sizeof p->layers[i].name, "%s", name);
    return &p->layers[i];
}

void progress_update(struct progress *p, const char *layer, const char *state, uint64_t done,
                     uint64_t total)
{
    char name[HUMAN_SIZE];
    struct progress_layer *l = layer_named(p, human_id(name, layer));
    bool changed = l && strcmp(l->state, state) != 0;

    if (!l)
        return;
    snprintf(l->state, sizeof l->state, "%s", state);
    l->done = done;
    l->total = total ? total : l->total;
    if (p->is_terminal) {
        if (changed || clock_monotonic_ns() - p->drawn_ns > REDRAW_MS * CLOCK_NS_PER_MS)
            draw(p);
    } else if (changed && strcmp(state, "waiting") != 0) {
        print_layer(p->out, l, false);
        fflush(p->out);
    }
}

void progress_end(struct progress *p)
{
    if (p->is_terminal && p->len)
        draw(p);
}
