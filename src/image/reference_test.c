// SPDX-License-Identifier: Apache-2.0
#include "image/reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

#define HEX32  "0123456789abcdef0123456789abcdef"
#define HEX64  HEX32 HEX32
#define DIGEST "sha256:" HEX64

static void test_parse_normalises(void **state)
{
    static const struct {
        const char *text, *domain, *path, *tag, *digest, *formatted;
    } good[] = {
        {"busybox", "docker.io", "library/busybox", "latest", "",
         "docker.io/library/busybox:latest"},
        {"a/b", "docker.io", "a/b", "latest", "", "docker.io/a/b:latest"},
        {"localhost/x", "localhost", "x", "latest", "", "localhost/x:latest"},
        {"localhost:5000/x:1", "localhost:5000", "x", "1", "", "localhost:5000/x:1"},
        {"foo:5000/x", "foo:5000", "x", "latest", "", "foo:5000/x:latest"},
        {"foo:5000", "docker.io", "library/foo", "5000", "", "docker.io/library/foo:5000"},
        {"Foo/x", "Foo", "x", "latest", "", "Foo/x:latest"},
        {"example.com", "docker.io", "library/example.com", "latest", "",
         "docker.io/library/example.com:latest"},
        {"r.io/x:1@" DIGEST, "r.io", "x", "", DIGEST, "r.io/x@" DIGEST},
        {"x@" DIGEST, "docker.io", "library/x", "", DIGEST, "docker.io/library/x@" DIGEST},
        {"index.docker.io/x", "docker.io", "library/x", "latest", "", "docker.io/library/x:latest"},
        {"docker.io/x/y:v", "docker.io", "x/y", "v", "", "docker.io/x/y:v"},
        {"[::1]:5000/a/b:c", "[::1]:5000", "a/b", "c", "", "[::1]:5000/a/b:c"},
        {"[2001:db8::1]/a", "[2001:db8::1]", "a", "latest", "", "[2001:db8::1]/a:latest"},
        {"r.io/a-b/c__d/e.f/g---h:T_0.-", "r.io", "a-b/c__d/e.f/g---h", "T_0.-", "",
         "r.io/a-b/c__d/e.f/g---h:T_0.-"},
        {"127.0.0.1:80/a", "127.0.0.1:80", "a", "latest", "", "127.0.0.1:80/a:latest"},
        {"sha256:abcdef", "docker.io", "library/sha256", "abcdef", "",
         "docker.io/library/sha256:abcdef"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct image_reference ref;
        struct error err = {0};
        char text[REFERENCE_TEXT_SIZE];

        if (reference_parse(good[i].text, &ref, &err) < 0)
            fail_msg("%s", err.text);
        assert_string_equal(ref.domain, good[i].domain);
        assert_string_equal(ref.path, good[i].path);
        assert_string_equal(ref.tag, good[i].tag);
        assert_string_equal(ref.digest, good[i].digest);
        reference_format(&ref, text);
        assert_string_equal(text, good[i].formatted);
    }
}

static void test_parse_refuses_what_is_no_name(void **state)
{
    static const char *const bad[] = {
        "",
        HEX64,
        ":tag",
        "/x",
        "x/",
        "r.io//x",
        "r.io/",
        "a..b",
        "a___b",
        "a_-b",
        "-a",
        "a-",
        "a:",
        "a:.x",
        "a:-x",
        "a:x y",
        "a@",
        "a@sha256:abc",
        "a@md5:" HEX32,
        "a@" DIGEST "0",
        "a@" DIGEST "@" DIGEST,
        "Upper",
        "r.io/Upper",
        "-r.io/x",
        "r-.io/x",
        "r..io/x",
        "r.io:/x",
        "r.io:5x/x",
        "[::1/x",
        "[]/x",
        "[::1%eth0]/x",
        "[::1]x/x",
        "r_x.io/x",
        "a b",
        "a\n",
        "../../etc",
        "r.io/../x",
        "https://r.io/x",
        "x@sha256:abc/def",
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct image_reference ref;
        struct error err = {0};

        if (reference_parse(bad[i], &ref, &err) == 0)
            fail_msg("\"%s\" was taken", bad[i]);
        assert_int_equal(err.code, ERROR_INVALID);
    }
}

static void test_parse_holds_the_limits(void **state)
{
    char text[600];
    struct image_reference ref;
    struct error err;
    (void)state;

    memset(text, 'a', sizeof text);
    memcpy(text, "r.io/", 5);
    text[5 + REFERENCE_PATH_MAX] = '\0';
    assert_int_equal(reference_parse(text, &ref, &err), 0);
    text[5 + REFERENCE_PATH_MAX] = 'a';
    text[6 + REFERENCE_PATH_MAX] = '\0';
    assert_int_equal(reference_parse(text, &ref, &err), -1);

    text[6] = ':';
    text[7 + REFERENCE_TAG_MAX] = '\0';
    assert_int_equal(reference_parse(text, &ref, &err), 0);
    text[7 + REFERENCE_TAG_MAX] = 'a';
    text[8 + REFERENCE_TAG_MAX] = '\0';
    assert_int_equal(reference_parse(text, &ref, &err), -1);
}

static void test_parse_says_what_is_wrong(void **state)
{
    struct image_reference ref;
    struct error err;
    (void)state;

    assert_int_equal(reference_parse("r.io/Some", &ref, &err), -1);
    assert_string_equal(err.text,
                        "image name \"r.io/Some\": repository name (Some) must be lowercase");
}

static void test_format_digest_keeps_only_the_repository(void **state)
{
    struct image_reference ref;
    struct error err;
    char text[REFERENCE_TEXT_SIZE];
    (void)state;

    assert_int_equal(reference_parse("busybox:1", &ref, &err), 0);
    reference_format_digest(&ref, DIGEST, text);
    assert_string_equal(text, "docker.io/library/busybox@" DIGEST);
}

static void test_ids_are_told_from_names(void **state)
{
    (void)state;

    assert_true(reference_is_id(DIGEST));
    assert_false(reference_is_id("sha256:abc"));
    assert_false(reference_is_id("busybox"));
    assert_string_equal(reference_id_prefix("sha256:abc"), "abc");
    assert_string_equal(reference_id_prefix("0a1b"), "0a1b");
    assert_string_equal(reference_id_prefix(HEX64), HEX64);
    assert_null(reference_id_prefix(HEX64 "0"));
    assert_null(reference_id_prefix("sha256:"));
    assert_null(reference_id_prefix("ABC"));
    assert_null(reference_id_prefix("busybox"));
    assert_null(reference_id_prefix(""));
    assert_null(reference_id_prefix(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_normalises),
        cmocka_unit_test(test_parse_refuses_what_is_no_name),
        cmocka_unit_test(test_parse_holds_the_limits),
        cmocka_unit_test(test_parse_says_what_is_wrong),
        cmocka_unit_test(test_format_digest_keeps_only_the_repository),
        cmocka_unit_test(test_ids_are_told_from_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
