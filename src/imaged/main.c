// SPDX-License-Identifier: Apache-2.0
/* berth-image: pulls or imports images for berthd, which starts it once per job and reads what
 * strangers send only through it. docs/image-protocol.md says what goes in and out. */
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/own.h"
#include "imaged/event.h"
#include "imaged/job.h"

enum { JOB_BYTES_MAX = 1024 * 1024, READ_SIZE = 16 * 1024 };

static int read_job(struct buf *out, struct error *err)
{
    for (;;) {
        char *at = buf_reserve(out, READ_SIZE, err);
        ssize_t n = at ? read(STDIN_FILENO, at, READ_SIZE) : -1;

        if (n < 0)
            return error_set(err, ERROR_INVALID, "the job cannot be read");
        if (n == 0)
            return 0;
        buf_added(out, (size_t)n);
    }
}

/* Many layers, deep folders. */
static void raise_limits(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

static int run(struct error *err)
{
    AUTO_FINI(buf) text = BUF(JOB_BYTES_MAX);
    JSON_AUTO *job = NULL;

    if (read_job(&text, err) < 0)
        return -1;
    job = json_parse(text.data, text.len, err);
    if (!job)
        return error_wrap(err, "job");
    return job_run(job, err);
}

int main(void)
{
    struct error err = {0};

    umask(0);
    raise_limits();
    event_open(STDOUT_FILENO);
    if (run(&err) == 0)
        return EXIT_SUCCESS;
    log_error("%s", err.text);
    event_error(&err);
    return EXIT_FAILURE;
}
