// SPDX-License-Identifier: Apache-2.0
#include "image/reference.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"

#define DIGITS       "0123456789"
#define LOWER        "abcdefghijklmnopqrstuvwxyz"
#define UPPER        "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define HEX          DIGITS "abcdef"
#define ID_HEX_LEN   64
#define DOCKER_HUB   "docker.io"
#define DOCKER_INDEX "index.docker.io"

/* label ("." label)*, a label being letters, digits and inner hyphens. */
static bool is_dns_name(const char *text, size_t len)
{
    const char *end = text + len;

    for (;;) {
        size_t label = strspn(text, LOWER UPPER DIGITS "-");

        if (label == 0 || text[0] == '-' || text[label - 1] == '-')
            return false;
        text += label;
        if (text >= end)
            return text == end;
        if (*text++ != '.')
            return false;
    }
}

static bool is_domain(const char *text)
{
    size_t host;

    if (text[0] == '[') {
        size_t inner = strspn(text + 1, HEX "ABCDEF:");

        if (inner == 0 || text[1 + inner] != ']')
            return false;
        host = inner + 2;
    } else {
        host = strcspn(text, ":");
        if (!is_dns_name(text, host))
            return false;
    }
    if (text[host] == '\0')
        return true;
    text += host;
    return text[0] == ':' && text[1] && strspn(text + 1, DIGITS) == strlen(text + 1);
}

/* One separator between the runs of letters and digits: ".", "_", "__" or hyphens. */
static size_t separator_len(const char *text)
{
    if (text[0] == '.')
        return 1;
    if (text[0] == '_')
        return text[1] == '_' ? 2 : 1;
    return strspn(text, "-");
}

static bool is_path(const char *text)
{
    for (;;) {
        size_t run = strspn(text, LOWER DIGITS);

        if (run == 0)
            return false;
        text += run;
        if (*text == '\0')
            return true;
        run = *text == '/' ? 1 : separator_len(text);
        if (run == 0)
            return false;
        text += run;
    }
}

static bool is_tag(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && len <= REFERENCE_TAG_MAX && text[0] != '.' && text[0] != '-' &&
           strspn(text, LOWER UPPER DIGITS "_.-") == len;
}

/* Whether what stands before the first slash names a registry and not a part of the path. */
static bool looks_like_domain(const char *text, size_t len)
{
    AUTO_FREE char *first = xstrndup(text, len);

    return strcmp(first, "localhost") == 0 || strpbrk(first, ".:" UPPER);
}

static int split_domain(const char *text, struct image_reference *out, const char **rest,
                        struct error *err)
{
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : 0;

    *rest = text;
    if (!slash || !looks_like_domain(text, len)) {
        memcpy(out->domain, DOCKER_HUB, sizeof DOCKER_HUB);
        return 0;
    }
    if (len > REFERENCE_DOMAIN_MAX)
        return error_set(err, ERROR_INVALID, "the registry's name is longer than %d bytes",
                         REFERENCE_DOMAIN_MAX);
    memcpy(out->domain, text, len);
    *rest = slash + 1;
    if (!is_domain(out->domain))
        return error_set(err, ERROR_INVALID, "\"%s\" is no registry's name", out->domain);
    if (strcmp(out->domain, DOCKER_INDEX) == 0)
        memcpy(out->domain, DOCKER_HUB, sizeof DOCKER_HUB);
    return 0;
}

static int set_path(const char *path, struct image_reference *out, struct error *err)
{
    bool official = strcmp(out->domain, DOCKER_HUB) == 0 && !strchr(path, '/');
    int len;

    if (strpbrk(path, UPPER))
        return error_set(err, ERROR_INVALID, "repository name (%.255s) must be lowercase", path);
    if (!is_path(path))
        return error_set(err, ERROR_INVALID, "\"%.255s\" is no repository's name", path);
    len = snprintf(out->path, sizeof out->path, "%s%s", official ? "library/" : "", path);
    if (len > REFERENCE_PATH_MAX)
        return error_set(err, ERROR_INVALID, "the repository's name is longer than %d bytes",
                         REFERENCE_PATH_MAX);
    return 0;
}

static int parse(const char *text, struct image_reference *out, struct error *err)
{
    AUTO_FREE char *name = NULL;
    const char *rest;
    char *digest, *tag;

    if (split_domain(text, out, &rest, err) < 0)
        return -1;
    name = xstrdup(rest);
    digest = strchr(name, '@');
    if (digest)
        *digest++ = '\0';
    tag = strchr(name, ':');
    if (tag)
        *tag++ = '\0';
    if (set_path(name, out, err) < 0)
        return -1;
    if (tag && !is_tag(tag))
        return error_set(err, ERROR_INVALID, "\"%.140s\" is no tag", tag);
    if (digest)
        return digest_parse(digest, out->digest, err);
    snprintf(out->tag, sizeof out->tag, "%s", tag ? tag : "latest");
    return 0;
}

int reference_parse(const char *text, struct image_reference *out, struct error *err)
{
    struct image_reference ref = {0};

    if (!text || !*text)
        return error_set(err, ERROR_INVALID, "the image has no name");
    if (strlen(text) >= REFERENCE_TEXT_SIZE)
        return error_set(err, ERROR_INVALID, "image name of %zu bytes", strlen(text));
    if (strlen(text) == ID_HEX_LEN && strspn(text, HEX) == ID_HEX_LEN)
        return error_set(err, ERROR_INVALID, "image name \"%s\" is an id, not a name", text);
    if (strstr(text, "://"))
        return error_set(err, ERROR_INVALID,
                         "image name \"%.255s\": a name has no scheme; leave \"%.*s://\" out", text,
                         (int)strcspn(text, ":"), text);
    if (parse(text, &ref, err) < 0)
        return error_wrap(err, "image name \"%.255s\"", text);
    *out = ref;
    return 0;
}

void reference_format(const struct image_reference *ref, char out[static REFERENCE_TEXT_SIZE])
{
    snprintf(out, REFERENCE_TEXT_SIZE, "%s/%s%s%s%s%s", ref->domain, ref->path,
             *ref->tag ? ":" : "", ref->tag, *ref->digest ? "@" : "", ref->digest);
}

void reference_format_digest(const struct image_reference *ref, const char *digest,
                             char out[static REFERENCE_TEXT_SIZE])
{
    snprintf(out, REFERENCE_TEXT_SIZE, "%s/%s@%s", ref->domain, ref->path, digest);
}

bool reference_is_id(const char *text)
{
    return digest_is_valid(text);
}

const char *reference_id_prefix(const char *text)
{
    static const char prefix[] = "sha256:";
    size_t len;

    if (!text)
        return NULL;
    if (strncmp(text, prefix, sizeof prefix - 1) == 0)
        text += sizeof prefix - 1;
    len = strlen(text);
    return len > 0 && len <= ID_HEX_LEN && strspn(text, HEX) == len ? text : NULL;
}
