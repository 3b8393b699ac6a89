// SPDX-License-Identifier: Apache-2.0
#include "shim/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "shim/attachment.h"

static const char *const stream_names[] = {"stdin", "stdout", "stderr"};

static const char *log_path(const char *text)
{
    static const char scheme[] = "cri-log://";

    return strncmp(text, scheme, sizeof scheme - 1) == 0 ? text + sizeof scheme - 1 : NULL;
}

static void on_log_resumed(struct log_file *f)
{
    attachment_resume(LIST_OF(f, struct streams, log));
}

void streams_init(struct streams *s, struct poller *p)
{
    *s = (struct streams){.poller = p,
                          .child = {-1, -1, -1},
                          .held = -1,
                          .master = -1,
                          .console = {.listener = -1},
                          .log = LOG_FILE_NONE};
    s->log.resumed = on_log_resumed;
    list_init(&s->attachments);
    for (int i = 0; i < 2; i++) {
        output_init(&s->outputs[i], &s->log, stream_names[i + 1], 0);
        relay_init(&s->relays[i]);
    }
}

bool streams_is_drained(const struct streams *s)
{
    return !output_is_open(&s->outputs[0]) && !output_is_open(&s->outputs[1]) &&
           !relay_is_open(&s->relays[1]);
}

bool streams_is_stuck(const struct streams *s)
{
    return log_file_is_stuck(&s->log);
}

bool streams_is_behind(const struct streams *s)
{
    for (int i = 0; i < 2; i++)
        if (output_is_open(&s->outputs[i]) && s->outputs[i].source.fd < 0 && !streams_is_stuck(s))
            return true;
    return relay_is_behind(&s->relays[1]);
}

static void on_output_ended(struct streams *s)
{
    if (streams_is_drained(s) && s->ended)
        s->ended(s);
}

static void on_stdout_ended(struct output *o)
{
    on_output_ended(LIST_OF(o, struct streams, outputs[0]));
}

static void on_stderr_ended(struct output *o)
{
    on_output_ended(LIST_OF(o, struct streams, outputs[1]));
}

static void on_stdout_heard(struct output *o, const char *data, size_t len)
{
    attachment_feed(LIST_OF(o, struct streams, outputs[0]), 0, data, len);
}

static void on_stderr_heard(struct output *o, const char *data, size_t len)
{
    attachment_feed(LIST_OF(o, struct streams, outputs[1]), 1, data, len);
}

static void on_stdin_relayed(struct relay *r)
{
    (void)r; /* a terminal is not closed by the end of its input */
}

static void on_stdout_relayed(struct relay *r)
{
    on_output_ended(LIST_OF(r, struct streams, relays[1]));
}

int streams_take_passed(const struct streams_spec *spec, const char *text, struct error *err)
{
    static const char scheme[] = "fd://";
    const char *digit = text + sizeof scheme - 1;

    if (strncmp(text, scheme, sizeof scheme - 1) != 0 || digit[0] < '0' || digit[0] > '9' ||
        digit[1] != '\0')
        return error_set(err, ERROR_INVALID, "\"%.200s\" names no stream", text);
    if ((size_t)(*digit - '0') >= spec->n_fds || spec->fds[*digit - '0'] < 0)
        return error_set(err, ERROR_INVALID, "%s did not come with the request", text);
    return fd_take(&spec->fds[*digit - '0']);
}

static bool is_heard(const char *text)
{
    return strcmp(text, "hear") == 0;
}

static int open_log(struct streams *s, const char *path, struct error *err)
{
    if (!s->log.path)
        return log_file_open(&s->log, path, err);
    if (strcmp(s->log.path, path) != 0)
        return error_set(err, ERROR_INVALID, "both outputs are to be in one log file");
    return 0;
}

/* The shim's end of a pipe goes into the log, and to those who are attached. */
static int log_output(struct streams *s, int which, const struct streams_spec *spec, int fd,
                      struct error *err)
{
    struct output *o = &s->outputs[which - 1];

    output_init(o, &s->log, stream_names[which], spec->line_max);
    o->ended = which == 1 ? on_stdout_ended : on_stderr_ended;
    o->heard = which == 1 ? on_stdout_heard : on_stderr_heard;
    return output_start(o, s->poller, fd, err);
}

/* A process in a user namespace could not open the pipes of the node's root by their names, which
 * is what /dev/stdout is. */
static int give_away(const struct streams_spec *spec, int fd, struct error *err)
{
    struct stat st;

    if (spec->uid == 0 && spec->gid == 0)
        return 0;
    if (fstat(fd, &st) < 0 || (S_ISFIFO(st.st_mode) && fchown(fd, spec->uid, spec->gid) < 0))
        return error_errno(err, errno, "give a pipe to user %u and group %u", spec->uid, spec->gid);
    return 0;
}

/* For the process. */
static int take_passed(struct streams *s, int which, const struct streams_spec *spec,
                       const char *text, struct error *err)
{
    s->child[which] = streams_take_passed(spec, text, err);
    return s->child[which] < 0 ? -1 : give_away(spec, s->child[which], err);
}

