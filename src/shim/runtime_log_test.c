// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "base/own.h"
#include "shim/runtime_log.h"

static void test_the_last_error_is_found(void **state)
{
    static const struct {
        const char *log;
        const char *words; /* NULL: there is none */
    } cases[] = {
        {"{\"level\":\"error\",\"msg\":\"first\",\"time\":\"t\"}\n"
         "{\"level\":\"error\",\"msg\":\"second\",\"time\":\"t\"}\n",
         "second"},
        /* crun has another order, and blanks */
        {"{ \"msg\" : \"no \\\"x\\\"\\u0021\" , \"level\" : \"error\", \"time\":\"t\" }\n",
         "no \"x\"!"},
        {"{\"level\":\"error\",\"msg\":\"kept\"}\n{\"level\":\"warning\",\"msg\":\"later\"}\n",
         "kept"},
        {"{\"level\":\"fatal\",\"n\":3,\"ok\":true,\"msg\":\"end\"}", "end"},
        {"{\"msg\":\"tab\\there\\n\\u00fc\\u20ac\\ud83d\\ude00\",\"level\":\"error\"}",
         "tab\there\n\xc3\xbc\xe2\x82\xac??"},
        {"{\"level\":\"error\",\"msg\":\"\"}", ""},
        {"", NULL},
        {"not JSON\n", NULL},
        {"{\"level\":\"error\"}\n", NULL},
        {"{\"level\":\"info\",\"msg\":\"x\"}\n", NULL},
        {"{\"level\":\"error\",\"msg\":\"cut o", NULL},
        {"{\"level\":\"error\",\"msg\":\"bad\\q\"}", NULL},
        {"{\"level\":\"error\",\"msg\":\"bad\\u12\"}", NULL},
        {"{\"msg\":\"x\\", NULL},
        {"{", NULL},
        {"{\"level\":\"error\",\"msg\":\"good\"}\ngarbage\n", "good"},
    };
    char out[64];
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t len = strlen(cases[i].log);
        AUTO_FREE char *copy = xmemdup(cases[i].log, len);
        bool is_found = runtime_log_last_error(copy, len, out, sizeof out);

        if (is_found != (cases[i].words != NULL))
            fail_msg("case %zu", i);
        if (is_found)
            assert_string_equal(out, cases[i].words);
    }
}

static void test_long_words_are_cut(void **state)
{
    static const char log[] = "{\"level\":\"error\",\"msg\":\"0123456789\"}";
    char out[5];
    (void)state;

    assert_true(runtime_log_last_error(log, sizeof log - 1, out, sizeof out));
    assert_string_equal(out, "0123");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_last_error_is_found),
        cmocka_unit_test(test_long_words_are_cut),
    };

    return cmocka_run_group_tests_name("runtime_log", tests, NULL, NULL);
}
