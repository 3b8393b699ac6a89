// SPDX-License-Identifier: Apache-2.0
#include "imaged/errand.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/own.h"
#include "image/manifest.h"
#include "imaged/errand_message.h"
#include "imaged/sha.h"
#include "imaged/stop.h"

enum { CHUNK = 256 * 1024, LOOK_UP_MS = 1000 };

/* One of them under way. */
struct errand {
    int file;
    int reports;
    int64_t size;        /* of the blob; -1: not known */
    int64_t poured;      /* bytes that write() has got */
    unpack_write *write; /* NULL: nobody wants them yet */
    void *sink;
    char *room;
};

/* --- asking --- */

static int send_request(int socket, struct json_object *request, int file, int reports,
                        struct error *err)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(2 * sizeof(int))];
    } control = {0};
    const char *text = json_text(request);
    struct iovec bytes = {(void *)(uintptr_t)text, strlen(text)};
    struct msghdr message = {.msg_iov = &bytes,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};

    control.head.cmsg_level = SOL_SOCKET;
    control.head.cmsg_type = SCM_RIGHTS;
    control.head.cmsg_len = CMSG_LEN(2 * sizeof(int));
    memcpy(CMSG_DATA(&control.head), (int[]){file, reports}, 2 * sizeof(int));
    if (sendmsg(socket, &message, MSG_NOSIGNAL) < 0)
        return error_errno(err, errno, "ask the process that talks to registries");
    return 0;
}

static int begin(int socket, enum errand_kind kind, const struct descriptor *d, int64_t kept,
                 struct errand *e, struct error *err)
{
    JSON_AUTO *request = errand_request_encode(kind, d, kept);
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_errno(err, errno, "pipe");
    AUTO_CLOSE int theirs = ends[1];
    e->reports = ends[0];
    return send_request(socket, request, e->file, theirs, err);
}

/* --- listening --- */

static int wait_for_report(int fd, struct error *err)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};

    do
        if (stop_check(err) < 0)
            return -1;
    while (poll(&wait, 1, LOOK_UP_MS) <= 0);
    return 0;
}

static int read_report(const struct errand *e, struct errand_report *out,
                       char body[static ERRAND_REPORT_MAX], struct error *err)
{
    int fd = e->reports;
    ssize_t n;

    if (wait_for_report(fd, err) < 0)
        return -1;
    n = fd_read_full(fd, out, sizeof *out, err);
    if (n < 0)
        return -1;
    if (n != sizeof *out)
        return error_set(err, ERROR_INTERNAL,
                         "the process that talks to registries ended before its work was done");
    if (errand_report_check(out, e->size, err) < 0)
        return -1;
    n = fd_read_full(fd, body, out->len, err);
    return n < 0 ? -1 : n != (ssize_t)out->len ? error_set(err, ERROR_INTERNAL, "a cut report") : 0;
}

static int pour(struct errand *e, int64_t until, struct error *err)
{
    while (e->write && e->poured < until) {
        int64_t left = until - e->poured;
        ssize_t n = pread(e->file, e->room, left < CHUNK ? (size_t)left : CHUNK, e->poured);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? error_errno(err, errno, "read what came")
                         : error_set(err, ERROR_DATA_LOSS, "what came is cut off");
        if (e->write(e->sink, e->room, (size_t)n, err) < 0)
            return -1;
        e->poured += n;
    }
    return 0;
}

/* Until it is done; out_result may be NULL. */
static int follow(struct errand *e, struct json_object **out_result, struct error *err)
{
    char body[ERRAND_REPORT_MAX];

    for (;;) {
        struct errand_report report;

        if (read_report(e, &report, body, err) < 0)
            return -1;
        if (report.state != ERRAND_FAILED && pour(e, report.received, err) < 0)
            return -1;
        if (report.state == ERRAND_MOVED)
            continue;
        JSON_AUTO *result = json_parse(body, report.len, err);
        if (!result)
            return -1;
        if (report.state != ERRAND_DONE) {
            errand_failure_decode(result, err);
            return -1;
        }
        if (out_result)
            *out_result = TAKE(result);
        return 0;
    }
}

