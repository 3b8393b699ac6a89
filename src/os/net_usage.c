// SPDX-License-Identifier: Apache-2.0
#include "os/net_usage.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"

enum { TEXT_MAX = 64 * 1024 };

/* Columns behind the name: received bytes, packets, errs and five more, then sent likewise. */
static void parse_line(const char *line, struct net_usage *out)
{
    struct net_usage_interface i = {0};
    const char *colon = strchr(line, ':');
    uint64_t columns[16] = {0};
    char *at;

    while (*line == ' ')
        line++;
    if (!colon || colon <= line || (size_t)(colon - line) >= sizeof i.name)
        return;
    memcpy(i.name, line, (size_t)(colon - line));
    at = (char *)colon + 1;
    for (int c = 0; c < 16; c++)
        columns[c] = strtoull(at, &at, 10);
    i.rx_bytes = columns[0];
    i.rx_errors = columns[2];
    i.tx_bytes = columns[8];
    i.tx_errors = columns[10];
    if (strcmp(i.name, "lo") != 0 && out->n < NET_USAGE_INTERFACES_MAX)
        out->interfaces[out->n++] = i;
}

void net_usage_parse(const char *text, struct net_usage *out)
{
    out->n = 0;
    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        if (*line == '\n')
            line++;
        parse_line(line, out);
    }
}

int net_usage_read(const char *netns, struct net_usage *out, struct error *err)
{
    AUTO_CLOSE int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    AUTO_CLOSE int theirs = open(netns, O_RDONLY | O_CLOEXEC);
    AUTO_FINI(buf) text = BUF(TEXT_MAX);
    int outcome;

    if (own < 0 || theirs < 0)
        return error_errno(err, errno, "open network namespace %s", netns);
    if (setns(theirs, CLONE_NEWNET) < 0)
        return error_errno(err, errno, "enter network namespace %s", netns);
    outcome = file_load(AT_FDCWD, "/proc/thread-self/net/dev", &text, err);
    if (setns(own, CLONE_NEWNET) < 0)
        abort(); /* this thread would do its next work in a pod's network */
    if (outcome < 0)
        return -1;
    net_usage_parse(text.data ? text.data : "", out);
    return 0;
}
