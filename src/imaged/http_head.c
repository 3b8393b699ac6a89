// SPDX-License-Identifier: Apache-2.0
#include "imaged/http_head.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"

void http_head_reset(struct http_answer *a)
{
    free(a->content_type);
    a->content_type = NULL;
    a->digest[0] = '\0';
    a->content_length = a->range_start = a->retry_after_ms = -1;
    challenge_list_fini(&a->challenges);
}

/* The digits at *text, and moves behind them; -1 when there are none or too many. */
static int64_t take_number(const char **text)
{
    char *end;
    long long value;

    if (**text < '0' || **text > '9')
        return -1;
    errno = 0;
    value = strtoll(*text, &end, 10);
    *text = end;
    return errno ? -1 : value;
}

/* "bytes 100-199/200" */
static int64_t parse_range(const char *text)
{
    if (strncasecmp(text, "bytes", 5) != 0)
        return -1;
    text += 5;
    text += strspn(text, " =");
    return take_number(&text);
}

/* Seconds, or a date. */
static int64_t parse_retry_after(const char *text)
{
    int64_t seconds = take_number(&text);
    struct tm when = {0};

    if (seconds < 0 && strptime(text, "%a, %d %b %Y %H:%M:%S", &when))
        seconds = timegm(&when) - clock_now_ns() / CLOCK_NS_PER_S;
    else if (seconds < 0)
        return -1;
    if (seconds < 0)
        return 0;
    return seconds > INT32_MAX ? INT32_MAX : seconds * 1000;
}

static void set(struct http_answer *a, const char *name, const char *value)
{
    struct error ignored;

    if (strcasecmp(name, "Content-Type") == 0) {
        free(a->content_type);
        a->content_type = xstrdup(value);
    } else if (strcasecmp(name, "Docker-Content-Digest") == 0) {
        if (digest_parse(value, a->digest, &ignored) < 0)
            a->digest[0] = '\0';
    } else if (strcasecmp(name, "Content-Length") == 0) {
        a->content_length = take_number(&value);
    } else if (strcasecmp(name, "Content-Range") == 0) {
        a->range_start = parse_range(value);
    } else if (strcasecmp(name, "Retry-After") == 0) {
        a->retry_after_ms = parse_retry_after(value);
    } else if (strcasecmp(name, "WWW-Authenticate") == 0) {
        /* What cannot be read of it counts as not there. */
        if (challenge_list_add(&a->challenges, value, &ignored) < 0)
            return;
    }
}

void http_head_line(struct http_answer *a, const char *line, size_t len)
{
    AUTO_FREE char *text = xstrndup(line, len);
    char *value = strchr(text, ':');
    size_t end;

    if (!value)
        return;
    *value++ = '\0';
    value += strspn(value, " \t");
    end = strlen(value);
    while (end > 0 && strchr(" \t", value[end - 1]))
        value[--end] = '\0';
    set(a, text, value);
}
