// SPDX-License-Identifier: Apache-2.0
#include "base/exit_record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"

enum { RECORD_MAX = 64 };

static int format(char text[static RECORD_MAX], const struct exit_record *record)
{
    return snprintf(text, RECORD_MAX, "%d %" PRId64 " %d\n", record->status, record->finished_ns,
                    record->oom_killed);
}

/* The name of the record, or of what will become it. */
static int name_file(char out[static NAME_MAX + 1], const char *prefix, const char *id,
                     struct error *err)
{
    int len = snprintf(out, NAME_MAX + 1, "%s%s", prefix, id);

    if (!*id || *id == '.' || strchr(id, '/') || len > NAME_MAX)
        return error_set(err, ERROR_INVALID, "exit record of \"%.80s\": not the name of a file",
                         id);
    return 0;
}

int exit_record_store(int dirfd, const char *id, const struct exit_record *record,
                      struct error *err)
{
    char tmp[NAME_MAX + 1], text[RECORD_MAX];
    size_t len = (size_t)format(text, record);

    if (name_file(tmp, ".", id, err) < 0)
        return -1;
    AUTO_CLOSE int fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_errno(err, errno, "create exit record");
    if (fd_write_all(fd, text, len, err) < 0) {
        unlinkat(dirfd, tmp, 0);
        return error_wrap(err, "exit record");
    }
    if (renameat(dirfd, tmp, dirfd, id) < 0)
        return error_errno(err, errno, "publish exit record");
    return 0;
}

int exit_record_load(int dirfd, const char *id, struct exit_record *out, struct error *err)
{
    char name[NAME_MAX + 1], text[RECORD_MAX + 1] = "", again[RECORD_MAX], *at = text;
    struct exit_record record;

    if (name_file(name, "", id, err) < 0)
        return -1;
    AUTO_CLOSE int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return error_errno(err, errno, "open exit record");
    if (fd_read_full(fd, text, sizeof text - 1, err) < 0)
        return error_wrap(err, "exit record");
    record.status = (int)strtol(at, &at, 10);
    record.finished_ns = strtoll(at, &at, 10);
    record.oom_killed = strtol(at, &at, 10) != 0;

    /* Strict without a parser: a record is what store would have written, and nothing else. */
    format(again, &record);
    if (strcmp(text, again) != 0)
        return error_set(err, ERROR_INTERNAL, "exit record is damaged");
    *out = record;
    return 0;
}
