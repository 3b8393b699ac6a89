// SPDX-License-Identifier: Apache-2.0
#include "image/toml_scalar.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/own.h"

#define DIGITS "0123456789"
#define HEX    DIGITS "abcdefABCDEF"

int toml_scalar_fail(const struct toml_cursor *c, struct error *err, const char *fmt, ...)
{
    char words[256];
    size_t line = 1;
    const char *start = c->text;
    va_list args;

    for (const char *at = c->text; at < c->at; at++) {
        if (*at == '\n') {
            line++;
            start = at + 1;
        }
    }
    va_start(args, fmt);
    vsnprintf(words, sizeof words, fmt, args);
    va_end(args);
    return error_set(err, ERROR_INVALID, "line %zu, column %zu: %s", line,
                     (size_t)(c->at - start) + 1, words);
}

static bool is_allowed(unsigned char byte, bool before_newline)
{
    return (byte >= 0x20 && byte != 0x7f) || byte == '\t' || byte == '\n' ||
           (byte == '\r' && before_newline);
}

/* Length of the UTF-8 character at s, 0 when it is none that may be there. */
static size_t character_len(const unsigned char *s, size_t left)
{
    static const unsigned long least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = s[0] < 0xc0 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf8 ? 4 : 0;
    unsigned long code;

    if (s[0] < 0x80)
        return is_allowed(s[0], left > 1 && s[1] == '\n');
    if (len == 0 || len > left)
        return 0;
    code = s[0] & (0xffu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3f);
    }
    if (code < least[len] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return 0;
    return len;
}

int toml_scalar_check(struct toml_cursor *c, struct error *err)
{
    while (c->at < c->end) {
        size_t len = character_len((const unsigned char *)c->at, (size_t)(c->end - c->at));

        if (len == 0)
            return toml_scalar_fail(c, err, "a byte that may not stand in a text");
        c->at += len;
    }
    c->at = c->text;
    return 0;
}

/* Appends a code point as UTF-8. */
static int put_code_point(struct buf *out, unsigned long code, struct error *err)
{
    unsigned char bytes[4];
    size_t len;

    if (code < 0x80) {
        bytes[0] = (unsigned char)code;
        len = 1;
    } else if (code < 0x800) {
        bytes[0] = (unsigned char)(0xc0 | code >> 6);
        len = 2;
    } else if (code < 0x10000) {
        bytes[0] = (unsigned char)(0xe0 | code >> 12);
        len = 3;
    } else {
        bytes[0] = (unsigned char)(0xf0 | code >> 18);
        len = 4;
    }
    for (size_t i = 1; i < len; i++)
        bytes[i] = (unsigned char)(0x80 | (code >> 6 * (len - 1 - i) & 0x3f));
    return buf_append(out, bytes, len, err);
}

/* Behind "\u" or "\U". */
static int unicode_escape(struct toml_cursor *c, size_t digits, struct buf *out, struct error *err)
{
    char hex[9] = "";
    unsigned long code;

    for (size_t i = 0; i < digits; i++) {
        if (c->at == c->end || !strchr(HEX, c->at[0]))
            return toml_scalar_fail(c, err, "the escape needs %zu hex digits", digits);
        hex[i] = *c->at++;
    }
    code = strtoul(hex, NULL, 16);
    if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return toml_scalar_fail(c, err, "\\u%s is no character to have in a text", hex);
    return put_code_point(out, code, err);
}

/* A backslash before a line end takes away all white space up to the next character. */
static bool skip_line_end(struct toml_cursor *c)
{
    const char *at = c->at + strspn(c->at, " \t");

    if (*at != '\n' && strncmp(at, "\r\n", 2) != 0)
        return false;
    c->at = at + strspn(at, " \t\r\n");
    return true;
}

/* Behind the backslash. */
static int escape(struct toml_cursor *c, bool one_line, struct buf *out, struct error *err)
{
    static const char names[] = "btnfr\"\\", values[] = "\b\t\n\f\r\"\\";
    const char *found;

    if (!one_line && skip_line_end(c))
        return 0;
    if (*c->at == 'u' || *c->at == 'U')
        return unicode_escape(c, *c->at++ == 'u' ? 4 : 8, out, err);
    found = c->at < c->end ? strchr(names, *c->at) : NULL;
    if (!found)
        return toml_scalar_fail(c, err, "unknown escape");
    c->at++;
    return buf_append(out, &values[found - names], 1, err);
}

static int short_string(struct toml_cursor *c, char quote, struct buf *out, struct error *err)
{
    for (c->at++; c->at < c->end && *c->at != '\n' && *c->at != '\r';) {
        char byte = *c->at++;

        if (byte == quote)
            return 0;
        if (byte == '\\' && quote == '"') {
            if (escape(c, true, out, err) < 0)
                return -1;
        } else if (buf_append(out, &byte, 1, err) < 0) {
            return -1;
        }
    }
    return toml_scalar_fail(c, err, "the string does not end on its line");
}

