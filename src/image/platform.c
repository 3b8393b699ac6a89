// SPDX-License-Identifier: Apache-2.0
#include "image/platform.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/own.h"
#include "base/strv.h"
#include "image/cpu_level.h"

/* What an image's platform may be on a host, best first: the host's own, then older variants of
 * the same architecture, then what its processor runs besides. */

static const struct {
    const char *alias, *architecture, *variant; /* variant NULL: as given */
} aliases[] = {
    {"x86_64", "amd64", NULL},  {"x86-64", "amd64", NULL}, {"i386", "386", ""},
    {"aarch64", "arm64", NULL}, {"armhf", "arm", "v7"},    {"armel", "arm", "v6"},
};

static void set(char out[static PLATFORM_FIELD_MAX + 1], const char *text)
{
    snprintf(out, PLATFORM_FIELD_MAX + 1, "%s", text ? text : "");
    for (char *c = out; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
}

static void normalise_variant(struct platform *p)
{
    bool digits = *p->variant && strspn(p->variant, "0123456789.") == strlen(p->variant);

    if (digits && strlen(p->variant) < PLATFORM_FIELD_MAX) { /* "8" means "v8" */
        memmove(p->variant + 1, p->variant, strlen(p->variant) + 1);
        p->variant[0] = 'v';
    }
    if (strcmp(p->architecture, "arm64") == 0 &&
        (strcmp(p->variant, "v8") == 0 || strcmp(p->variant, "v8.0") == 0))
        set(p->variant, "");
    else if (strcmp(p->architecture, "amd64") == 0 && strcmp(p->variant, "v1") == 0)
        set(p->variant, "");
    else if (strcmp(p->architecture, "arm") == 0 && !*p->variant)
        set(p->variant, "v7");
}

void platform_set(struct platform *out, const char *os, const char *architecture,
                  const char *variant)
{
    struct platform p = {0};

    set(p.os, os);
    set(p.architecture, architecture);
    set(p.variant, variant);
    if (strcmp(p.os, "macos") == 0)
        set(p.os, "darwin");
    for (size_t i = 0; i < COUNT_OF(aliases); i++) {
        if (strcmp(p.architecture, aliases[i].alias) != 0)
            continue;
        set(p.architecture, aliases[i].architecture);
        if (aliases[i].variant)
            set(p.variant, aliases[i].variant);
    }
    normalise_variant(&p);
    *out = p;
}

int platform_parse(const char *text, struct platform *out, struct error *err)
{
    AUTO_FINI(strv) parts = {0};

    strv_add_split(&parts, text, '/');
    if (parts.len < 2 || parts.len > 3)
        return error_set(err, ERROR_INVALID, "\"%.100s\" is no platform such as linux/amd64", text);
    for (size_t i = 0; i < parts.len; i++)
        if (strlen(parts.items[i]) > PLATFORM_FIELD_MAX)
            return error_set(err, ERROR_INVALID, "platform \"%.100s\" is too long", text);
    platform_set(out, parts.items[0], parts.items[1], parts.len > 2 ? parts.items[2] : "");
    return 0;
}

void platform_format(const struct platform *p, char out[static PLATFORM_TEXT_SIZE])
{
    snprintf(out, PLATFORM_TEXT_SIZE, "%s/%s%s%s", p->os, p->architecture, *p->variant ? "/" : "",
             p->variant);
}

void platform_host(struct platform *out)
{
#if defined __x86_64__
    char variant[] = {'v', (char)('0' + cpu_level()), '\0'};

    platform_set(out, "linux", "amd64", variant);
#elif defined __aarch64__
    platform_set(out, "linux", "arm64", "");
#elif defined __arm__ && defined __ARM_ARCH && __ARM_ARCH < 7
    platform_set(out, "linux", "arm", "v6");
#elif defined __arm__
    platform_set(out, "linux", "arm", "v7");
#elif defined __i386__
    platform_set(out, "linux", "386", "");
#elif defined __riscv
    platform_set(out, "linux", "riscv64", "");
#elif defined __powerpc64__
    platform_set(out, "linux", "ppc64le", "");
#elif defined __s390x__
    platform_set(out, "linux", "s390x", "");
#elif defined __loongarch64
    platform_set(out, "linux", "loong64", "");
#else
#    error "which platform is this?"
#endif
}

/* "v8.2" is 802, "v7" is 700, "" is what none counts as; -1 for anything else. */
static int version_of(const char *variant, int none)
{
    int major = 0, minor = 0, used = 0;

    if (!*variant)
        return none;
    if (sscanf(variant, "v%2d.%2d%n", &major, &minor, &used) < 2)
        minor = 0, used = 0;
    if (!used && sscanf(variant, "v%2d%n", &major, &used) < 1)
        return -1;
    return used == (int)strlen(variant) && major >= 0 && minor >= 0 ? major * 100 + minor : -1;
}

/* Distance from the host's version down to the image's; -1 when it cannot run. */
static int distance(const char *host, const char *image, int none, int lowest)
{
    int from = version_of(host, none), to = version_of(image, none);

    if (strcmp(host, image) == 0)
        return 0;
    return from < 0 || to < lowest || to > from ? -1 : from - to;
}

enum { OTHER_ARCHITECTURE = 10000 };

int platform_rank(const struct platform *host, const struct platform *image)
{
    const char *own = host->architecture, *other = image->architecture;
    int below = -1;

    if (strcmp(host->os, image->os) != 0 || image->wants_features)
        return -1;
    if (strcmp(own, other) == 0) {
        if (strcmp(own, "amd64") == 0)
            return distance(host->variant, image->variant, 100, 100);
        if (strcmp(own, "arm64") == 0)
            return distance(host->variant, image->variant, 800, 800);
        if (strcmp(own, "arm") == 0)
            return distance(host->variant, image->variant, 700, 500);
        return strcmp(host->variant, image->variant) == 0 ? 0 : -1;
    }
    if (strcmp(own, "amd64") == 0 && strcmp(other, "386") == 0)
        below = *image->variant ? -1 : 0;
    else if (strcmp(own, "arm64") == 0 && strcmp(other, "arm") == 0)
        below = distance("v8", image->variant, 700, 500);
    return below < 0 ? -1 : OTHER_ARCHITECTURE + below;
}
