// SPDX-License-Identifier: Apache-2.0
#include "imaged/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "image/manifest.h"
#include "imaged/http.h"
#include "imaged/sha.h"

/* The client against a registry that misbehaves: fake_registry.py, whose path is our argument. */

static const char *script;
static struct {
    pid_t pid;
    int input; /* it ends when this is closed */
    int port;
    int cdn_port;
} fake;

static int start_fake(void **state)
{
    int in[2], out[2];
    char line[64] = "";
    struct error err;
    (void)state;

    assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC), 0);
    fake.pid = fork();
    if (fake.pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        execlp("python3", "python3", script, (char *)NULL);
        _exit(127);
    }
    fd_close(&in[0]);
    fd_close(&out[1]);
    fake.input = in[1];
    for (size_t len = 0; len + 1 < sizeof line && !strchr(line, '\n'); len++)
        if (read(out[0], line + len, 1) != 1)
            return -1;
    fd_close(&out[0]);
    if (sscanf(line, "%d %d", &fake.port, &fake.cdn_port) != 2)
        return -1;
    return registry_global_init(&err);
}

static int stop_fake(void **state)
{
    int status;
    (void)state;

    fd_close(&fake.input);
    return waitpid(fake.pid, &status, 0) == fake.pid ? 0 : -1;
}

static struct image_reference reference(const char *text)
{
    struct image_reference ref;
    struct error err;

    if (reference_parse(text, &ref, &err) < 0)
        fail_msg("%s", err.text);
    return ref;
}

/* A blob on its way. */
struct arrival {
    struct sha *sha;
    int64_t len;
    int64_t told;
};

static int arrive(void *data, const void *bytes, size_t len, struct error *err)
{
    struct arrival *a = data;

    sha_add(a->sha, bytes, len);
    a->len += (int64_t)len;
    return 0;
}

static void tell(void *data, int64_t received, int64_t size)
{
    struct arrival *a = data;

    assert_true(received > a->told && received <= size);
    a->told = received;
}

static int fetch(struct registry *r, const struct descriptor *d, struct error *err)
{
    struct arrival a = {.sha = sha_new(digest_algorithm_of(d->digest))};
    const struct registry_sink sink = {.write = arrive, .progress = tell, .data = &a};
    int done = registry_fetch_blob(r, d, &sink, err);
    char digest[DIGEST_SIZE];

    sha_finish(a.sha, digest);
    sha_free(a.sha);
    if (done == 0) {
        assert_int_equal(a.len, d->size);
        assert_int_equal(a.told, d->size);
        assert_string_equal(digest, d->digest);
    }
    return done;
}

/* The manifest of what the reference points to; NULL on failure. */
static struct manifest *get_manifest(struct registry *r, struct error *err)
{
    AUTO_FINI(descriptor) d = {0};
    AUTO_FINI(buf) body = BUF(MANIFEST_BYTES_MAX);

    if (registry_resolve(r, &d, &body, err) < 0)
        return NULL;
    if (body.len == 0 && registry_get_manifest(r, &d, &body, err) < 0)
        return NULL;
    assert_int_equal(body.len, d.size);
    if (sha_verify(d.digest, body.data, body.len, err) < 0)
        return NULL;
    return manifest_parse(body.data, body.len, d.media_type, err);
}

static int pull_with(const struct registry_options *options, struct error *err)
{
    AUTO(registry) *r = registry_open(options, err);
    AUTO(manifest) *m = r ? get_manifest(r, err) : NULL;
    AUTO_FINI(buf) config = BUF(MANIFEST_BYTES_MAX);

    if (!m)
        return -1;
    for (size_t i = 0; i < m->layers_len; i++)
        if (fetch(r, &m->layers[i], err) < 0)
            return -1;
    return registry_get_manifest(r, &m->config, &config, err);
}

static int pull(const char *scenario, const struct registry_credentials *credentials,
                struct error *err)
{
    AUTO_FREE char *text = xasprintf("127.0.0.1:%d/%s:1", fake.port, scenario);
    struct image_reference ref = reference(text);
    const struct registry_options options = {
        .reference = &ref, .credentials = credentials, .idle_timeout_ms = 3000};

