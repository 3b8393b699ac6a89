// SPDX-License-Identifier: Apache-2.0
#include "net/cni_template.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/own.h"

/* The text is carried out as it is read. A block that is not to be carried out (an if that is
 * false, a range over nothing) is read all the same, with output off, so that its end is found and
 * its mistakes are told. A range goes back to the beginning of its block for every item. */
enum { WORDS_MAX = 8, WORD_MAX = 64, VARIABLES_MAX = 2 * CNI_TEMPLATE_DEPTH_MAX };

enum kind { TEXT, NUMBER, LIST };

struct value {
    enum kind kind;
    const char *text;
    size_t number;
    const struct strv *list;
};

struct variable {
    char name[WORD_MAX];
    struct value value;
};

struct renderer {
    const char *name;
    const char *text;
    const char *at;
    const char *action; /* the beginning of the one that was read last */
    bool trims;         /* it ended with a dash */
    const struct cidrs *cidrs;
    struct value dot;
    bool has_dot;
    struct variable variables[VARIABLES_MAX];
    size_t n_variables;
    char words[WORDS_MAX][WORD_MAX];
    size_t n_words;
    size_t n_actions;
    struct buf *out;
    struct error *err;
};

static int fail(struct renderer *r, enum error_code code, const char *what, const char *word)
{
    size_t line = 1;

    for (const char *at = r->text; at < r->action; at++)
        line += *at == '\n';
    return error_set(r->err, code, "%s line %zu: %s%s%s", r->name, line, what, *word ? " " : "",
                     word);
}

/* ---- words ---- */

static bool is_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '$';
}

/* Length of the word at the front: a name, or one of "," and ":=". 0: neither. */
static size_t word_len(const char *at, const char *end)
{
    size_t len = 0;

    if (*at == ',')
        return 1;
    if (end - at >= 2 && at[0] == ':' && at[1] == '=')
        return 2;
    while (at + len < end && is_name(at[len]))
        len++;
    return len;
}

static int split(struct renderer *r, const char *at, const char *end)
{
    AUTO_FREE char *whole =
        xstrndup(at, (size_t)(end - at) < WORD_MAX ? (size_t)(end - at) : WORD_MAX);

    r->n_words = 0;
    while (at < end) {
        size_t len = word_len(at, end);

        if (isspace((unsigned char)*at)) {
            at++;
            continue;
        }
        if (len == 0 || len >= WORD_MAX || r->n_words == WORDS_MAX)
            return fail(r, ERROR_INVALID, "unknown action", whole);
        memcpy(r->words[r->n_words], at, len);
        r->words[r->n_words++][len] = '\0';
        at += len;
    }
    return r->n_words ? 0 : fail(r, ERROR_INVALID, "the action is empty", "");
}

static bool is_word(const struct renderer *r, size_t i, const char *word)
{
    return i < r->n_words && strcmp(r->words[i], word) == 0;
}

/* ---- text and actions, one after the other ---- */

static int emit(struct renderer *r, bool live, const char *at, size_t len)
{
    struct error full;

    if (!live || len == 0)
        return 0;
    if (r->out->len + len > CNI_TEMPLATE_MAX || buf_append(r->out, at, len, &full) < 0)
        return fail(r, ERROR_EXHAUSTED, "the result is longer than 64 KiB", "");
    return 0;
}

/* A dash with a space beside it: "{{- x -}}". */
static bool is_left_trim(const char *open)
{
    return open[2] == '-' && isspace((unsigned char)open[3]);
}

static int emit_text(struct renderer *r, bool live, const char *end)
{
    const char *at = r->at;
    bool trims_end = *end && is_left_trim(end);

    while (r->trims && at < end && isspace((unsigned char)*at))
        at++;
    while (trims_end && end > at && isspace((unsigned char)end[-1]))
        end--;
    return emit(r, live, at, (size_t)(end - at));
}

