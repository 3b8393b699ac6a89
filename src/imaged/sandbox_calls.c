// SPDX-License-Identifier: Apache-2.0
#include "imaged/sandbox_calls.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/own.h"
#include "os/call_filter.h"

/* Files of all kinds, with what belongs to them. */
static const int unpacking[] = {
    SYS_openat2,      SYS_mkdirat,    SYS_mknodat,         SYS_symlinkat,    SYS_linkat,
    SYS_unlinkat,     SYS_renameat,   SYS_renameat2,       SYS_fchown,       SYS_fchownat,
    SYS_fchmod,       SYS_fchmodat,   SYS_utimensat,       SYS_fsync,        SYS_fdatasync,
    SYS_syncfs,       SYS_fallocate,  SYS_sync_file_range, SYS_flock,        SYS_setxattr,
    SYS_lsetxattr,    SYS_fsetxattr,  SYS_getxattr,        SYS_lgetxattr,    SYS_fgetxattr,
    SYS_listxattr,    SYS_llistxattr, SYS_flistxattr,      SYS_fremovexattr, SYS_umask,
    SYS_memfd_create, SYS_fadvise64,  SYS_copy_file_range, SYS_wait4,
#ifdef SYS_poll
    SYS_mkdir,        SYS_rmdir,      SYS_unlink,          SYS_rename,       SYS_chmod,
#endif
};

static const int networking[] = {
    SYS_connect,     SYS_bind,       SYS_getsockname, SYS_getpeername,   SYS_getsockopt,
    SYS_setsockopt,  SYS_sendto,     SYS_sendmmsg,    SYS_recvfrom,      SYS_recvmmsg,
    SYS_shutdown,    SYS_pselect6,   SYS_socketpair,  SYS_epoll_create1, SYS_epoll_ctl,
    SYS_epoll_pwait, SYS_accept4,
#ifdef SYS_poll
    SYS_select,      SYS_epoll_wait,
#endif
};

/* Names are resolved through unix sockets too, and addresses are sorted with netlink's help. */
static const uint32_t families[] = {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK};

static void tell(const char *call)
{
    char line[256];
    size_t len = 0;

    len = call_filter_append(line, sizeof line, len,
                             "{\"event\":\"error\",\"code\":13,\"message\":\"berth-image was "
                             "ended because it tried the system call ");
    len = call_filter_append(line, sizeof line, len, call);
    len = call_filter_append(line, sizeof line, len, ", which its sandbox does not allow\"}\n");
    if (write(STDOUT_FILENO, line, len) < 0)
        _exit(EXIT_FAILURE);
}

int sandbox_calls_enter(bool network, struct error *err)
{
    const struct call_filter filter = {
        .calls = network ? networking : unpacking,
        .n_calls = network ? COUNT_OF(networking) : COUNT_OF(unpacking),
        .families = families,
        .n_families = network ? COUNT_OF(families) : 0,
        .refused = tell,
    };

    return call_filter_enter(&filter, err);
}