    *err = (struct error){0};
    return pull_with(&options, err);
}

static void works(const char *scenario, const struct registry_credentials *credentials)
{
    struct error err;

    if (pull(scenario, credentials, &err) < 0)
        fail_msg("%s: %s", scenario, err.text);
}

static void fails(const char *scenario, const struct registry_credentials *credentials,
                  enum error_code code, const char *words)
{
    struct error err;

    if (pull(scenario, credentials, &err) == 0)
        fail_msg("%s worked", scenario);
    if (!strstr(err.text, words) || err.code != code || strstr(err.text, "secret"))
        fail_msg("%s: %s: %s", scenario, error_code_name(err.code), err.text);
}

static int append(void *data, const struct http_answer *answer, const void *bytes, size_t len,
                  struct error *err)
{
    return buf_append(data, bytes, len, err);
}

static int count(const char *key)
{
    const struct http_settings settings = {.connect_timeout_ms = 60 * 1000,
                                           .idle_timeout_ms = 60 * 1000};
    AUTO_FREE char *url = xasprintf("http://127.0.0.1:%d/_count/%s", fake.port, key);
    AUTO_FINI(buf) body = BUF(100);
    AUTO_FINI(http_answer) answer = {0};
    struct error err;
    AUTO(http_client) *client = http_client_new(&settings, &err);
    const struct http_request request = {
        .method = "GET", .url = url, .body = append, .data = &body};

    assert_int_equal(http_perform(client, &request, &answer, &err), 0);
    assert_int_equal(answer.status, 200);
    return (int)strtol(body.data, NULL, 10);
}

static const struct registry_credentials user = {.username = "user", .password = "pass"};

static void test_a_plain_registry_on_loopback_just_works(void **state)
{
    (void)state;

    works("plain", NULL);
    works("chunked", NULL);
}

static void test_resolving_gets_what_head_does_not_tell(void **state)
{
    (void)state;

    works("nohead", NULL);
    works("bare", NULL);
    assert_int_equal(count("GET-bare"), 1);
    fails("schema1", NULL, ERROR_UNIMPLEMENTED, "schema 1");
}

static void test_a_digest_is_resolved_to_itself(void **state)
{
    AUTO_FREE char *tagged = xasprintf("127.0.0.1:%d/plain:1", fake.port), *text = NULL;
    struct image_reference ref = reference(tagged);
    struct registry_options options = {.reference = &ref};
    struct error err = {0};
    AUTO_FINI(descriptor) d = {0};
    AUTO_FINI(buf) body = BUF(MANIFEST_BYTES_MAX);
    AUTO(registry) *by_tag = registry_open(&options, &err);
    AUTO(registry) *by_digest = NULL;
    AUTO(registry) *wrong = NULL;
    (void)state;

    assert_int_equal(registry_resolve(by_tag, &d, &body, &err), 0);
    text = xasprintf("127.0.0.1:%d/plain@%s", fake.port, d.digest);
    ref = reference(text);
    by_digest = registry_open(&options, &err);
    assert_int_equal(registry_resolve(by_digest, &d, &body, &err), 0);
    assert_string_equal(d.digest, ref.digest);

    /* This one answers any digest with the same manifest. */
    ref.digest[10] ^= 1;
    wrong = registry_open(&options, &err);
    assert_int_equal(registry_resolve(wrong, &d, &body, &err), 0);
    assert_int_equal(registry_get_manifest(wrong, &d, &body, &err), -1);
    assert_int_equal(err.code, ERROR_PRECONDITION);
}