/* Emits the text in front of the next action and reads that. 1; 0 at the end; -1. */
static int next(struct renderer *r, bool live)
{
    const char *open = strstr(r->at, "{{"), *begin, *close, *end;

    if (!open) {
        const char *last = r->at + strlen(r->at);
        int outcome = emit_text(r, live, last);

        r->at = last;
        return outcome;
    }
    r->action = open;
    close = strstr(open, "}}");
    if (!close)
        return fail(r, ERROR_INVALID, "the action has no }}", "");
    if (++r->n_actions > CNI_TEMPLATE_ACTIONS_MAX)
        return fail(r, ERROR_EXHAUSTED, "the template does too much", "");
    if (emit_text(r, live, open) < 0)
        return -1;
    begin = open + (is_left_trim(open) ? 3 : 2);
    r->trims = close - begin >= 2 && close[-1] == '-' && isspace((unsigned char)close[-2]);
    end = close - r->trims;
    r->at = close + 2;
    return split(r, begin, end) < 0 ? -1 : 1;
}

/* ---- values ---- */

static bool is_field(const struct renderer *r, const char *field, struct value *out)
{
    if (strcmp(field, ".PodCIDR") == 0)
        *out = (struct value){.kind = TEXT, .text = r->cidrs->ranges.items[0]};
    else if (strcmp(field, ".PodCIDRRanges") == 0)
        *out = (struct value){.kind = LIST, .list = &r->cidrs->ranges};
    else if (strcmp(field, ".Routes") == 0)
        *out = (struct value){.kind = LIST, .list = &r->cidrs->routes};
    else
        return false;
    return true;
}

/* Inside of range the dot is the item, so ".X" is nothing there and "$.X" is what is meant. */
static int evaluate(struct renderer *r, const char *word, struct value *out)
{
    for (size_t i = r->n_variables; i-- > 0;) {
        if (strcmp(r->variables[i].name, word) == 0) {
            *out = r->variables[i].value;
            return 0;
        }
    }
    if (strcmp(word, ".") == 0 && r->has_dot) {
        *out = r->dot;
        return 0;
    }
    if (word[0] == '$' ? is_field(r, word + 1, out) : !r->has_dot && is_field(r, word, out))
        return 0;
    return fail(r, ERROR_INVALID,
                r->has_dot && *word == '.' ? "not known inside of range:" : "not known:", word);
}

static bool is_true(const struct value *v)
{
    if (v->kind == NUMBER)
        return v->number != 0;
    return v->kind == LIST ? v->list->len > 0 : *v->text != '\0';
}

static int print(struct renderer *r, bool live)
{
    struct value v = {.text = ""};
    char digits[24];

    if (r->n_words != 1)
        return fail(r, ERROR_INVALID, "unknown action", r->words[0]);
    if (evaluate(r, r->words[0], &v) < 0)
        return -1;
    if (v.kind == LIST)
        return fail(r, ERROR_INVALID, "is a list, for range:", r->words[0]);
    if (v.kind == NUMBER) {
        snprintf(digits, sizeof digits, "%zu", v.number);
        v.text = digits;
    }
    return emit(r, live, v.text, strlen(v.text));
}

/* ---- blocks ---- */

/* To the end of the block, which is that of the template at depth 0. */
static int block(struct renderer *r, bool live, int depth);

static int render_if(struct renderer *r, bool live, int depth)
{
    struct value v = {.text = ""};

    if (r->n_words != 2)
        return fail(r, ERROR_INVALID, "if wants one value", "");
    if (evaluate(r, r->words[1], &v) < 0)
        return -1;
    return block(r, live && is_true(&v), depth);
}

struct loop {
    struct value list;
    char index[WORD_MAX]; /* "": none */
    char item[WORD_MAX];
};

