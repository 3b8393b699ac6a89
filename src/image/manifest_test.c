// SPDX-License-Identifier: Apache-2.0
#include "image/manifest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

#define HEX                "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"
#define D(n)               "\"digest\":\"sha256:" HEX #n "\",\"size\":1" #n
#define CONFIG             "{\"mediaType\":\"" MEDIA_TYPE_OCI_CONFIG "\"," D(0) "}"
#define LAYER(n)           "{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\"," D(n) "}"
#define ENTRY(n, platform) "{\"mediaType\":\"" MEDIA_TYPE_OCI_MANIFEST "\"," D(n) platform "}"
#define PLATFORM(os, arch) ",\"platform\":{\"os\":\"" os "\",\"architecture\":\"" arch "\"}"

static struct manifest *parsed(const char *text, const char *media_type)
{
    struct error err = {0};
    struct manifest *m = manifest_parse(text, strlen(text), media_type, &err);

    if (!m)
        fail_msg("%s", err.text);
    return m;
}

static void test_a_manifest_is_taken_apart(void **state)
{
    AUTO(manifest) *m =
        parsed("{\"schemaVersion\":2,\"config\":" CONFIG
               ",\"layers\":[" LAYER(1) "," LAYER(2) "],\"annotations\":{\"a\":\"b\"}}",
               NULL);
    (void)state;

    assert_int_equal(m->kind, MEDIA_TYPE_MANIFEST);
    assert_string_equal(m->media_type, MEDIA_TYPE_OCI_MANIFEST);
    assert_int_equal(m->layers_len, 2);
    assert_string_equal(m->config.digest, "sha256:" HEX "0");
    assert_int_equal(m->layers[1].size, 12);
    assert_int_equal(media_type_of(m->layers[1].media_type), MEDIA_TYPE_LAYER);
}

static void test_the_type_inside_counts_first(void **state)
{
    AUTO(manifest) *inside = parsed("{\"mediaType\":\"" MEDIA_TYPE_DOCKER_MANIFEST
                                    "\",\"config\":" CONFIG ",\"layers\":[]}",
                                    MEDIA_TYPE_OCI_MANIFEST);
    AUTO(manifest) *outside = parsed("{\"config\":" CONFIG ",\"layers\":[]}",
                                     MEDIA_TYPE_DOCKER_MANIFEST "; charset=utf-8");
    (void)state;

    assert_string_equal(inside->media_type, MEDIA_TYPE_DOCKER_MANIFEST);
    assert_string_equal(outside->media_type, MEDIA_TYPE_DOCKER_MANIFEST);
}

static void test_confusion_is_refused(void **state)
{
    static const struct {
        const char *text, *media_type;
        enum error_code code;
    } bad[] = {
        {"{\"layers\":[],\"manifests\":[]}", NULL, ERROR_INVALID},
        {"{\"config\":" CONFIG ",\"manifests\":[]}", NULL, ERROR_INVALID},
        {"{\"manifests\":[]}", MEDIA_TYPE_OCI_MANIFEST, ERROR_INVALID},
        {"{\"config\":" CONFIG ",\"layers\":[]}", MEDIA_TYPE_OCI_INDEX, ERROR_INVALID},
        {"{\"mediaType\":\"" MEDIA_TYPE_OCI_INDEX "\",\"config\":" CONFIG ",\"layers\":[]}", NULL,
         ERROR_INVALID},
        {"{\"mediaType\":\"" MEDIA_TYPE_DOCKER_MANIFEST "\",\"manifests\":[]}", NULL,
         ERROR_INVALID},
        {"{\"fsLayers\":[],\"layers\":[]}", NULL, ERROR_UNIMPLEMENTED},
        {"{\"schemaVersion\":1,\"layers\":[]}", NULL, ERROR_UNIMPLEMENTED},
        {"{}", NULL, ERROR_INVALID},
        {"[]", NULL, ERROR_INVALID},
        {"", NULL, ERROR_INVALID},
        {"{\"manifests\":{}}", NULL, ERROR_INVALID},
        {"{\"manifests\":[1]}", NULL, ERROR_INVALID},
        {"{\"layers\":[]}", NULL, ERROR_INVALID},
        {"{\"config\":{\"digest\":\"sha256:../x\",\"size\":1}}", NULL, ERROR_INVALID},
        {"{\"config\":{\"digest\":\"sha256:" HEX "0\"}}", NULL, ERROR_INVALID},
        {"{\"config\":{\"mediaType\":\"a\\r\\nX-Evil: b\"," D(0) "}}", NULL, ERROR_INVALID},
        {"{\"config\":{\"digest\":\"sha256:" HEX "0\",\"size\":-1}}", NULL, ERROR_INVALID},
        {"{\"config\":{\"digest\":\"sha256:" HEX "0\",\"size\":\"1\"}}", NULL, ERROR_INVALID},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct error err = {0};
        AUTO(manifest) *m =
            manifest_parse(bad[i].text, strlen(bad[i].text), bad[i].media_type, &err);

        if (m)
            fail_msg("%s was taken", bad[i].text);
        assert_int_equal(err.code, bad[i].code);
    }
}

