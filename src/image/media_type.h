// SPDX-License-Identifier: Apache-2.0
#pragma once

/* media_type: what kind of blob a media type announces. Any thread. */
#define MEDIA_TYPE_OCI_MANIFEST    "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_TYPE_OCI_INDEX       "application/vnd.oci.image.index.v1+json"
#define MEDIA_TYPE_OCI_CONFIG      "application/vnd.oci.image.config.v1+json"
#define MEDIA_TYPE_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define MEDIA_TYPE_DOCKER_INDEX    "application/vnd.docker.distribution.manifest.list.v2+json"
#define MEDIA_TYPE_DOCKER_CONFIG   "application/vnd.docker.container.image.v1+json"

enum media_type {
    MEDIA_TYPE_UNKNOWN,
    MEDIA_TYPE_MANIFEST, /* of one image */
    MEDIA_TYPE_INDEX,    /* or manifest list */
    MEDIA_TYPE_CONFIG,   /* of an image */
    MEDIA_TYPE_LAYER,    /* a tar, however compressed */
    MEDIA_TYPE_SCHEMA1,  /* what Docker wrote before 2016: refused */
};

/* Parameters behind ';' and letter case do not count. NULL is unknown. */
enum media_type media_type_of(const char *text);
