// SPDX-License-Identifier: Apache-2.0
#include "imaged/http_client.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/file.h"
#include "imaged/key_pairs.h"

enum { IDLE_HANDLES_MAX = 16, CA_BYTES_MAX = 16 << 20, RECEIVE_BUFFER = 128 << 10 };

struct http_client {
    struct buf ca;           /* empty: those of the system, by curl's own ways */
    struct key_pairs *pairs; /* or NULL */
    bool skip_verify;
    int64_t connect_timeout_ms;
    int64_t idle_timeout_ms;
    pthread_mutex_t lock; /* of what is below */
    CURL *idle[IDLE_HANDLES_MAX];
    size_t idle_len;
};

static int load_file(struct http_client *c, int dir, const char *name, struct error *err)
{
    return buf_append(&c->ca, "\n", 1, err) < 0 ? -1 : file_load(dir, name, &c->ca, err);
}

static int is_certificate(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');

    return dot && (strcmp(dot, ".crt") == 0 || strcmp(dot, ".pem") == 0);
}

/* All certificates of a folder. */
static int load_folder(struct http_client *c, int dir, struct error *err)
{
    struct dirent **entries = NULL;
    int n = scandirat(dir, ".", &entries, is_certificate, alphasort), done = 0;

    if (n < 0)
        return error_errno(err, errno, "list");
    for (int i = 0; i < n; i++) {
        if (done == 0 && load_file(c, dir, entries[i]->d_name, err) < 0)
            done = error_wrap(err, "%s", entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return done;
}

static int load_authority(struct http_client *c, const char *path, struct error *err)
{
    AUTO_CLOSE int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return dir < 0 ? load_file(c, AT_FDCWD, path, err) : load_folder(c, dir, err);
}

/* curl takes one bundle instead of the system's, so make one of both. */
static int load_ca(struct http_client *c, const struct strv *files, struct error *err)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    struct error ignored;

    if (info->cainfo && file_load(AT_FDCWD, info->cainfo, &c->ca, &ignored) < 0)
        c->ca.len = 0; /* no bundle: curl still looks into the folder of the system */
    for (size_t i = 0; i < files->len; i++)
        if (load_authority(c, files->items[i], err) < 0)
            return error_wrap(err, "certificate authority");
    return 0;
}

struct http_client *http_client_new(const struct http_settings *settings, struct error *err)
{
    AUTO(http_client) *c = xcalloc(1, sizeof *c);

    buf_init(&c->ca, CA_BYTES_MAX);
    pthread_mutex_init(&c->lock, NULL);
    c->skip_verify = settings->skip_verify;
    c->connect_timeout_ms = settings->connect_timeout_ms;
    c->idle_timeout_ms = settings->idle_timeout_ms;
    if (settings->certs && settings->certs->len > 0) {
        c->pairs = key_pairs_load(settings->certs, settings->keys, err);
        if (!c->pairs)
            return NULL;
    }
    if (settings->ca && settings->ca->len > 0 && load_ca(c, settings->ca, err) < 0)
        return NULL;
    return TAKE(c);
}

void http_client_free(struct http_client *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->idle_len; i++)
        curl_easy_cleanup(c->idle[i]);
    pthread_mutex_destroy(&c->lock);
    buf_fini(&c->ca);
    key_pairs_free(c->pairs);
    free(c);
}

static CURLcode offer_pairs(CURL *h, void *ssl_ctx, void *pairs)
{
    (void)h;
    key_pairs_offer(ssl_ctx, pairs);
    return CURLE_OK;
}

static void set_up(const struct http_client *c, CURL *h)
{
    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(h, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, (long)c->connect_timeout_ms);
    curl_easy_setopt(h, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(h, CURLOPT_BUFFERSIZE, (long)RECEIVE_BUFFER);
    curl_easy_setopt(h, CURLOPT_USERAGENT, "berth/" BERTH_VERSION);
    curl_easy_setopt(h, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    if (c->skip_verify) {
        curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (c->ca.len > 0) {
        struct curl_blob blob = {c->ca.data, c->ca.len, CURL_BLOB_NOCOPY};

        curl_easy_setopt(h, CURLOPT_CAINFO_BLOB, &blob);
    }
    if (c->pairs) {
        curl_easy_setopt(h, CURLOPT_SSL_CTX_FUNCTION, offer_pairs);
        curl_easy_setopt(h, CURLOPT_SSL_CTX_DATA, c->pairs);
    }
}

CURL *http_client_take(struct http_client *c)
{
    CURL *h = NULL;

    pthread_mutex_lock(&c->lock);
    if (c->idle_len > 0)
        h = c->idle[--c->idle_len];
    pthread_mutex_unlock(&c->lock);
    if (!h)
        h = curl_easy_init();
    if (!h)
        abort();
    set_up(c, h);
    return h;
}

void http_client_put(struct http_client *c, CURL *handle)
{
    curl_easy_reset(handle); /* keeps the connections */
    pthread_mutex_lock(&c->lock);
    if (c->idle_len < IDLE_HANDLES_MAX) {
        c->idle[c->idle_len++] = handle;
        handle = NULL;
    }
    pthread_mutex_unlock(&c->lock);
    curl_easy_cleanup(handle);
}

int64_t http_client_idle_timeout_ms(const struct http_client *c)
{
    return c->idle_timeout_ms;
}
