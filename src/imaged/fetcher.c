// SPDX-License-Identifier: Apache-2.0
#include "imaged/fetcher.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"
#include "image/manifest.h"
#include "imaged/errand_message.h"
#include "imaged/sandbox.h"

/* What resolving names and trusting certificates reads. */
static const char *const system_paths[] = {
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/ssl",
    "/etc/pki",
    "/etc/crypto-policies",
    "/etc/ca-certificates",
    "/etc/ld.so.cache",
    "/usr/lib",
    "/usr/lib64",
    "/lib",
    "/lib64",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/run/systemd/resolve",
    "/run/nscd",
    "/dev/urandom",
};

enum { REPORT_BYTES = 256 * 1024, REPORT_MS = 50 };

/* One errand on its thread. */
struct errand_job {
    struct registry *registry; /* NULL: why says why */
    const struct error *why;
    struct errand_request asked;
    int64_t written;
    int64_t reported;
    int64_t reported_ns;
    int file;
    int reports;
};

static void job_free(struct errand_job *j)
{
    errand_request_fini(&j->asked);
    fd_close(&j->file);
    fd_close(&j->reports);
    free(j);
}

static int report(const struct errand_job *j, enum errand_state state, struct json_object *body,
                  struct error *err)
{
    const char *text = body ? json_text(body) : "";
    struct errand_report head = {state, (uint32_t)strlen(text), j->written};

    if (head.len > ERRAND_REPORT_MAX)
        return error_set(err, ERROR_INTERNAL, "a report too long");
    if (fd_write_all(j->reports, &head, sizeof head, err) < 0)
        return -1;
    return fd_write_all(j->reports, text, head.len, err);
}

/* Bytes come in small pieces, and each report wakes a thread of the other process. */
static int report_progress(struct errand_job *j, struct error *err)
{
    int64_t now_ns = clock_monotonic_ns();

    if (j->written - j->reported < REPORT_BYTES &&
        now_ns - j->reported_ns < REPORT_MS * CLOCK_NS_PER_MS)
        return 0;
    j->reported = j->written;
    j->reported_ns = now_ns;
    return report(j, ERRAND_MOVED, NULL, err);
}

static int keep(void *data, const void *bytes, size_t len, struct error *err)
{
    struct errand_job *j = data;
    const char *at = bytes;

    while (len > 0) {
        ssize_t n = pwrite(j->file, at, len, j->written);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(err, errno, "write what came");
        at += n;
        len -= (size_t)n;
        j->written += n;
    }
    return report_progress(j, err);
}

static int fetch_blob(struct errand_job *j, struct error *err)
{
    const struct registry_sink sink = {
        .write = keep, .data = j, .kept = j->asked.kept, .kept_fd = j->file};

    j->written = j->asked.kept;
    return registry_fetch_blob(j->registry, &j->asked.descriptor, &sink, err);
}

static int fetch_manifest(struct errand_job *j, struct error *err)
{
    AUTO_FINI(buf) body = BUF(MANIFEST_BYTES_MAX);

    if (registry_get_manifest(j->registry, &j->asked.descriptor, &body, err) < 0)
        return -1;
    return fd_write_all(j->file, body.data, body.len, err);
}

/* What was asked was perhaps not meant to be asked, or not so. */
static int tell_unused(const struct registry *registry, struct error *err)
{
    AUTO_FINI(strv) unused = {0};

    registry_unused(registry, &unused);
    for (size_t i = 0; i < unused.len; i++) {
        const struct error bare = *err;

        error_set(err, bare.code, "%s (%s)", bare.text, unused.items[i]);
        err->errnum = bare.errnum;
    }
    return -1;
}

static int resolve(struct errand_job *j, struct json_object *result, struct error *err)
{
    AUTO_FINI(descriptor) found = {0};
    AUTO_FINI(buf) body = BUF(MANIFEST_BYTES_MAX);

    if (registry_resolve(j->registry, &found, &body, err) < 0)
        return tell_unused(j->registry, err);
    json_add_str(result, "digest", found.digest);
    json_add_str(result, "mediaType", found.media_type);
    json_add_int(result, "size", found.size);
    return body.len ? fd_write_all(j->file, body.data, body.len, err) : 0;
}

