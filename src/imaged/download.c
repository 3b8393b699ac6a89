// SPDX-License-Identifier: Apache-2.0
#include "imaged/download.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "imaged/sha.h"
#include "imaged/stop.h"

enum { KEPT_CHUNK = 256 * 1024 };

struct download {
    const struct descriptor *descriptor;
    const struct registry_sink *sink;
    struct sha *sha;
    int64_t received; /* bytes the sink has */
    int64_t skip;     /* bytes to come that it has already */
    bool begun;       /* this answer's first bytes were looked at */
    bool misplaced;   /* this answer starts elsewhere than asked for */
};

struct download *download_new(const struct descriptor *d, const struct registry_sink *sink)
{
    struct download *dl = xcalloc(1, sizeof *dl);

    dl->descriptor = d;
    dl->sink = sink;
    dl->sha = sha_new(digest_algorithm_of(d->digest));
    return dl;
}

void download_free(struct download *dl)
{
    if (!dl)
        return;
    sha_free(dl->sha);
    free(dl);
}

int download_go_on(struct download *dl, struct error *err)
{
    int64_t kept = dl->sink->kept, size = dl->descriptor->size;
    AUTO_FREE char *bytes = kept > 0 ? xmalloc(KEPT_CHUNK) : NULL;

    if (kept > size)
        return error_set(err, ERROR_PRECONDITION, "%lld bytes were kept of %lld", (long long)kept,
                         (long long)size);
    while (dl->received < kept) {
        int64_t left = kept - dl->received;
        ssize_t n = pread(dl->sink->kept_fd, bytes, left < KEPT_CHUNK ? (size_t)left : KEPT_CHUNK,
                          dl->received);

        if (n <= 0)
            return n < 0 ? error_errno(err, errno, "read what was kept")
                         : error_set(err, ERROR_PRECONDITION, "what was kept is cut off");
        sha_add(dl->sha, bytes, (size_t)n);
        dl->received += n;
        if (stop_check(err) < 0)
            return -1;
    }
    return kept == size ? 0 : 1;
}

/* Where the answer's bytes belong. A host may ignore Range and send all. */
static int begin(struct download *dl, const struct http_answer *answer, struct error *err)
{
    int64_t start = 0;

    if (answer->status == 206)
        start = answer->range_start >= 0 ? answer->range_start : dl->received;
    if (start > dl->received || (answer->status == 206 && start != dl->received)) {
        dl->misplaced = true;
        return error_set(err, ERROR_PRECONDITION,
                         "asked for bytes from %lld on, the answer begins at %lld",
                         (long long)dl->received, (long long)start);
    }
    dl->begun = true;
    dl->skip = dl->received - start;
    return 0;
}

static int on_body(void *data, const struct http_answer *answer, const void *bytes, size_t len,
                   struct error *err)
{
    struct download *dl = data;
    size_t skipped;

    if (!dl->begun && begin(dl, answer, err) < 0)
        return -1;
    skipped = dl->skip < (int64_t)len ? (size_t)dl->skip : len;
    dl->skip -= (int64_t)skipped;
    bytes = (const char *)bytes + skipped;
    len -= skipped;
    if (len == 0)
        return 0;
    if ((int64_t)len > dl->descriptor->size - dl->received)
        return error_set(err, ERROR_PRECONDITION, "it is longer than the %lld bytes stated",
                         (long long)dl->descriptor->size);
    sha_add(dl->sha, bytes, len);
    if (dl->sink->write(dl->sink->data, bytes, len, err) < 0)
        return -1;
    dl->received += (int64_t)len;
    if (dl->sink->progress)
        dl->sink->progress(dl->sink->data, dl->received, dl->descriptor->size);
    return 0;
}

/* 1 when the connection broke before the end. */
static int once(struct download *dl, struct endpoint *e, const struct endpoint_request *request,
                struct download_failure *out, struct error *err)
{
    struct endpoint_request r = *request;
    AUTO_FINI(http_answer) answer = {0};
    int done;

    dl->begun = false;
    dl->misplaced = false;
    r.method = "GET";
    r.offset = dl->received;
    r.body = on_body;
    r.data = dl;
    done = endpoint_perform(e, &r, &answer, err);
    *out = (struct download_failure){.fault = answer.fault, .status = answer.status};
    if (dl->misplaced)
        out->fault = HTTP_FAULT_OTHER; /* of this host's making: another may do better */
    /* How a connection ends does not matter once all is there. */
    if (dl->received == dl->descriptor->size && out->fault != HTTP_FAULT_BODY)
        return 0;
    if (done < 0)
        return answer.fault == HTTP_FAULT_BROKEN ? 1 : -1;
    if (answer.status / 100 != 2)
        return endpoint_refused(e, &answer, err);
    error_set(err, ERROR_UNAVAILABLE, "%s ended after %lld of %lld bytes", e->host->authority,
              (long long)dl->received, (long long)dl->descriptor->size);
    out->fault = HTTP_FAULT_BROKEN;
    return 1;
}

int download_from(struct download *dl, struct endpoint *e, const struct endpoint_request *request,
                  struct download_failure *out, struct error *err)
{
    int stalls = 0;

    while (stalls < DOWNLOAD_STALLS_MAX) {
        int64_t before = dl->received;
        int broke = once(dl, e, request, out, err);

        if (broke <= 0)
            return broke;
        stalls = dl->received > before ? 0 : stalls + 1;
    }
    return -1;
}

int download_verify(struct download *dl, struct error *err)
{
    char digest[DIGEST_SIZE];

    sha_finish(dl->sha, digest);
    if (strcmp(digest, dl->descriptor->digest) != 0)
        return error_set(err, ERROR_PRECONDITION,
                         "unexpected commit digest: the bytes have %s, stated is %s", digest,
                         dl->descriptor->digest);
    return 0;
}
