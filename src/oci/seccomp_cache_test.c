// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/own.h"
#include "oci/seccomp_cache.h"

static const char annotation[] = "run.oci.seccomp_bpf_data";
static char path[64];

static int set_up(void **state)
{
    snprintf(path, sizeof path, "/tmp/seccomp-cache-%d", getpid());
    *state = seccomp_cache_new();
    return 0;
}

static int tear_down(void **state)
{
    unlink(path);
    seccomp_cache_free(*state);
    return 0;
}

static struct json_object *spec_with(const char *profile)
{
    AUTO_FREE char *text =
        xasprintf("{\"annotations\": {}, \"linux\": {\"seccomp\": %s}}", profile);
    struct error err;

    return json_parse(text, strlen(text), &err);
}

static const char *program_in(struct json_object *spec)
{
    return json_get_str(json_get(spec, "annotations"), annotation);
}

/* What a runtime would have left for a container with that profile. */
static void learn(struct seccomp_cache *c, const char *profile, const char *program)
{
    JSON_AUTO *spec = spec_with(profile);
    AUTO_FREE char *text = seccomp_cache_apply(c, spec);
    struct error err;

    assert_non_null(text);
    assert_int_equal(file_store(AT_FDCWD, path, program, strlen(program), 0600, &err), 0);
    seccomp_cache_learn(c, text, path);
}

static void assert_program(struct seccomp_cache *c, const char *profile, const char *wanted)
{
    JSON_AUTO *spec = spec_with(profile);
    AUTO_FREE char *text = seccomp_cache_apply(c, spec);

    if (wanted) {
        assert_null(text);
        assert_string_equal(program_in(spec), wanted);
    } else {
        assert_non_null(text);
        assert_null(program_in(spec));
    }
}

static void test_what_was_made_for_one_is_given_to_the_next(void **state)
{
    learn(*state, "{\"x\": 1}", "12345678");
    assert_program(*state, "{\"x\": 1}", "MTIzNDU2Nzg=");
    assert_program(*state, "{\"x\": 2}", NULL);
}

static void test_no_profile_needs_no_program(void **state)
{
    JSON_AUTO *spec = spec_with("null");

    assert_null(seccomp_cache_apply(*state, spec));
    assert_null(program_in(spec));
}

static void test_a_program_of_somebody_else_is_neither_replaced_nor_learned(void **state)
{
    JSON_AUTO *spec = spec_with("{\"x\": 1}");

    json_add_str(json_get(spec, "annotations"), annotation, "theirs");
    assert_null(seccomp_cache_apply(*state, spec));
    learn(*state, "{\"x\": 1}", "12345678");
    assert_null(seccomp_cache_apply(*state, spec));
    assert_string_equal(program_in(spec), "theirs");
}

static void test_what_is_no_program_is_not_learned(void **state)
{
    learn(*state, "{\"x\": 1}", "");
    learn(*state, "{\"x\": 1}", "1234567");
    unlink(path);
    seccomp_cache_learn(*state, "{\"x\":1}", path);
    assert_program(*state, "{\"x\": 1}", NULL);
}

static void test_there_is_an_end_to_what_is_kept(void **state)
{
    for (int i = 0; i <= SECCOMP_CACHE_MAX; i++) {
        AUTO_FREE char *profile = xasprintf("{\"x\": %d}", i);

        learn(*state, profile, "12345678");
        assert_program(*state, profile, "MTIzNDU2Nzg=");
    }
    assert_program(*state, "{\"x\": 0}", NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_was_made_for_one_is_given_to_the_next),
        TEST(test_no_profile_needs_no_program),
        TEST(test_a_program_of_somebody_else_is_neither_replaced_nor_learned),
        TEST(test_what_is_no_program_is_not_learned),
        TEST(test_there_is_an_end_to_what_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
