// SPDX-License-Identifier: Apache-2.0
/* decode: TOML on standard input, and on standard output the same as JSON in which each value says
 * its type, as toml-test has it: {"type": "integer", "value": "1"}. Ends with 1, and words on
 * standard error, when it is no TOML. */
#include <math.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/own.h"
#include "image/toml.h"

enum { ROOM = 64 * 1024 };

static struct json_object *tag(const char *type, const char *value)
{
    struct json_object *to = json_object_new_object();

    json_add_str(to, "type", type);
    json_add_str(to, "value", value);
    return to;
}

static struct json_object *tag_number(struct json_object *value)
{
    double number = json_object_get_double(value);
    char text[64];

    if (json_object_is_type(value, json_type_int)) {
        snprintf(text, sizeof text, "%lld", (long long)json_object_get_int64(value));
        return tag("integer", text);
    }
    if (isnan(number) || isinf(number))
        snprintf(text, sizeof text, "%s", isnan(number) ? "nan" : number < 0 ? "-inf" : "inf");
    else
        snprintf(text, sizeof text, "%.17g", number);
    return tag("float", text);
}

static struct json_object *tagged(struct json_object *value)
{
    struct json_object *to;

    switch (json_object_get_type(value)) {
    case json_type_object:
        to = json_object_new_object();
        json_object_object_foreach(value, key, member)
        {
            json_add(to, key, tagged(member));
        }
        return to;
    case json_type_array:
        to = json_object_new_array();
        for (size_t i = 0; i < json_len(value); i++)
            json_add(to, NULL, tagged(json_at(value, i)));
        return to;
    case json_type_string:
        return tag("string", json_str(value));
    case json_type_boolean:
        return tag("bool", json_object_get_boolean(value) ? "true" : "false");
    default:
        return tag_number(value);
    }
}

int main(void)
{
    AUTO_FINI(buf) text = BUF(TOML_BYTES_MAX + 1);
    JSON_AUTO *tree = NULL, *out = NULL;
    struct error err = {0};

    for (ssize_t n = 1; n > 0;) {
        char *at = buf_reserve(&text, ROOM, &err);

        n = at ? fd_read_full(STDIN_FILENO, at, ROOM, &err) : -1;
        if (n < 0)
            return 2;
        buf_added(&text, (size_t)n);
    }
    tree = toml_parse(text.data, text.len, &err);
    if (!tree) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    out = tagged(tree);
    puts(json_text(out));
    return 0;
}