static int open_pipe(const struct streams_spec *spec, int *out_read, int *out_write,
                     struct error *err)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_errno(err, errno, "make a pipe");
    *out_read = ends[0];
    *out_write = ends[1];
    return give_away(spec, ends[1], err);
}

static int open_output(struct streams *s, int which, const struct streams_spec *spec,
                       struct error *err)
{
    const char *text = which == 1 ? spec->out : spec->err, *path = log_path(text);
    AUTO_CLOSE int from = -1;

    if (!*text)
        return 0;
    if (!path && !is_heard(text))
        return take_passed(s, which, spec, text, err);
    if (path && open_log(s, path, err) < 0)
        return -1;
    if (open_pipe(spec, &from, &s->child[which], err) < 0)
        return -1;
    if (log_output(s, which, spec, from, err) < 0)
        return -1;
    fd_take(&from);
    return 0;
}

static int open_input(struct streams *s, const struct streams_spec *spec, struct error *err)
{
    if (!*spec->in)
        return 0;
    if (strcmp(spec->in, "hold") == 0)
        return open_pipe(spec, &s->child[0], &s->held, err);
    return take_passed(s, 0, spec, spec->in, err);
}

static int open_null(struct error *err)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    return fd < 0 ? error_errno(err, errno, "open /dev/null") : fd;
}

/* What the terminal is connected to waits in child[] until there is a terminal. */
static int open_terminal(struct streams *s, const struct streams_spec *spec, struct error *err)
{
    const char *path = log_path(spec->out);

    if (path && open_log(s, path, err) < 0)
        return -1;
    if (!path && !is_heard(spec->out)) {
        s->child[1] = *spec->out ? streams_take_passed(spec, spec->out, err) : open_null(err);
        if (s->child[1] < 0)
            return -1;
    }
    if (*spec->in && strcmp(spec->in, "hold") != 0 &&
        (s->child[0] = streams_take_passed(spec, spec->in, err)) < 0)
        return -1;
    log_framer_init(&s->outputs[0].framer, spec->line_max);
    return console_open(&s->console, err);
}

int streams_open(struct streams *s, const struct streams_spec *spec, struct error *err)
{
    s->has_terminal = spec->has_terminal;
    if (spec->has_terminal)
        return open_terminal(s, spec, err);
    if (open_input(s, spec, err) < 0 || open_output(s, 1, spec, err) < 0 ||
        open_output(s, 2, spec, err) < 0)
        return -1;
    return 0;
}

static int copy_master(const struct streams *s, struct error *err)
{
    int fd = fcntl(s->master, F_DUPFD_CLOEXEC, 3);

    if (fd < 0)
        error_errno(err, errno, "copy a descriptor");
    return fd;
}

static int start_terminal(struct streams *s, struct error *err)
{
    AUTO_CLOSE int copy = -1;

    s->master = console_take(&s->console, err);
    if (s->master < 0)
        return -1;
    if (s->child[0] >= 0) {
        int to = copy_master(s, err);

        s->relays[0].ended = on_stdin_relayed;
        if (to < 0 || relay_start(&s->relays[0], s->poller, fd_take(&s->child[0]), to, err) < 0)
            return -1;
    }
    if (s->child[1] >= 0) {
        int from = copy_master(s, err);

        s->relays[1].ended = on_stdout_relayed;
        if (from < 0 || relay_start(&s->relays[1], s->poller, from, fd_take(&s->child[1]), err) < 0)
            return -1;
        return 0;
    }
    copy = copy_master(s, err);
    s->outputs[0].ended = on_stdout_ended;
    s->outputs[0].heard = on_stdout_heard;
    if (copy < 0 || output_start(&s->outputs[0], s->poller, copy, err) < 0)
        return -1;
    fd_take(&copy);
    return 0;
}

int streams_started(struct streams *s, struct error *err)
{
    if (s->has_terminal)
        return start_terminal(s, err);
    for (int i = 0; i < 3; i++)
        fd_close(&s->child[i]);
    return 0;
}

void streams_close_in(struct streams *s)
{
    fd_close(&s->held);
    relay_stop(&s->relays[0]);
}

int streams_resize(struct streams *s, unsigned width, unsigned height, struct error *err)
{
    if (s->master < 0)
        return error_set(err, ERROR_PRECONDITION, "the process has no terminal");
    return console_resize(s->master, width, height, err);
}

static void flush_outputs(void *data)
{
    struct streams *s = data;

    for (int i = 0; i < 2; i++)
        output_flush(&s->outputs[i]);
}

int streams_reopen_log(struct streams *s, struct error *err)
{
    if (!s->log.path)
        return error_set(err, ERROR_PRECONDITION, "the container has no log file");
    return log_file_reopen(&s->log, flush_outputs, s, err);
}

void streams_close(struct streams *s)
{
    attachment_close_all(s);
    for (int i = 0; i < 2; i++) {
        output_stop(&s->outputs[i]);
        relay_stop(&s->relays[i]);
    }
    for (int i = 0; i < 3; i++)
        fd_close(&s->child[i]);
    fd_close(&s->held);
    fd_close(&s->master);
    console_close(&s->console);
    log_file_close(&s->log);
}
