// SPDX-License-Identifier: Apache-2.0
#include "image/image_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/own.h"
#include "os/process.h"

/* A line carries at most an image's configuration, which berth-image bounds at 4 MiB. */
enum { LINE_MAX_BYTES = 8 * 1024 * 1024, CHUNK = 16 * 1024 };

static int one_event(const struct image_worker *w, const char *line, size_t len, struct error *err)
{
    JSON_AUTO *event = json_parse(line, len, err);
    const char *kind = json_get_str(event, "event");

    if (!event || !kind)
        return error_set(err, ERROR_INTERNAL, "berth-image: a line that is no event");
    if (strcmp(kind, "error") == 0) {
        const char *message = json_get_str(event, "message");
        int64_t code = json_get_int(event, "code", ERROR_UNKNOWN);

        return error_set(err, code > 0 && code <= 16 ? (enum error_code)code : ERROR_UNKNOWN, "%s",
                         message ? message : "berth-image gave no reason");
    }
    return w->each(w->data, event, err);
}

static int each_line(const struct image_worker *w, struct buf *lines, struct error *err)
{
    char *end;

    while (lines->len && (end = memchr(lines->data, '\n', lines->len))) {
        size_t len = (size_t)(end - lines->data);

        if (one_event(w, lines->data, len, err) < 0)
            return -1;
        buf_consume(lines, len + 1);
    }
    return 0;
}

static int read_events(const struct image_worker *w, int fd, const struct deadline *by,
                       struct error *err)
{
    AUTO_FINI(buf) lines = BUF(LINE_MAX_BYTES);

    for (;;) {
        char *at = buf_reserve(&lines, CHUNK, err);
        ssize_t n;

        if (!at || deadline_wait(by, fd, POLLIN, err) < 0)
            return -1;
        n = read(fd, at, CHUNK);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(err, errno, "read from berth-image");
        if (n == 0)
            return 0;
        buf_added(&lines, (size_t)n);
        if (each_line(w, &lines, err) < 0)
            return -1;
    }
}

static int start(const struct image_worker *w, struct process *p, int *out_events,
                 struct error *err)
{
    const char *const argv[] = {w->program, NULL};
    struct process_spec spec = PROCESS_SPEC(argv);
    const char *job = json_text(w->job);
    AUTO_CLOSE int in_r = -1, in_w = -1, out_r = -1, out_w = -1;
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_errno(err, errno, "pipe");
    in_r = ends[0], in_w = ends[1];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_errno(err, errno, "pipe");
    out_r = ends[0], out_w = ends[1];
    spec.stdio[0] = in_r;
    spec.stdio[1] = out_w;
    spec.stdio[2] = STDERR_FILENO;
    spec.extra_fd = w->output ? w->output : -1;
    if (process_start(&spec, p, err) < 0)
        return -1;
    fd_close(&in_r);
    if (fd_write_all(in_w, job, strlen(job), err) < 0) {
        process_kill(p);
        return error_wrap(err, "give berth-image its job");
    }
    *out_events = fd_take(&out_r);
    return 0;
}

int image_worker_run(const struct image_worker *w, const struct deadline *by, struct error *err)
{
    struct process p = {.pidfd = -1};
    AUTO_CLOSE int events = -1;
    int status = 0;

    if (start(w, &p, &events, err) < 0)
        return -1;
    if (read_events(w, events, by, err) < 0) {
        process_kill(&p);
        return -1;
    }
    if (process_wait(&p, by, &status, err) < 0) {
        process_kill(&p);
        return -1;
    }
    if (status != 0)
        return error_set(err, ERROR_INTERNAL, "berth-image ended with status %d", status);
    return 0;
}
