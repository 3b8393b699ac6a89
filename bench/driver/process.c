// SPDX-License-Identifier: Apache-2.0
#include "process.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/dir.h"
#include "base/file.h"
#include "base/own.h"

enum { FILE_MAX = 64 * 1024, COMM_LEN = 15 };

int process_load(int pid, const char *file, struct buf *out, struct error *err)
{
    AUTO_FREE char *path = xasprintf("/proc/%d/%s", pid, file);

    buf_init(out, FILE_MAX);
    return file_load(AT_FDCWD, path, out, err);
}

double process_kib(int pid, const char *file, const char *key)
{
    AUTO_FREE char *mark = xasprintf("\n%s:", key);
    AUTO_FINI(buf) text = {0};
    struct error gone;
    const char *at;

    if (process_load(pid, file, &text, &gone) < 0 || !text.len)
        return 0;
    at = strstr(text.data, mark);
    return at ? strtod(at + strlen(mark), NULL) : 0;
}

bool process_is_one_of(int pid, const char *const names[], size_t n)
{
    AUTO_FINI(buf) comm = {0};
    struct error gone;

    if (process_load(pid, "comm", &comm, &gone) < 0 || !comm.len)
        return false;
    comm.data[comm.len - 1] = '\0';
    for (size_t i = 0; i < n; i++)
        if (strncmp(comm.data, names[i], COMM_LEN) == 0)
            return true;
    return false;
}

int process_each(void (*see)(void *data, int pid), void *data, struct error *err)
{
    AUTO_CLOSEDIR DIR *proc = opendir("/proc");

    if (!proc)
        return error_errno(err, errno, "read /proc");
    for (const struct dirent *entry; (entry = readdir(proc));)
        if (isdigit((unsigned char)*entry->d_name))
            see(data, (int)strtol(entry->d_name, NULL, 10));
    return 0;
}