static void test_a_digest_may_be_that_of_a_blob(void **state)
{
    AUTO_FREE char *tagged = xasprintf("127.0.0.1:%d/blobonly:1", fake.port), *text = NULL;
    struct image_reference ref = reference(tagged);
    const struct registry_options options = {.reference = &ref};
    struct error err = {0};
    AUTO_FINI(descriptor) d = {0}, again = {0};
    AUTO_FINI(buf) body = BUF(MANIFEST_BYTES_MAX);
    AUTO(registry) *by_tag = registry_open(&options, &err);
    AUTO(registry) *by_digest = NULL;
    (void)state;

    assert_int_equal(registry_resolve(by_tag, &d, &body, &err), 0);
    text = xasprintf("127.0.0.1:%d/blobonly@%s", fake.port, d.digest);
    ref = reference(text);
    by_digest = registry_open(&options, &err);
    if (registry_resolve(by_digest, &again, &body, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(again.digest, d.digest);
    assert_int_equal(body.len, d.size);
    ref.digest[10] ^= 1;
    AUTO(registry) *wrong = registry_open(&options, &err);
    assert_int_equal(registry_resolve(wrong, &again, &body, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
}

static void test_tokens_are_fetched_as_challenged(void **state)
{
    const struct registry_credentials odd = {.username = "u", .password = "p+/&ss"};
    const struct registry_credentials identity = {.identity_token = "identity"};
    const struct registry_credentials given = {.registry_token = "given"};
    (void)state;

    works("token", NULL);
    assert_int_equal(count("token-token"), 1);
    works("oauth", &odd);
    works("oauthget", &user);
    works("refresh", &identity);
    works("registrytoken", &given);
    works("expired", NULL);
    assert_int_equal(count("token-expired"), 2);
}

static void test_access_denied_says_so(void **state)
{
    const struct registry_credentials elsewhere = {
        .username = "user", .password = "pass", .server_address = "https://r.io"};
    const struct registry_credentials wrong = {.username = "user", .password = "secret"};
    (void)state;

    works("basic", &user);
    fails("basic", NULL, ERROR_UNAUTHENTICATED, "pull access denied");
    fails("basic", &elsewhere, ERROR_UNAUTHENTICATED, "wants a username and a password");
    fails("basic", &wrong, ERROR_UNAUTHENTICATED, "does not accept the credentials");
    fails("never", NULL, ERROR_UNAUTHENTICATED, "answered 401: authentication required");
    fails("notoken", NULL, ERROR_UNAUTHENTICATED, "has no token");
    fails("oauthget", NULL, ERROR_UNAUTHENTICATED, "authorization failed");
    fails("denied", NULL, ERROR_PERMISSION, "answered 403: see http://x/?k=REDACTED now");
}

static void test_failures_are_sentences(void **state)
{
    AUTO_FREE char *words = xasprintf("127.0.0.1:%d answered 404: manifest unknown", fake.port);
    (void)state;

    fails("missing", NULL, ERROR_NOT_FOUND, words);
}

static void test_broken_downloads_go_on_where_they_stopped(void **state)
{
    (void)state;

    works("reset", NULL);
    assert_true(count("blob-reset") >= 4);
    works("ignoresrange", NULL);
    works("stall", NULL);
    assert_int_equal(count("blob-stall"), 3); /* with the configuration */
    fails("wrongrange", NULL, ERROR_PRECONDITION, "the answer begins at");
    fails("dead", NULL, ERROR_UNAVAILABLE, "broke the connection");
}

static void test_wrong_bytes_are_refused(void **state)
{
    (void)state;

    fails("wrongdigest", NULL, ERROR_PRECONDITION, "unexpected commit digest");
    fails("short", NULL, ERROR_UNAVAILABLE, "ended after 1048575 of 1048576 bytes");
    fails("long", NULL, ERROR_PRECONDITION, "longer than the 1048575 bytes stated");
    fails("wrongmanifest", NULL, ERROR_PRECONDITION, "the manifest should have sha256:");
    fails("huge", NULL, ERROR_EXHAUSTED, "5242880 bytes");
    fails("hugechunked", NULL, ERROR_EXHAUSTED, "larger than");
}

static void test_a_busy_registry_is_asked_again(void **state)
{
    int64_t start_ns = clock_monotonic_ns();
    (void)state;

    works("busy", NULL);
    assert_true(clock_monotonic_ns() - start_ns >= 900 * CLOCK_NS_PER_MS);
    fails("toobusy", NULL, ERROR_UNAVAILABLE, "too many requests");
    assert_int_equal(count("HEAD-toobusy"), 5);
    fails("busyforlong", NULL, ERROR_UNAVAILABLE, "left alone for 3600 s");
    assert_int_equal(count("HEAD-busyforlong"), 1);
    start_ns = clock_monotonic_ns();
    works("busyuntil", NULL);
    assert_true(clock_monotonic_ns() - start_ns >= 900 * CLOCK_NS_PER_MS);
    works("once503", NULL);
    fails("always503", NULL, ERROR_UNAVAILABLE, "answered 503");
    assert_int_equal(count("HEAD-always503"), 2);
}

static void test_redirects_do_not_leak(void **state)
{
    (void)state;

    works("cdn", &user);
    fails("cdnfail", &user, ERROR_PERMISSION, "answered 403");
    fails("loop", NULL, ERROR_UNAVAILABLE, "more than 10 redirects");
    works("foreign", &user);
    assert_int_equal(count("leaks"), 0);
}

static void test_silence_ends_a_pull(void **state)
{
    int64_t start_ns = clock_monotonic_ns();
    (void)state;

    fails("silent", NULL, ERROR_UNAVAILABLE, "sent nothing for 3 s");
    assert_true(clock_monotonic_ns() - start_ns < 14 * CLOCK_NS_PER_S);
}

static void test_an_unreachable_registry_is_named_so(void **state)
{
    struct image_reference ref = reference("127.0.0.1:1/x:1");
    struct registry_options options = {.reference = &ref};
    struct error err = {0};
    (void)state;

    assert_int_equal(pull_with(&options, &err), -1);
    assert_int_equal(err.code, ERROR_UNAVAILABLE);
    assert_string_equal(err.text, "connect to 127.0.0.1:1: Connection refused");
    assert_int_equal(pull_with(&options, &err), -1);
    assert_int_equal(err.errnum, ENETUNREACH);
}

/* A folder with a hosts.toml for upstream.example:5000. */
static int pull_mirrored(const char *repository, const char *toml, struct error *err)
{
    char root[] = "/tmp/berth-registry-XXXXXX";
    AUTO_FINI(strv) roots = {0};
    AUTO_FREE char *text = xasprintf("upstream.example:5000/%s:1", repository);
    struct image_reference ref = reference(text);
    const struct registry_options options = {
        .reference = &ref, .hosts_dirs = &roots, .credentials = &user};
    struct error ignored;
    char *dir, *path;
    int done;

    assert_non_null(mkdtemp(root));
    strv_add(&roots, root);
    dir = xasprintf("%s/upstream.example_5000_", root);
    path = xasprintf("%s/hosts.toml", dir);
    assert_int_equal(file_make_dirs(dir, 0755, &ignored), 0);
    assert_int_equal(file_store(AT_FDCWD, path, toml, strlen(toml), 0644, &ignored), 0);
    *err = (struct error){0};
    done = pull_with(&options, err);
    assert_int_equal(file_remove_tree(AT_FDCWD, root, &ignored), 0);
    free(dir);
    free(path);
    return done;
}

static void test_mirrors_are_asked_in_order(void **state)
{
    AUTO_FREE char *good = xasprintf("server = \"http://127.0.0.1:1\"\n"
                                     "[host.\"http://127.0.0.1:2\"]\n"
                                     "[host.\"http://127.0.0.1:%d/none\"]\n"
                                     "[host.\"http://127.0.0.1:%d\"]\n",
                                     fake.port, fake.port);
    AUTO_FREE char *header = xasprintf("server = \"http://127.0.0.1:%d\"\n"
                                       "[header]\nX-Key = \"hush\"\n",
                                       fake.port);
    AUTO_FREE char *missing = xasprintf("server = \"http://127.0.0.1:%d\"\n"
                                        "[host.\"http://127.0.0.1:2\"]\n",
                                        fake.port);
    AUTO_FREE char *push = xasprintf("server = \"http://127.0.0.1:%d\"\n"
                                     "capabilities = [\"push\"]\n",
                                     fake.port);
    struct error err;
    (void)state;

    if (pull_mirrored("mirrored", good, &err) < 0)
        fail_msg("%s", err.text);
    if (pull_mirrored("header", header, &err) < 0)
        fail_msg("%s", err.text);
    if (pull_mirrored("cdn", header, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(count("leaks"), 0);
    assert_int_equal(pull_mirrored("missing", missing, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_int_equal(pull_mirrored("plain", push, &err), -1);
    assert_non_null(strstr(err.text, "has no host to resolve from"));
}

/* Many threads fetch the same layer by one registry. */
struct crowd {
    struct registry *registry;
    const struct descriptor *layer;
    struct error err;
    int done;
};

static void *fetch_in_crowd(void *data)
{
    struct crowd *c = data;

    c->done = fetch(c->registry, c->layer, &c->err);
    return NULL;
}

static void test_threads_share_a_registry_and_its_token(void **state)
{
    AUTO_FREE char *text = xasprintf("127.0.0.1:%d/token:1", fake.port);
    struct image_reference ref = reference(text);
    const struct registry_options options = {.reference = &ref};
    struct error err = {0};
    AUTO(registry) *first = registry_open(&options, &err);
    AUTO(registry) *r = registry_open(&options, &err);
    AUTO(manifest) *m = get_manifest(first, &err);
    int before = count("token-token");
    pthread_t threads[8];
    struct crowd crowd[8];
    (void)state;

    assert_non_null(m);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        crowd[i] = (struct crowd){.registry = r, .layer = &m->layers[0]};
        assert_int_equal(pthread_create(&threads[i], NULL, fetch_in_crowd, &crowd[i]), 0);
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        pthread_join(threads[i], NULL);
        if (crowd[i].done < 0)
            fail_msg("%s", crowd[i].err.text);
    }
    assert_int_equal(count("token-token"), before + 1);
}

static int refuse(void *data, const void *bytes, size_t len, struct error *err)
{
    ++*(int *)data;
    return error_set(err, ERROR_EXHAUSTED, "the disk is full");
}

static void test_a_sink_that_gives_up_ends_it(void **state)
{
    AUTO_FREE char *text = xasprintf("127.0.0.1:%d/plain:1", fake.port);
    struct image_reference ref = reference(text);
    const struct registry_options options = {.reference = &ref};
    struct error err = {0};
    AUTO(registry) *r = registry_open(&options, &err);
    AUTO(manifest) *m = get_manifest(r, &err);
    int calls = 0;
    const struct registry_sink sink = {.write = refuse, .data = &calls};
    (void)state;

    assert_int_equal(registry_fetch_blob(r, &m->layers[0], &sink, &err), -1);
    assert_int_equal(err.code, ERROR_EXHAUSTED);
    assert_int_equal(calls, 1);
    assert_non_null(strstr(err.text, "the disk is full"));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_plain_registry_on_loopback_just_works),
        cmocka_unit_test(test_resolving_gets_what_head_does_not_tell),
        cmocka_unit_test(test_a_digest_is_resolved_to_itself),
        cmocka_unit_test(test_a_digest_may_be_that_of_a_blob),
        cmocka_unit_test(test_tokens_are_fetched_as_challenged),
        cmocka_unit_test(test_access_denied_says_so),
        cmocka_unit_test(test_failures_are_sentences),
        cmocka_unit_test(test_broken_downloads_go_on_where_they_stopped),
        cmocka_unit_test(test_wrong_bytes_are_refused),
        cmocka_unit_test(test_a_busy_registry_is_asked_again),
        cmocka_unit_test(test_redirects_do_not_leak),
        cmocka_unit_test(test_silence_ends_a_pull),
        cmocka_unit_test(test_an_unreachable_registry_is_named_so),
        cmocka_unit_test(test_mirrors_are_asked_in_order),
        cmocka_unit_test(test_threads_share_a_registry_and_its_token),
        cmocka_unit_test(test_a_sink_that_gives_up_ends_it),
    };

    if (argc != 2)
        return 2;
    script = argv[1];
    return cmocka_run_group_tests(tests, start_fake, stop_fake);
}
