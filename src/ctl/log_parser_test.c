// SPDX-License-Identifier: Apache-2.0
#include "ctl/log_parser.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"

#define TIME "2026-11-23T12:00:00.123456789+01:00"

struct outputs {
    struct buf streams[2];
};

static void collect(void *data, bool is_stderr, const char *text, size_t len)
{
    struct outputs *o = data;
    struct error err;

    assert_int_equal(buf_append(&o->streams[is_stderr], text, len, &err), 0);
}

static void check(const char *log, size_t piece, const char *out, const char *err_out)
{
    struct outputs o = {{BUF(4096), BUF(4096)}};
    struct log_parser p = {0};
    size_t len = strlen(log);

    for (size_t at = 0; at < len; at += piece)
        log_parser_feed(&p, log + at, len - at < piece ? len - at : piece, collect, &o);
    assert_string_equal(o.streams[0].data ? o.streams[0].data : "", out);
    assert_string_equal(o.streams[1].data ? o.streams[1].data : "", err_out);
    buf_fini(&o.streams[0]);
    buf_fini(&o.streams[1]);
}

static const struct {
    const char *log, *out, *err_out;
} cases[] = {
    {TIME " stdout F hello\n", "hello\n", ""},
    {TIME " stderr F hello\n" TIME " stdout F you\n", "you\n", "hello\n"},
    {TIME " stdout P one \n" TIME " stdout P two \n" TIME " stdout F three\n", "one two three\n",
     ""},
    {TIME " stdout F \n", "\n", ""},
    {TIME " stdout P \n", "", ""},
    {TIME " stdout F  two spaces\n", " two spaces\n", ""},
    {TIME " stdout F not at its end", "not at its end", ""},
    {"\n", "\n", ""},
    {"no record at all\n" TIME " stderr F x\n", "no record at all\n", "x\n"},
    {TIME " stdout X what\n", TIME " stdout X what\n", ""},
    {TIME " stdxxx F what\n", TIME " stdxxx F what\n", ""},
    {"a b c d e f\n", "a b c d e f\n", ""},
    {"0123456789012345678901234567890123456789012345678901234567890123456789\n",
     "0123456789012345678901234567890123456789012345678901234567890123456789\n", ""},
};

static void test_records_become_what_was_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(cases[i].log, 4096, cases[i].out, cases[i].err_out);
}

static void test_pieces_of_any_size_give_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t piece = 1; piece < 64; piece++)
            check(cases[i].log, piece, cases[i].out, cases[i].err_out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records_become_what_was_written),
        cmocka_unit_test(test_pieces_of_any_size_give_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
