// SPDX-License-Identifier: Apache-2.0
#include "tls/fence.h"

#include <linux/capability.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/own.h"
#include "os/call_filter.h"
#include "os/privilege.h"

static const int kept[] = {CAP_DAC_READ_SEARCH}; /* the key may be somebody else's */

/* For getifaddrs(3), and alarm(2), which some architectures do with a timer. */
static const int calls[] = {
    SYS_sendto,      SYS_recvfrom, SYS_shutdown,  SYS_getsockopt,
    SYS_getsockname, SYS_bind,     SYS_setitimer,
#ifdef SYS_alarm
    SYS_alarm,
#endif
};
static const uint32_t families[] = {AF_NETLINK};

static void tell(const char *call)
{
    char line[256];
    size_t len = 0;

    len = call_filter_append(line, sizeof line, len,
                             "berth-tls was ended because it tried the system call ");
    len = call_filter_append(line, sizeof line, len, call);
    len = call_filter_append(line, sizeof line, len, ", which it has no use for\n");
    if (write(STDERR_FILENO, line, len) < 0)
        _exit(EXIT_FAILURE);
}

int fence_drop_powers(struct error *err)
{
    return privilege_keep(kept, COUNT_OF(kept), err);
}

int fence_close(struct error *err)
{
    const struct call_filter filter = {calls, COUNT_OF(calls), families, COUNT_OF(families), tell};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return 0; /* they do more than the program */
#endif
    return call_filter_enter(&filter, err);
}
