// SPDX-License-Identifier: Apache-2.0
#include "shim/runtime_log.h"

#include <string.h>

/* A scanner for flat objects: it knows strings with their escapes, and takes any other value up to
 * the next comma or brace. */
struct scanner {
    const char *at;
    const char *end;
};

struct text {
    char *out;
    size_t size;
    size_t len;
};

static void put(struct text *t, char c)
{
    if (t->len + 1 < t->size)
        t->out[t->len++] = c;
}

static void put_utf8(struct text *t, unsigned rune)
{
    if (rune < 0x80) {
        put(t, (char)rune);
        return;
    }
    if (rune < 0x800) {
        put(t, (char)(0xc0 | rune >> 6));
    } else {
        put(t, (char)(0xe0 | rune >> 12));
        put(t, (char)(0x80 | (rune >> 6 & 0x3f)));
    }
    put(t, (char)(0x80 | (rune & 0x3f)));
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool scan_hex(struct scanner *s, unsigned *out)
{
    unsigned value = 0;

    if (s->end - s->at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(*s->at++);

        if (digit < 0)
            return false;
        value = value << 4 | (unsigned)digit;
    }
    *out = value;
    return true;
}

/* Behind the backslash. Half a surrogate pair is written as "?". */
static bool scan_escape(struct scanner *s, struct text *out)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    char name = s->at < s->end ? *s->at++ : '\0';
    const char *found = name ? strchr(names, name) : NULL;
    unsigned rune;

    if (found) {
        put(out, values[found - names]);
        return true;
    }
    if (name != 'u' || !scan_hex(s, &rune))
        return false;
    if (rune >= 0xd800 && rune < 0xe000)
        rune = '?';
    put_utf8(out, rune);
    return true;
}

static bool scan_string(struct scanner *s, struct text *out)
{
    out->len = 0;
    if (s->at == s->end || *s->at++ != '"')
        return false;
    while (s->at < s->end) {
        char c = *s->at++;

        if (c == '"') {
            if (out->size > 0)
                out->out[out->len] = '\0';
            return true;
        }
        if (c != '\\')
            put(out, c);
        else if (!scan_escape(s, out))
            return false;
    }
    return false;
}

static void skip_spaces(struct scanner *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\r'))
        s->at++;
}

static bool expect(struct scanner *s, char c)
{
    skip_spaces(s);
    if (s->at == s->end || *s->at != c)
        return false;
    s->at++;
    skip_spaces(s);
    return true;
}

static bool scan_value(struct scanner *s, struct text *out)
{
    if (s->at < s->end && *s->at == '"')
        return scan_string(s, out);
    while (s->at < s->end && *s->at != ',' && *s->at != '}')
        s->at++;
    return true;
}

/* True when the line tells of an error; out then has its words. */
static bool scan_line(const char *line, size_t len, struct text *out)
{
    struct scanner s = {line, line + len};
    char key[16], level[16], ignored[1];
    struct text key_text = {key, sizeof key, 0}, level_text = {level, sizeof level, 0};
    struct text no_text = {ignored, sizeof ignored, 0};
    bool has_msg = false, is_error = false;

    if (!expect(&s, '{'))
        return false;
    do {
        struct text *value = &no_text;

        if (!scan_string(&s, &key_text) || !expect(&s, ':'))
            return false;
        if (strcmp(key, "msg") == 0)
            value = out;
        else if (strcmp(key, "level") == 0)
            value = &level_text;
        if (!scan_value(&s, value))
            return false;
        if (value == out)
            has_msg = true;
        if (value == &level_text)
            is_error = strcmp(level, "error") == 0 || strcmp(level, "fatal") == 0;
    } while (expect(&s, ','));
    return has_msg && is_error;
}

bool runtime_log_last_error(const char *text, size_t len, char *out, size_t size)
{
    const char *end = text + len;
    struct text words = {out, size, 0};

    while (end > text) {
        const char *newline = memrchr(text, '\n', (size_t)(end - text));
        const char *line = newline ? newline + 1 : text;

        if (scan_line(line, (size_t)(end - line), &words))
            return true;
        end = newline ? newline : text;
    }
    return false;
}
