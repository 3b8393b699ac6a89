// SPDX-License-Identifier: Apache-2.0
#include "imaged/sandbox_landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"

/* Rights by the version of the interface that brought them; the headers of a distribution may be
 * older than its kernel. */
enum {
    FS_RIGHTS_1 = (1 << 13) - 1,
    FS_REFER_2 = 1 << 13,
    FS_TRUNCATE_3 = 1 << 14,
    NET_TCP_4 = 1 << 0 | 1 << 1, /* bind, connect */
    FS_IOCTL_DEV_5 = 1 << 15,
    SCOPE_6 = 1 << 0 | 1 << 1, /* abstract sockets, signals */
};

enum {
    FS_READ =
        LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
    FS_OF_FILES = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
                  LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE_3 | FS_IOCTL_DEV_5,
};

struct ruleset {
    uint64_t fs;
    uint64_t net;
    uint64_t scoped;
};

static int version(void)
{
    return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

static struct ruleset rules_for(int abi, bool network)
{
    struct ruleset r = {.fs = FS_RIGHTS_1};

    if (abi >= 2)
        r.fs |= FS_REFER_2;
    if (abi >= 3)
        r.fs |= FS_TRUNCATE_3;
    if (abi >= 4 && !network)
        r.net = NET_TCP_4;
    if (abi >= 5)
        r.fs |= FS_IOCTL_DEV_5;
    if (abi >= 6)
        r.scoped = SCOPE_6;
    return r;
}

static int allow(int rules, const struct ruleset *r, const struct sandbox_path *p,
                 struct error *err)
{
    struct landlock_path_beneath_attr attr = {.allowed_access = p->writable ? r->fs : FS_READ};
    AUTO_CLOSE int fd = open(p->path, O_PATH | O_CLOEXEC);
    struct stat st;

    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : error_errno(err, errno, "open");
    if (fstat(fd, &st) < 0)
        return error_errno(err, errno, "look at it");
    if (!S_ISDIR(st.st_mode))
        attr.allowed_access &= FS_OF_FILES;
    attr.parent_fd = fd;
    if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &attr, 0) < 0)
        return error_errno(err, errno, "allow it");
    return 0;
}

int sandbox_landlock_enter(const struct sandbox *s, struct error *err)
{
    int abi = version();
    struct ruleset r = rules_for(abi, s->network);
    /* A kernel takes more bytes than it knows when they are zero. */
    AUTO_CLOSE int rules =
        abi < 1 ? -1 : (int)syscall(SYS_landlock_create_ruleset, &r, sizeof r, 0);

    if (abi < 1)
        return 0;
    if (rules < 0)
        return error_errno(err, errno, "make Landlock rules");
    for (size_t i = 0; i < s->n_paths; i++)
        if (allow(rules, &r, &s->paths[i], err) < 0)
            return error_wrap(err, "Landlock: %s", s->paths[i].path);
    if (syscall(SYS_landlock_restrict_self, rules, 0) < 0)
        return error_errno(err, errno, "enter Landlock");
    return 0;
}