/* --- small things --- */

static int read_file(int file, struct buf *out, struct error *err)
{
    struct stat st;
    char *at;
    ssize_t n;

    if (fstat(file, &st) < 0 || lseek(file, 0, SEEK_SET) < 0)
        return error_errno(err, errno, "look at what came");
    if (st.st_size > MANIFEST_BYTES_MAX)
        return error_set(err, ERROR_EXHAUSTED, "it has more than %d bytes", MANIFEST_BYTES_MAX);
    if (st.st_size == 0)
        return 0;
    at = buf_reserve(out, (size_t)st.st_size, err);
    n = at ? fd_read_full(file, at, (size_t)st.st_size, err) : -1;
    if (n < 0)
        return -1;
    buf_added(out, (size_t)n);
    return 0;
}

static int run_small(int socket, enum errand_kind kind, const struct descriptor *d, struct buf *out,
                     struct json_object **out_result, struct error *err)
{
    AUTO_CLOSE int file = memfd_create("answer", MFD_CLOEXEC);
    struct errand e = {.file = file, .reports = -1, .size = d ? d->size : -1};
    int result;

    if (file < 0)
        return error_errno(err, errno, "make room for an answer");
    result = begin(socket, kind, d, 0, &e, err);
    if (result == 0)
        result = follow(&e, out_result, err);
    fd_close(&e.reports);
    return result < 0 ? -1 : read_file(file, out, err);
}

int errand_resolve(int socket, struct descriptor *out, struct buf *body, struct error *err)
{
    JSON_AUTO *result = NULL;

    if (run_small(socket, ERRAND_RESOLVE, NULL, body, &result, err) < 0 ||
        descriptor_decode(result, out, err) < 0)
        return -1;
    return body->len ? sha_verify(out->digest, body->data, body->len, err) : 0;
}

int errand_load(int socket, const struct descriptor *d, struct buf *out, struct error *err)
{
    enum media_type type = media_type_of(d->media_type);
    bool manifest = type == MEDIA_TYPE_MANIFEST || type == MEDIA_TYPE_INDEX;

    if (run_small(socket, manifest ? ERRAND_MANIFEST : ERRAND_BLOB, d, out, NULL, err) < 0)
        return -1;
    return sha_verify(d->digest, out->data ? out->data : "", out->len, err);
}

/* --- blobs --- */

static int run(int socket, const struct descriptor *d, struct errand *e, int64_t kept,
               struct error *err)
{
    int result = begin(socket, ERRAND_BLOB, d, kept, e, err);

    if (result == 0)
        result = follow(e, NULL, err);
    fd_close(&e->reports);
    return result;
}

/* What an earlier run left is unpacked only once all of it turned out to be right: this run cannot
 * take back what it has unpacked. 1 when it was not right and has been thrown away. */
static int go_on(int socket, const struct descriptor *d, struct part *part, struct errand *e,
                 struct error *err)
{
    unpack_write *write = e->write;
    int result;

    e->write = NULL;
    result = run(socket, d, e, part->kept, err);
    e->write = write;
    if (result == 0)
        return pour(e, d->size, err);
    if (err->code != ERROR_PRECONDITION)
        return -1;
    return part_empty(part, err) < 0 ? -1 : 1;
}

int errand_fetch(int socket, const struct descriptor *d, struct part *part, unpack_write *write,
                 void *sink, struct error *err)
{
    AUTO_FREE char *room = xmalloc(CHUNK);
    struct errand e = {.file = part->fd,
                       .reports = -1,
                       .size = d->size,
                       .write = write,
                       .sink = sink,
                       .room = room};
    int result = part->kept > 0 ? go_on(socket, d, part, &e, err) : 1;

    return result == 1 ? run(socket, d, &e, 0, err) : result;
}
