// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/own.h"
#include "bench.h"
#include "cri.h"
#include "samples.h"

/* An exec as clients have it: the URL, a connection, the upgrade to a WebSocket, and all that comes
 * until the error channel tells the end. */

enum { ANSWER_MAX = 64 * 1024, ERROR_CHANNEL = 3, PATIENCE_S = 60 };

struct place {
    struct sockaddr_in address;
    char host[64];
    char path[256];
};

/* "http://127.0.0.1:1234/exec/token" */
static int parse_url(const char *url, struct place *out, struct error *err)
{
    unsigned port;

    *out = (struct place){.address = {.sin_family = AF_INET}};
    if (sscanf(url, "http://%63[^:]:%u%255s", out->host, &port, out->path) != 3 ||
        inet_pton(AF_INET, out->host, &out->address.sin_addr) != 1 || port > UINT16_MAX)
        return error_set(err, ERROR_INVALID, "the URL \"%s\" is of no known form", url);
    out->address.sin_port = htons((uint16_t)port);
    return 0;
}

static int open_connection(const struct place *at, struct error *err)
{
    struct timeval patience = {.tv_sec = PATIENCE_S};
    AUTO_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int one = 1;

    if (fd < 0)
        return error_errno(err, errno, "make a socket");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (const struct sockaddr *)&at->address, sizeof at->address) < 0)
        return error_errno(err, errno, "connect to %s", at->host);
    return fd_take(&fd);
}

static int send_request(int fd, const struct place *at, struct error *err)
{
    AUTO_FREE char *head = xasprintf("GET %s HTTP/1.1\r\n"
                                     "Host: %s\r\n"
                                     "Connection: Upgrade\r\n"
                                     "Upgrade: websocket\r\n"
                                     "Sec-WebSocket-Version: 13\r\n"
                                     "Sec-WebSocket-Key: YSBiZW5jaG1hcmsncyBrZQ==\r\n"
                                     "Sec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n",
                                     at->path, at->host);

    return fd_write_all(fd, head, strlen(head), err);
}

/* Takes whole messages from the front; true when one of them tells the end. */
static bool take_messages(struct buf *b)
{
    while (b->len >= 4) {
        const uint8_t *head = (const uint8_t *)b->data;
        bool is_long = (head[1] & 0x7f) == 126;
        size_t at = is_long ? 4 : 2, len = is_long ? (size_t)head[2] << 8 | head[3] : head[1];

        if (b->len < at + len)
            return false;
        if (len > 1 && head[at] == ERROR_CHANNEL)
            return true;
        buf_consume(b, at + len);
    }
    return false;
}

static int read_to_end(int fd, struct error *err)
{
    AUTO_FINI(buf) b = BUF(ANSWER_MAX);
    bool is_upgraded = false;

    for (;;) {
        char *room = buf_reserve(&b, 4096, err), *end;
        ssize_t n = room ? recv(fd, room, 4096, 0) : -1;

        if (n <= 0)
            return error_set(err, ERROR_UNAVAILABLE, "the stream ended too early");
        buf_added(&b, (size_t)n);
        end = is_upgraded ? NULL : strstr(b.data, "\r\n\r\n");
        if (end && strncmp(b.data, "HTTP/1.1 101 ", 13) != 0)
            return error_set(err, ERROR_UNAVAILABLE, "no upgrade: %.40s", b.data);
        if (end) {
            is_upgraded = true;
            buf_consume(&b, (size_t)(end + 4 - b.data));
        }
        if (is_upgraded && take_messages(&b))
            return 0;
    }
}

static int exec_once(struct cri *c, const Runtime__V1__ExecRequest *request, struct error *err)
{
    const Runtime__V1__ExecResponse *answer = (void *)cri_call(c, "Exec", &request->base, err);
    AUTO_CLOSE int fd = -1;
    struct place at;

    if (!answer || parse_url(answer->url, &at, err) < 0)
        return -1;
    fd = open_connection(&at, err);
    if (fd < 0 || send_request(fd, &at, err) < 0)
        return -1;
    return read_to_end(fd, err);
}

int bench_stream(const struct bench *b, struct error *err)
{
    Runtime__V1__ExecRequest request = RUNTIME__V1__EXEC_REQUEST__INIT;
    struct samples s = {.name = "exec_stream", .unit = "ms"};
    char *command[] = {(char *)"true"};
    struct cri_pod pod;
    struct cri c;
    int rc;

    if (cri_open(&c, b, err) < 0)
        return -1;
    rc = cri_find(&c, &pod, err);
    request.cmd = command;
    request.n_cmd = 1;
    request.stdout = request.stderr = true;
    request.container_id = pod.container;
    for (int i = 0; rc == 0 && i <= b->rounds; i++) {
        int64_t begun = clock_monotonic_ns();

        rc = exec_once(&c, &request, err);
        if (i > 0)
            samples_add_since(&s, begun);
    }
    if (rc == 0)
        samples_print(&s);
    samples_fini(&s);
    cri_close(&c);
    return rc;
}
