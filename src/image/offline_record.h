// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/strv.h"

/* offline_record: what is remembered of one archive in the folder of offline images. Memory of the
 * caller; one thread at a time. Only for offline.c. */
struct offline_record {
    char *file;
    int64_t size;
    int64_t modified_ns;
    int64_t inode;
    struct strv ids; /* of its images; none when it is broken */
    struct strv names;
};

enum { OFFLINE_RECORDS_BYTES_MAX = 16 << 20 };

void offline_record_fini(struct offline_record *r);

void offline_record_set_version(struct offline_record *r, const struct stat *st);
bool offline_record_same_version(const struct offline_record *a, const struct offline_record *b);

/* A file that is missing or cannot be read has no records: then archives are looked at again. */
void offline_record_load(const char *path, struct offline_record **out, size_t *out_len);
MUST_CHECK int offline_record_save(const char *path, const struct offline_record *records,
                                   size_t len, struct error *err);
void offline_record_free(struct offline_record *records, size_t len);
