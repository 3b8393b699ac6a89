// SPDX-License-Identifier: Apache-2.0
#include "oci/yaml_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/own.h"

static void expect(const char *yaml, const char *json)
{
    struct error err;
    JSON_AUTO *tree = yaml_tree_parse(yaml, strlen(yaml), &err);

    if (!tree)
        fail_msg("%s: %s", yaml, err.text);
    assert_string_equal(json_text(tree), json);
}

static void expect_refusal(const char *yaml, const char *words)
{
    struct error err = {0};
    JSON_AUTO *tree = yaml_tree_parse(yaml, strlen(yaml), &err);

    assert_null(tree);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" is not in \"%s\"", words, err.text);
}

static void test_plain_scalars_have_the_type_that_they_look_like(void **state)
{
    (void)state;
    expect("[a, 1, -2, 0x1f, 0644, 0o644, 1.5, true, no, ~, null]",
           "[\"a\",1,-2,31,420,420,1.5,true,false,null,null]");
    expect("[\"1\", 'true', \"\", 1.0.0, 1e, +, '']",
           "[\"1\",\"true\",\"\",\"1.0.0\",\"1e\",\"+\",\"\"]");
    expect("99999999999999999999", "1e+20");
    expect("v: |\n  two\n  lines\n", "{\"v\":\"two\\nlines\\n\"}");
}

static void test_collections_and_aliases(void **state)
{
    (void)state;
    expect("a: &x {k: [1]}\nb: *x\n", "{\"a\":{\"k\":[1]},\"b\":{\"k\":[1]}}");
    expect("{\"json\": [\"is\", {\"too\": false}]}", "{\"json\":[\"is\",{\"too\":false}]}");
    expect("", "{}");
    expect("# nothing\n", "{}");
}

static void test_what_is_wrong_is_told_with_its_line(void **state)
{
    (void)state;
    expect_refusal("a: 1\nb: 2\na: 3\n", "line 3: key \"a\" is there twice");
    expect_refusal("a:\n - b\n c\n", "line 4");
    expect_refusal("[a]: 1", "line 1: a key is no text");
    expect_refusal("&x [*x]", "nested too deeply");
}

/* Ten levels, each ten times the one before. */
static void test_aliases_cannot_make_a_tree_without_bound(void **state)
{
    AUTO_FINI(buf) text = BUF(4096);
    struct error err;

    (void)state;
    assert_int_equal(buf_printf(&text, &err, "a0: &a0 x\n"), 0);
    for (int i = 1; i < 10; i++) {
        assert_int_equal(buf_printf(&text, &err, "a%d: &a%d [", i, i), 0);
        for (int n = 0; n < 10; n++)
            assert_int_equal(buf_printf(&text, &err, "*a%d,", i - 1), 0);
        assert_int_equal(buf_printf(&text, &err, "]\n"), 0);
    }
    expect_refusal(text.data, "there are too many values");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_scalars_have_the_type_that_they_look_like),
        cmocka_unit_test(test_collections_and_aliases),
        cmocka_unit_test(test_what_is_wrong_is_told_with_its_line),
        cmocka_unit_test(test_aliases_cannot_make_a_tree_without_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
