// SPDX-License-Identifier: Apache-2.0
#include "ctl/follow.h"

#include <poll.h>

#include "base/fd.h"
#include "ctl/log_file.h"
#include "ctl/log_parser.h"

/* How often the daemon is asked whether the container has ended: soon at first, then rarely. */
enum {
    STATUS_ARENA_MAX = 16 * 1024 * 1024,
    ASK_FIRST_MS = 5,
    ASK_LAST_MS = 320,
    CHUNK = 64 * 1024
};

struct follow {
    const char *id; /* of the container, in the arena of whoever opened this */
    struct log_file *file;
    struct log_parser parser;
    struct error *err; /* for emit() */
    bool failed;
};

static void emit(void *data, bool is_stderr, const char *text, size_t len)
{
    struct follow *f = data;

    if (!f->failed)
        f->failed = fd_write_all(is_stderr ? STDERR_FILENO : STDOUT_FILENO, text, len, f->err) < 0;
}

int follow_print(struct follow *f, struct error *err)
{
    AUTO_FREE char *chunk = xmalloc(CHUNK);
    ssize_t n;

    f->err = err;
    while ((n = log_file_read(f->file, chunk, CHUNK, err)) > 0) {
        log_parser_feed(&f->parser, chunk, (size_t)n, emit, f);
        if (f->failed)
            return -1;
    }
    return (int)n;
}

static const Runtime__V1__ContainerStatus *ask(struct ctl *c, struct arena *a, const char *id,
                                               struct error *err)
{
    Runtime__V1__ContainerStatusRequest request = RUNTIME__V1__CONTAINER_STATUS_REQUEST__INIT;
    const Runtime__V1__ContainerStatusResponse *response;

    request.container_id = arena_strdup(a, id);
    response = ctl_runtime(c, a, "ContainerStatus", &request, err);
    if (response && !response->status)
        error_set(err, ERROR_INTERNAL, "berthd gave no status of container %s: look at its log",
                  id);
    return response ? response->status : NULL;
}

struct follow *follow_open(struct ctl *c, const char *container_id, struct error *err)
{
    const Runtime__V1__ContainerStatus *status = ask(c, &c->arena, container_id, err);
    struct log_file *file = NULL;
    struct follow *f;

    if (status && !*status->log_path)
        error_set(err, ERROR_PRECONDITION, "container %.12s was made without a log file",
                  container_id);
    else if (status)
        file = log_file_open(status->log_path, err);
    if (!file)
        return NULL;
    f = xcalloc(1, sizeof *f);
    f->id = arena_strdup(&c->arena, container_id);
    f->file = file;
    return f;
}

int follow_skip(struct follow *f, int64_t lines, struct error *err)
{
    return log_file_skip(f->file, lines, err);
}

void follow_free(struct follow *f)
{
    if (f)
        log_file_free(f->file);
    free(f);
}

/* Whether the container has ended; then all it wrote is in the log already. */
static int has_ended(struct ctl *c, const char *id, int *out_exit_code, struct error *err)
{
    struct arena arena;
    const Runtime__V1__ContainerStatus *status;
    int ended = -1;

    arena_init(&arena, STATUS_ARENA_MAX);
    status = ask(c, &arena, id, err);
    if (status) {
        ended = status->state != RUNTIME__V1__CONTAINER_STATE__CONTAINER_CREATED &&
                status->state != RUNTIME__V1__CONTAINER_STATE__CONTAINER_RUNNING;
        if (ended && out_exit_code)
            *out_exit_code = status->exit_code;
    }
    arena_fini(&arena);
    return ended;
}

static bool is_cancelled(const struct ctl *c)
{
    struct pollfd p = {.fd = c->cancel_fd, .events = POLLIN};

    return poll(&p, 1, 0) > 0;
}

int follow_until_exit(struct follow *f, struct ctl *c, int *out_exit_code, struct error *err)
{
    int interval_ms = ASK_FIRST_MS, ended = 0;

    while (ended == 0) {
        if (is_cancelled(c))
            return error_set(err, ERROR_CANCELLED, "interrupted");
        ended = has_ended(c, f->id, out_exit_code, err);
        if (ended < 0 || follow_print(f, err) < 0)
            return -1;
        if (ended == 0)
            log_file_wait(f->file, c->cancel_fd, interval_ms);
        interval_ms = interval_ms < ASK_LAST_MS ? interval_ms * 2 : interval_ms;
    }
    return 0;
}
