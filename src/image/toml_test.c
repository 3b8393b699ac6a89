// SPDX-License-Identifier: Apache-2.0
#include "image/toml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/own.h"

static void test_parse_gives_the_tree(void **state)
{
    static const char *const table[][2] = {
        {"", "{}"},
        {"\xef\xbb\xbf# only a comment", "{}"},
        {"a = 1\r\nb=true # c\n\n", "{\"a\":1,\"b\":true}"},
        {"a.b.c = 'x'\na.b.d = 'y'\n", "{\"a\":{\"b\":{\"c\":\"x\",\"d\":\"y\"}}}"},
        {"\"a.b\" . 'c d' = ''", "{\"a.b\":{\"c d\":\"\"}}"},
        {"a = \"\\t\\\"\\\\ \\u00e9 \\U0001F600\"", "{\"a\":\"\\t\\\"\\\\ \u00e9 \U0001F600\"}"},
        {"a = 'c:\\n'", "{\"a\":\"c:\\\\n\"}"},
        {"a = \"\"\"\nx\n \\\n   y\"\"\"\"\"", "{\"a\":\"x\\n y\\\"\\\"\"}"},
        {"a = '''\nx''y\\\n'''", "{\"a\":\"x''y\\\\\\n\"}"},
        {"a = ''''''", "{\"a\":\"\"}"},
        {"a = [1, [ 'x' ,\n# c\n\"y\"], {b.c = 2, d=[]}, ]",
         "{\"a\":[1,[\"x\",\"y\"],{\"b\":{\"c\":2},\"d\":[]}]}"},
        {"a = {}", "{\"a\":{}}"},
        {"a = 0x_", NULL},
        {"a = [+1, -0, 1_000, 0xfF, 0o17, 0b1_0]", "{\"a\":[1,0,1000,255,15,2]}"},
        {"a = [1.5, -2e3, 1_0.0E+1]", "{\"a\":[1.5,-2000.0,100.0]}"},
        {"[z]\n[y]\nb=1\n[z.x]\nc=2\n", "{\"z\":{\"x\":{\"c\":2}},\"y\":{\"b\":1}}"},
        {"[a.b]\nc=1\n[a]\nd=2\n", "{\"a\":{\"b\":{\"c\":1},\"d\":2}}"},
        {"[ a . 'b' ] # c\nc=1", "{\"a\":{\"b\":{\"c\":1}}}"},
        {"[[a]]\nb=1\n[a.c]\nd=1\n[[a]]\nb=2\n", "{\"a\":[{\"b\":1,\"c\":{\"d\":1}},{\"b\":2}]}"},
        {"[a]\nb.c=1\n[a.b.d]\ne=2", "{\"a\":{\"b\":{\"c\":1,\"d\":{\"e\":2}}}}"},
        {"server = \"https://up\"\n[host.\"https://m:5000\"]\n  capabilities = [\"pull\"]\n"
         "[host.\"https://m:5000\".header]\n  x = \"1\"\n[host.\"http://a\"]\n",
         "{\"server\":\"https://up\",\"host\":{\"https://m:5000\":{\"capabilities\":[\"pull\"],"
         "\"header\":{\"x\":\"1\"}},\"http://a\":{}}}"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct error err = {0};
        JSON_AUTO *tree = toml_parse(table[i][0], strlen(table[i][0]), &err);

        if (!table[i][1]) {
            assert_null(tree);
            continue;
        }
        if (!tree)
            fail_msg("%s: %s", table[i][0], err.text);
        assert_string_equal(json_text(tree), table[i][1]);
    }
}

static const char *const bad[] = {
    "a",
    "a =",
    "= 1",
    "a = 1 b = 2",
    "a = x",
    "a = 01",
    "a = 1__0",
    "a = _1",
    "a = 1_",
    "a = 1.",
    "a = .5",
    "a = 03.5",
    "a = +0x1",
    "a = 9223372036854775808",
    "a = 1979-05-27",
    "a = 07:32:00",
    "a = \"x",
    "a = \"x\ny\"",
    "a = 'x\ny'",
    "a = \"\"\"x",
    "a = '''x''''''",
    "a = \"\\e\"",
    "a = \"\\u12\"",
    "a = \"\\ud800\"",
    "a = \"\\u0000\"",
    "\"\"\"a\"\"\" = 1",
    "a = [1 2]",
    "a = [1",
    "a = [,]",
    "a = {b = 1,}",
    "a = {b = 1\n}",
    "a = {b = 1, b = 2}",
    "a = 1\na = 2",
    "a.b = 1\na = 2",
    "a = 1\na.b = 2",
    "a = {}\na.b = 1",
    "a = {}\n[a.b]",
    "a = {b.c = 1}\n[a.b]",
    "a = []\n[[a]]",
    "[a]\n[a]",
    "[a]\nb=1\n[a.b]",
    "[a.b]\n[a]\nb.c = 1",
    "[a]\nb.c=1\n[a.b]",
    "[[a]]\n[a]",
    "[a]\n[[a]]",
    "[a",
    "[a]]",
    "[[a]",
    "[[a] ]",
    "[]",
    "[a.]",
    "[a] b = 1",
    "a = 1 # \x01",
    "a = \"\xff\"",
    "a = \"\xed\xa0\x80\"",
    "a = 1\rb = 2",
};

static void test_parse_refuses_what_is_no_toml(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct error err = {0};
        JSON_AUTO *tree = toml_parse(bad[i], strlen(bad[i]), &err);

        if (tree)
            fail_msg("\"%s\" was taken: %s", bad[i], json_text(tree));
        assert_int_equal(err.code, ERROR_INVALID);
    }
}

static void test_errors_name_the_place(void **state)
{
    static const char text[] = "a = 1\n\n  b = nope\n";
    struct error err;
    (void)state;

    assert_null(toml_parse(text, sizeof text - 1, &err));
    assert_string_equal(err.text,
                        "line 3, column 7: a value is missing, or is none: strings need quotes");
    assert_null(toml_parse("a = 1\n[b]\n[b]\n", 14, &err));
    assert_string_equal(err.text, "line 3, column 4: \"b\" is defined already");
}

static void test_parse_holds_the_limits(void **state)
{
    AUTO_FREE char *text = xmalloc(TOML_BYTES_MAX + 1);
    struct error err;
    (void)state;

    memset(text, '\n', TOML_BYTES_MAX + 1);
    assert_null(toml_parse(text, TOML_BYTES_MAX + 1, &err));
    assert_int_equal(err.code, ERROR_EXHAUSTED);

    memcpy(text, "a=", 2);
    memset(text + 2, '[', 100000);
    assert_null(toml_parse(text, TOML_BYTES_MAX, &err));
    assert_non_null(strstr(err.text, "nested more than"));

    for (size_t i = 0; i < 1000; i++)
        memcpy(text + 2 * i, "a.", 2);
    assert_null(toml_parse(text, TOML_BYTES_MAX, &err));
    assert_non_null(strstr(err.text, "parts"));
}

static void test_a_nul_inside_is_refused(void **state)
{
    struct error err;
    (void)state;

    assert_null(toml_parse("a = 1\0", 6, &err));
    assert_null(toml_parse("a = 'x\0y'", 9, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_gives_the_tree),
        cmocka_unit_test(test_parse_refuses_what_is_no_toml),
        cmocka_unit_test(test_errors_name_the_place),
        cmocka_unit_test(test_parse_holds_the_limits),
        cmocka_unit_test(test_a_nul_inside_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
