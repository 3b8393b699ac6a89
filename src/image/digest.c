// SPDX-License-Identifier: Apache-2.0
#include "image/digest.h"

#include <assert.h>
#include <string.h>

#include "base/own.h"

static const struct {
    const char *name;
    size_t hex_len;
} algorithms[] = {
    [DIGEST_SHA256] = {"sha256", 64},
    [DIGEST_SHA384] = {"sha384", 96},
    [DIGEST_SHA512] = {"sha512", 128},
};

/* The index into algorithms, or -1; out_hex is set when the name is known. */
static int find(const char *text, const char **out_hex)
{
    for (size_t i = 0; i < COUNT_OF(algorithms); i++) {
        size_t len = strlen(algorithms[i].name);

        if (strncmp(text, algorithms[i].name, len) == 0 && text[len] == ':') {
            *out_hex = text + len + 1;
            return (int)i;
        }
    }
    return -1;
}

int digest_parse(const char *text, char out[static DIGEST_SIZE], struct error *err)
{
    const char *hex;
    int algorithm;

    if (!text)
        return error_set(err, ERROR_INVALID, "no digest");
    algorithm = find(text, &hex);
    if (algorithm < 0)
        return error_set(err, ERROR_INVALID, "digest \"%.80s\" has no algorithm we know", text);
    if (strspn(hex, "0123456789abcdef") != algorithms[algorithm].hex_len ||
        strlen(hex) != algorithms[algorithm].hex_len)
        return error_set(err, ERROR_INVALID, "digest \"%.160s\" has not %zu lower-case hex digits",
                         text, algorithms[algorithm].hex_len);
    memcpy(out, text, strlen(text) + 1);
    return 0;
}

bool digest_is_valid(const char *text)
{
    char digest[DIGEST_SIZE];
    struct error ignored;

    return digest_parse(text, digest, &ignored) == 0;
}

enum digest_algorithm digest_algorithm_of(const char *digest)
{
    const char *hex;
    int algorithm = find(digest, &hex);

    assert(algorithm >= 0);
    return (enum digest_algorithm)algorithm;
}

const char *digest_algorithm_name(enum digest_algorithm algorithm)
{
    return algorithms[algorithm].name;
}

const char *digest_hex(const char *digest)
{
    const char *colon = strchr(digest, ':');

    assert(colon);
    return colon + 1;
}