/* Up to two quotes may stand before the three that end it. */
static int long_string(struct toml_cursor *c, char quote, struct buf *out, struct error *err)
{
    const char set[2] = {quote, '\0'};

    c->at += 3;
    c->at += strncmp(c->at, "\r\n", 2) == 0 ? 2 : *c->at == '\n';
    while (c->at < c->end) {
        size_t quotes = strspn(c->at, set), plain = quotes >= 3 ? quotes - 3 : quotes;

        if (quotes >= 6)
            return toml_scalar_fail(c, err, "too many quotes");
        if (buf_append(out, c->at, plain, err) < 0)
            return -1;
        c->at += quotes;
        if (quotes >= 3)
            return 0;
        if (quotes || c->at == c->end)
            continue;
        if (*c->at == '\\' && quote == '"') {
            c->at++;
            if (escape(c, false, out, err) < 0)
                return -1;
        } else if (buf_append(out, c->at++, 1, err) < 0) {
            return -1;
        }
    }
    return toml_scalar_fail(c, err, "the string does not end");
}

int toml_scalar_string(struct toml_cursor *c, bool one_line, struct buf *out, struct error *err)
{
    char quote = *c->at;

    if (c->at[1] != quote || c->at[2] != quote)
        return short_string(c, quote, out, err);
    if (one_line)
        return toml_scalar_fail(c, err, "a key stands on one line");
    return long_string(c, quote, out, err);
}

/* Digits of a set, with single underscores between them, copied to *to without those. */
static bool take_digits(const char **at, char **to, const char *set)
{
    if (!**at || !strchr(set, **at))
        return false;
    for (;;) {
        size_t run = strspn(*at, set);

        if (run == 0)
            return false;
        memcpy(*to, *at, run);
        *to += run;
        *at += run;
        if (**at != '_')
            return true;
        ++*at;
    }
}

static void take_sign(const char **at, char **to)
{
    if (**at == '+' || **at == '-')
        *(*to)++ = *(*at)++;
}

static struct json_object *integer(const char *token, char *plain)
{
    static const struct {
        const char *prefix, *digits;
        int base;
    } bases[] = {{"0x", HEX, 16}, {"0o", "01234567", 8}, {"0b", "01", 2}, {"", DIGITS, 10}};
    const char *at = token;
    char *to = plain;
    size_t i = 0, leading;
    long long value;

    while (strncmp(token, bases[i].prefix, strlen(bases[i].prefix)) != 0)
        i++;
    at += strlen(bases[i].prefix);
    if (bases[i].base == 10)
        take_sign(&at, &to);
    leading = *at == '0' && at[1];
    if (!take_digits(&at, &to, bases[i].digits) || *at || (bases[i].base == 10 && leading))
        return NULL;
    *to = '\0';
    errno = 0;
    value = strtoll(plain, NULL, bases[i].base);
    return errno ? NULL : json_object_new_int64(value);
}

static struct json_object *real(const char *token, char *plain)
{
    const char *at = token;
    char *to = plain;
    bool leading;

    take_sign(&at, &to);
    if (strcmp(at, "inf") == 0)
        return json_object_new_double(*token == '-' ? -INFINITY : INFINITY);
    if (strcmp(at, "nan") == 0)
        return json_object_new_double(NAN);
    leading = *at == '0' && strchr(DIGITS "_", at[1]) && at[1];
    if (leading || !strpbrk(at, ".eE") || !take_digits(&at, &to, DIGITS))
        return NULL;
    if (*at == '.') {
        *to++ = *at++;
        if (!take_digits(&at, &to, DIGITS))
            return NULL;
    }
    if (*at == 'e' || *at == 'E') {
        *to++ = *at++;
        take_sign(&at, &to);
        if (!take_digits(&at, &to, DIGITS))
            return NULL;
    }
    *to = '\0';
    return *at ? NULL : json_object_new_double(strtod(plain, NULL));
}

static bool looks_like_a_date(const char *token)
{
    size_t digits = strspn(token, DIGITS);

    return (digits == 4 && token[4] == '-') || (digits == 2 && token[2] == ':');
}

struct json_object *toml_scalar_bare(struct toml_cursor *c, struct error *err)
{
    char token[80], plain[80];
    size_t len = strcspn(c->at, " \t\r\n,]}#=");
    struct json_object *value = NULL;

    snprintf(token, sizeof token, "%.*s", len < sizeof token ? (int)len : 0, c->at);
    if (strcmp(token, "true") == 0 || strcmp(token, "false") == 0)
        value = json_object_new_boolean(*token == 't');
    if (!value)
        value = integer(token, plain);
    if (!value)
        value = real(token, plain);
    if (value)
        c->at += len;
    else if (looks_like_a_date(token))
        toml_scalar_fail(c, err, "dates and times are not supported");
    else
        toml_scalar_fail(c, err, "a value is missing, or is none: strings need quotes");
    return value;
}
