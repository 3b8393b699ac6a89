// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Runs crun after it has made the version in the bundle's config.json one that every crun knows:
 * Debian 12's refuses what containerd 2 writes, only for its number. Costs less than a millisecond,
 * which bench/run states. */
enum { HEAD_SIZE = 256 };

static void lower_version(const char *bundle)
{
    static const char key[] = "\"ociVersion\":\"1.";
    char path[4096], head[HEAD_SIZE + 1] = "";
    const char *at;
    int fd;

    snprintf(path, sizeof path, "%s/config.json", bundle);
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd >= 0 && read(fd, head, HEAD_SIZE) > 0 && (at = strstr(head, key)))
        (void)!pwrite(fd, "0.2", 3, at - head + (off_t)strlen(key));
}

int main(int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], "--bundle") == 0)
            lower_version(argv[i + 1]);
    argv[0] = (char *)"crun";
    execvp(argv[0], argv);
    perror("crun");
    return 127;
}