/* "range X", "range $r := X", "range $i, $r := X". */
static int read_loop(struct renderer *r, struct loop *l)
{
    size_t last = r->n_words - 1;

    *l = (struct loop){0};
    if (r->n_words == 4 && is_word(r, 2, ":=") && r->words[1][0] == '$')
        memcpy(l->item, r->words[1], WORD_MAX);
    else if (r->n_words == 6 && is_word(r, 2, ",") && is_word(r, 4, ":=") &&
             r->words[1][0] == '$' && r->words[3][0] == '$') {
        memcpy(l->index, r->words[1], WORD_MAX);
        memcpy(l->item, r->words[3], WORD_MAX);
    } else if (r->n_words != 2) {
        return fail(r, ERROR_INVALID, "this form of range is not known", "");
    }
    if (evaluate(r, r->words[last], &l->list) < 0)
        return -1;
    return l->list.kind == LIST ? 0 : fail(r, ERROR_INVALID, "is no list:", r->words[last]);
}

static void declare(struct renderer *r, const char *name, struct value value)
{
    struct variable *v = &r->variables[r->n_variables];

    if (!*name)
        return;
    memcpy(v->name, name, WORD_MAX);
    v->value = value;
    r->n_variables++; /* two for every depth: there is room */
}

static int render_item(struct renderer *r, const struct loop *l, size_t i, int depth)
{
    bool live = i < l->list.list->len, had_dot = r->has_dot;
    struct value outer = r->dot;
    size_t n_variables = r->n_variables;
    int outcome;

    r->dot = (struct value){.kind = TEXT, .text = live ? l->list.list->items[i] : ""};
    r->has_dot = true;
    declare(r, l->index, (struct value){.kind = NUMBER, .number = i});
    declare(r, l->item, r->dot);
    outcome = block(r, live, depth);
    r->n_variables = n_variables;
    r->dot = outer;
    r->has_dot = had_dot;
    return outcome;
}

static int render_range(struct renderer *r, bool live, int depth)
{
    static const struct strv nothing;
    const char *body = r->at;
    bool trims = r->trims;
    struct loop l;
    size_t i = 0;

    if (read_loop(r, &l) < 0)
        return -1;
    if (!live)
        l.list.list = &nothing;
    do {
        r->at = body;
        r->trims = trims;
        if (render_item(r, &l, i, depth) < 0)
            return -1;
    } while (++i < l.list.list->len);
    return 0;
}

static int block(struct renderer *r, bool live, int depth)
{
    const char *opened = r->action;
    int outcome;

    if (depth > CNI_TEMPLATE_DEPTH_MAX)
        return fail(r, ERROR_EXHAUSTED, "actions are nested too deep", "");
    while ((outcome = next(r, live)) > 0) {
        if (is_word(r, 0, "end") && r->n_words == 1)
            return depth ? 0 : fail(r, ERROR_INVALID, "there is nothing to end", "");
        if (is_word(r, 0, "if"))
            outcome = render_if(r, live, depth + 1);
        else if (is_word(r, 0, "range"))
            outcome = render_range(r, live, depth + 1);
        else
            outcome = print(r, live);
        if (outcome < 0)
            return -1;
    }
    if (outcome < 0 || depth == 0)
        return outcome;
    r->action = opened;
    return fail(r, ERROR_INVALID, "the action has no {{end}}", "");
}

int cni_template_render(const char *name, const char *text, const struct cidrs *cidrs,
                        struct buf *out, struct error *err)
{
    struct renderer r = {.name = name,
                         .text = text,
                         .at = text,
                         .action = text,
                         .cidrs = cidrs,
                         .out = out,
                         .err = err};

    return block(&r, true, 0);
}

int cni_template_store(const char *path, const char *conf_dir, const struct cidrs *cidrs,
                       struct error *err)
{
    AUTO_FINI(buf) text = BUF(CNI_TEMPLATE_MAX), out = BUF(CNI_TEMPLATE_MAX);
    AUTO_FREE char *to = xasprintf("%s/10-berth-net.conflist", conf_dir);
    JSON_AUTO *tree = NULL;

    if (file_load(AT_FDCWD, path, &text, err) < 0 ||
        cni_template_render(path, text.len ? text.data : "", cidrs, &out, err) < 0)
        return -1;
    tree = json_parse(out.len ? out.data : "", out.len, err);
    if (!tree)
        return error_wrap(err, "what comes of %s is no JSON", path);
    return file_store(AT_FDCWD, to, out.data, out.len, 0644, err);
}
