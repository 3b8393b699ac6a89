// SPDX-License-Identifier: Apache-2.0
#include "image/pins.h"

#include <string.h>

#include "base/own.h"
#include "image/reference.h"

static bool matches_whole(const char *pattern, const char *name)
{
    struct image_reference ref;
    char text[REFERENCE_TEXT_SIZE];
    struct error ignored;

    if (reference_parse(pattern, &ref, &ignored) < 0)
        return false;
    reference_format(&ref, text);
    return strcmp(text, name) == 0;
}

static bool matches(const char *pattern, const char *name)
{
    size_t len = strlen(pattern);
    bool open_start = pattern[0] == '*', open_end = len > 0 && pattern[len - 1] == '*';
    AUTO_FREE char *middle = NULL;

    if (!open_end)
        return matches_whole(pattern, name);
    middle = len < 2 ? xstrdup("") : xstrndup(pattern + open_start, len - 1 - open_start);
    return open_start ? strstr(name, middle) != NULL : strncmp(name, middle, strlen(middle)) == 0;
}

bool pins_match(const struct strv *patterns, const struct strv *names)
{
    for (size_t i = 0; patterns && i < patterns->len; i++)
        for (size_t n = 0; n < names->len; n++)
            if (matches(patterns->items[i], names->items[n]))
                return true;
    return false;
}
