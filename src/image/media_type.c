// SPDX-License-Identifier: Apache-2.0
#include "image/media_type.h"

#include <string.h>
#include <strings.h>

#include "base/own.h"

static const struct {
    const char *text;
    enum media_type type;
} known[] = {
    {MEDIA_TYPE_OCI_MANIFEST, MEDIA_TYPE_MANIFEST},
    {MEDIA_TYPE_OCI_INDEX, MEDIA_TYPE_INDEX},
    {MEDIA_TYPE_OCI_CONFIG, MEDIA_TYPE_CONFIG},
    {MEDIA_TYPE_DOCKER_MANIFEST, MEDIA_TYPE_MANIFEST},
    {MEDIA_TYPE_DOCKER_INDEX, MEDIA_TYPE_INDEX},
    {MEDIA_TYPE_DOCKER_CONFIG, MEDIA_TYPE_CONFIG},
    {"application/vnd.docker.distribution.manifest.v1+prettyjws", MEDIA_TYPE_SCHEMA1},
    {"application/vnd.docker.distribution.manifest.v1+json", MEDIA_TYPE_SCHEMA1},
};

/* What may follow is the compression, and encryption. */
static const char *const layers[] = {
    "application/vnd.oci.image.layer.",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.foreign.diff.tar",
};

enum media_type media_type_of(const char *text)
{
    size_t len;

    if (!text)
        return MEDIA_TYPE_UNKNOWN;
    len = strcspn(text, "; ");
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (strlen(known[i].text) == len && strncasecmp(text, known[i].text, len) == 0)
            return known[i].type;
    for (size_t i = 0; i < COUNT_OF(layers); i++)
        if (len >= strlen(layers[i]) && strncasecmp(text, layers[i], strlen(layers[i])) == 0)
            return MEDIA_TYPE_LAYER;
    return MEDIA_TYPE_UNKNOWN;
}