static int do_errand(struct errand_job *j, struct json_object *result, struct error *err)
{
    if (!j->registry) {
        *err = *j->why;
        return -1;
    }
    switch (j->asked.kind) {
    case ERRAND_RESOLVE:
        return resolve(j, result, err);
    case ERRAND_MANIFEST:
        return fetch_manifest(j, err);
    case ERRAND_BLOB:
        return fetch_blob(j, err);
    }
    return error_set(err, ERROR_INTERNAL, "an errand of no kind");
}

/* Who asked may have gone. */
static void tell_end(const struct errand_job *j, enum errand_state state, struct json_object *body)
{
    struct error unheard;

    if (report(j, state, body, &unheard) < 0)
        return;
}

static void *run_errand(void *data)
{
    struct errand_job *j = data;
    JSON_AUTO *result = json_object_new_object(), *failure = NULL;
    struct error err = {0};

    if (do_errand(j, result, &err) < 0)
        failure = errand_failure_encode(&err);
    tell_end(j, failure ? ERRAND_FAILED : ERRAND_DONE, failure ? failure : result);
    job_free(j);
    return NULL;
}

/* --- taking requests --- */

/* NULL at the end of all requests. */
static struct errand_job *receive(int socket, char room[static ERRAND_REQUEST_MAX])
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(2 * sizeof(int))];
    } control = {0};
    struct iovec bytes = {room, ERRAND_REQUEST_MAX};
    struct msghdr message = {.msg_iov = &bytes,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    struct errand_job *j = NULL;
    struct error err;
    ssize_t n;

    do
        n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n <= 0 || message.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ||
        control.head.cmsg_len != CMSG_LEN(2 * sizeof(int)))
        return NULL;
    j = xcalloc(1, sizeof *j);
    memcpy(&j->file, CMSG_DATA(&control.head), sizeof(int));
    memcpy(&j->reports, CMSG_DATA(&control.head) + sizeof(int), sizeof(int));
    if (errand_request_decode(room, (size_t)n, &j->asked, &err) < 0) {
        job_free(j);
        return NULL;
    }
    return j;
}

static void serve(int socket, struct registry *registry, const struct error *why)
{
    AUTO_FREE char *room = xmalloc(ERRAND_REQUEST_MAX);
    struct errand_job *j;

    while ((j = receive(socket, room))) {
        pthread_t thread;

        j->registry = registry;
        j->why = why;
        if (pthread_create(&thread, NULL, run_errand, j) == 0)
            pthread_detach(thread);
        else
            job_free(j);
    }
}

/* --- the process --- */

int fetcher_enter_sandbox(struct error *err)
{
    struct sandbox_path paths[COUNT_OF(system_paths)];
    struct sandbox sandbox = {.paths = paths, .network = true};

    for (size_t i = 0; i < COUNT_OF(system_paths); i++)
        paths[sandbox.n_paths++] = (struct sandbox_path){system_paths[i], false};
    return sandbox_enter(&sandbox, err);
}

static _Noreturn void become_fetcher(const struct registry_options *options, int socket,
                                     pid_t parent)
{
    struct error why = {0};
    struct registry *registry = NULL;

    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_NAME, "berth-fetch");
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
        _exit(EXIT_FAILURE);
    if (registry_global_init(&why) == 0)
        registry = registry_open(options, &why);
    if (fetcher_enter_sandbox(&why) < 0)
        registry = NULL;
    serve(socket, registry, &why);
    _exit(EXIT_SUCCESS);
}

int fetcher_start(const struct registry_options *options, struct fetcher *out, struct error *err)
{
    pid_t parent = getpid(), pid;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return error_errno(err, errno, "make a pair of sockets");
    AUTO_CLOSE int ours = ends[0], theirs = ends[1];
    pid = fork();
    if (pid < 0)
        return error_errno(err, errno, "fork");
    if (pid == 0) {
        fd_close(&ours);
        become_fetcher(options, fd_take(&theirs), parent);
    }
    *out = (struct fetcher){fd_take(&ours), pid};
    return 0;
}

void fetcher_end(struct fetcher *f)
{
    fd_close(&f->socket);
    while (f->pid > 0 && waitpid(f->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    f->pid = 0;
}
