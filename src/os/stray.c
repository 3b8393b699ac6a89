// SPDX-License-Identifier: Apache-2.0
#include "os/stray.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"

/* No run of a runtime has more to say than that. */
enum { CMDLINE_MAX = 64 * 1024, LOOKS_MAX = 100, LOOK_MS = 1 };

bool stray_is(const char *cmdline, size_t len, const char *root, const char *id)
{
    const char *before = "", *word = "";
    bool has_root = false;

    if (len == 0 || cmdline[len - 1] != '\0')
        return false;
    for (const char *at = cmdline; at < cmdline + len; at += strlen(at) + 1) {
        before = word;
        word = at;
        has_root |= strcmp(before, "--root") == 0 && strcmp(word, root) == 0;
        if (strcmp(word, "delete") == 0)
            return false;
    }
    return has_root && strcmp(word, id) == 0;
}

/* True when it was one. The folder is that process's, whoever has its pid later: what is read in it
 * is said of who is signalled by it. */
static bool end_if_stray(int proc, const char *pid, const char *root, const char *id)
{
    AUTO_CLOSE int process = openat(proc, pid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_FINI(buf) cmdline = BUF(CMDLINE_MAX);
    struct error ignored;

    if (process < 0 || file_load(process, "cmdline", &cmdline, &ignored) < 0 ||
        !stray_is(cmdline.data, cmdline.len, root, id))
        return false;
    syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0);
    return true;
}

static bool end_all(const char *root, const char *id)
{
    DIR *dir = opendir("/proc");
    bool found = false;

    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (isdigit((unsigned char)entry->d_name[0]))
            found |= end_if_stray(dirfd(dir), entry->d_name, root, id);
    if (dir)
        closedir(dir);
    return found;
}

bool stray_end(const char *root, const char *id)
{
    for (int i = 0; i < LOOKS_MAX; i++) {
        if (!end_all(root, id))
            return true;
        poll(NULL, 0, LOOK_MS);
    }
    return false;
}