static void test_parse_holds_the_limits(void **state)
{
    AUTO_FINI(buf) text = BUF(MANIFEST_BYTES_MAX);
    struct error err;
    (void)state;

    assert_int_equal(buf_printf(&text, &err, "{\"manifests\":["), 0);
    for (size_t i = 0; i <= MANIFEST_ENTRIES_MAX; i++)
        assert_int_equal(buf_printf(&text, &err, "%s" ENTRY(1, ""), i ? "," : ""), 0);
    assert_int_equal(buf_printf(&text, &err, "]}"), 0);
    assert_null(manifest_parse(text.data, text.len, NULL, &err));
    assert_int_equal(err.code, ERROR_EXHAUSTED);
    assert_null(manifest_parse(text.data, MANIFEST_BYTES_MAX + 1, NULL, &err));
    assert_int_equal(err.code, ERROR_EXHAUSTED);
}

static void select_is(const char *entries, const char *host_text, const char *digest)
{
    AUTO_FREE char *text = xasprintf("{\"manifests\":[%s]}", entries);
    AUTO(manifest) *index = parsed(text, NULL);
    const struct descriptor *best;
    struct platform host;
    struct error err = {0};

    assert_int_equal(platform_parse(host_text, &host, &err), 0);
    best = manifest_select(index, &host, &err);
    if (!digest) {
        assert_null(best);
        assert_int_equal(err.code, ERROR_NOT_FOUND);
        return;
    }
    if (!best)
        fail_msg("%s", err.text);
    assert_string_equal(best->digest, digest);
}

static void test_select_takes_the_best(void **state)
{
    static const char entries[] =
        ENTRY(1, PLATFORM("unknown", "unknown")) "," ENTRY(2, PLATFORM("linux", "386")) "," ENTRY(
            3, PLATFORM("linux", "amd64")) "," ENTRY(4, "") "," ENTRY(5,
                                                                      PLATFORM("linux", "amd64"));
    (void)state;

    select_is(entries, "linux/amd64", "sha256:" HEX "3");
    select_is(entries, "linux/386", "sha256:" HEX "2");
    select_is(entries, "linux/arm64", "sha256:" HEX "4");
    select_is(ENTRY(1, PLATFORM("unknown", "unknown")), "linux/amd64", NULL);
    select_is("{\"mediaType\":\"application/x\"," D(1) PLATFORM("linux", "amd64") "}",
              "linux/amd64", NULL);
    select_is("", "linux/amd64", NULL);
}

static void test_select_says_what_there_is(void **state)
{
    AUTO(manifest) *index = parsed(
        "{\"manifests\":[" ENTRY(1, PLATFORM("linux", "arm64")) "," ENTRY(
            2, PLATFORM("unknown", "unknown")) "," ENTRY(3, PLATFORM("windows", "amd64")) "]}",
        NULL);
    struct platform host;
    struct error err = {0};
    (void)state;

    platform_set(&host, "linux", "amd64", "");
    assert_null(manifest_select(index, &host, &err));
    assert_string_equal(
        err.text, "the index has no image for linux/amd64; it has linux/arm64, windows/amd64");
}

static void test_urls_and_features_are_kept(void **state)
{
    AUTO(manifest) *m = parsed("{\"manifests\":[{\"mediaType\":\"x\"," D(
                                   1) ",\"urls\":[\"https://a/b\",\"file:///etc\"],"
                                      "\"annotations\":{\"k\":\"v\"},\"platform\":{\"os\":"
                                      "\"windows\",\"architecture\":\"x86_64\""
                                      ",\"os.features\":[\"win32k\"]}}]}",
                               NULL);
    AUTO_FINI(descriptor) copy = {0};
    (void)state;

    descriptor_copy(&copy, &m->entries[0]);
    assert_int_equal(copy.urls.len, 1);
    assert_string_equal(copy.urls.items[0], "https://a/b");
    assert_string_equal(descriptor_annotation(&copy, "k"), "v");
    assert_null(descriptor_annotation(&copy, "none"));
    assert_true(copy.platform.wants_features);
    assert_string_equal(copy.platform.architecture, "amd64");
}

static void test_media_types_are_known(void **state)
{
    static const struct {
        const char *text;
        enum media_type type;
    } table[] = {
        {NULL, MEDIA_TYPE_UNKNOWN},
        {"", MEDIA_TYPE_UNKNOWN},
        {"application/json", MEDIA_TYPE_UNKNOWN},
        {"application/vnd.oci.image.index.v1+json;x=y", MEDIA_TYPE_INDEX},
        {"Application/vnd.docker.distribution.manifest.list.v2+json", MEDIA_TYPE_INDEX},
        {"application/vnd.docker.distribution.manifest.v1+prettyjws", MEDIA_TYPE_SCHEMA1},
        {"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", MEDIA_TYPE_LAYER},
        {"application/vnd.docker.image.rootfs.diff.tar.gzip", MEDIA_TYPE_LAYER},
        {"application/vnd.docker.container.image.v1+json", MEDIA_TYPE_CONFIG},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(table); i++)
        assert_int_equal(media_type_of(table[i].text), table[i].type);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_manifest_is_taken_apart),
        cmocka_unit_test(test_the_type_inside_counts_first),
        cmocka_unit_test(test_confusion_is_refused),
        cmocka_unit_test(test_parse_holds_the_limits),
        cmocka_unit_test(test_select_takes_the_best),
        cmocka_unit_test(test_select_says_what_there_is),
        cmocka_unit_test(test_urls_and_features_are_kept),
        cmocka_unit_test(test_media_types_are_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
