// SPDX-License-Identifier: Apache-2.0
#include "daemon/service_manager.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

static struct sockaddr_un addr = {.sun_family = AF_UNIX};
static socklen_t len; /* 0: nobody is to be told */

void service_manager_find(void)
{
    const char *path = getenv("NOTIFY_SOCKET");

    if (path && (*path == '/' || *path == '@') && strlen(path) < sizeof addr.sun_path) {
        memcpy(addr.sun_path, path, strlen(path));
        len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
        if (*path == '@')
            addr.sun_path[0] = '\0'; /* an abstract name */
    }
    unsetenv("NOTIFY_SOCKET");
}

void service_manager_tell(const char *state)
{
    AUTO_CLOSE int fd = -1;

    if (len == 0)
        return;
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&addr, len) < 0)
        log_warn("the service manager could not be told %s", state);
}
