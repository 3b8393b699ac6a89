// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/own.h"
#include "shim/log_framer.h"

enum { OUT_MAX = 16 * 1024 * 1024, HEAD_LEN = sizeof "1970-01-01T00:00:00Z stdout " - 1 };

static struct log_batch batch;

/* Appends the records of the batch without their time and stream: "F hello\n". */
static void collect(struct buf *out)
{
    AUTO_FINI(buf) whole = BUF(OUT_MAX);
    struct error err;

    for (int i = 0; i < batch.n; i++) {
        assert_true(batch.iov[i].iov_len > 0);
        assert_int_equal(buf_append(&whole, batch.iov[i].iov_base, batch.iov[i].iov_len, &err), 0);
    }
    for (size_t at = 0; at < whole.len;) {
        const char *end = memchr(whole.data + at, '\n', whole.len - at);

        assert_non_null(end);
        assert_memory_equal(whole.data + at, "1970-01-01T00:00:00Z stdout ", HEAD_LEN);
        at += HEAD_LEN;
        assert_int_equal(
            buf_append(out, whole.data + at, (size_t)(end + 1 - whole.data) - at, &err), 0);
        at = (size_t)(end + 1 - whole.data);
    }
}

static void push(struct log_framer *f, const char *data, size_t len, struct buf *out)
{
    /* From a block of exactly that size, so that a sanitizer sees what is read behind it. */
    AUTO_FREE char *copy = xmemdup(data, len);
    size_t done = 0;

    log_framer_begin(&batch, "stdout", 0);
    while (done < len) {
        done += log_framer_push(f, &batch, copy + done, len - done);
        assert_true(done <= len);
        collect(out);
    }
}

static void flush(struct log_framer *f, struct buf *out)
{
    log_framer_begin(&batch, "stdout", 0);
    log_framer_flush(f, &batch);
    collect(out);
}

/* All of data in portions of step bytes, and the end of the output. */
static void frame(const char *data, size_t len, int64_t line_max, size_t step, struct buf *out)
{
    struct log_framer f;

    log_framer_init(&f, line_max);
    for (size_t at = 0; at < len; at += step)
        push(&f, data + at, len - at < step ? len - at : step, out);
    flush(&f, out);
    log_framer_fini(&f);
}

static const struct {
    const char *data;
    int64_t line_max;
    const char *records;
} cases[] = {
    {"", 0, ""},
    {"hello\n", 0, "F hello\n"},
    {"a\nb\n\nc\n", 0, "F a\nF b\nF \nF c\n"},
    {"abcd", 0, "P abcd\n"},
    {"a\nb", 0, "F a\nP b\n"},
    {"\n", 0, "F \n"},
    {"\r\n", 0, "F \n"},
    {"a\r\nb\r\n", 0, "F a\nF b\n"},
    {"a\r\r\n", 0, "F a\r\n"},
    {"a\rb\n", 0, "F a\rb\n"},
    {"a\r", 0, "P a\r\n"},
    /* exactly the limit, one more, twice, twice and one more */
    {"1234\n", 4, "F 1234\n"},
    {"12345\n", 4, "P 1234\nF 5\n"},
    {"12345678\n", 4, "P 1234\nF 5678\n"},
    {"123456789\n", 4, "P 1234\nP 5678\nF 9\n"},
    {"1234", 4, "P 1234\n"},
    {"12345", 4, "P 1234\nP 5\n"},
    {"12345678", 4, "P 1234\nP 5678\n"},
    /* a carriage return at the limit */
    {"1234\r\n", 4, "F 1234\n"},
    {"1234\r5\n", 4, "P 1234\nF \r5\n"},
    {"1234\r\r\n", 4, "P 1234\nF \r\n"},
    {"1234\r", 4, "P 1234\nP \r\n"},
    {"123\r\n", 4, "F 123\n"},
    {"12345\r\n", 4, "P 1234\nF 5\n"},
    {"12345678\r\n", 4, "P 1234\nF 5678\n"},
    {"a\n", 1, "F a\n"},
    {"abc\r\n", 1, "P a\nP b\nF c\n"},
    {"abc", -1, "P abc\n"},
};

static void test_lines_become_records(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t len = strlen(cases[i].data);

        for (size_t step = 1; step <= len + 1; step++) {
            AUTO_FINI(buf) out = BUF(OUT_MAX);
            AUTO_FREE char *text = NULL;

            frame(cases[i].data, len, cases[i].line_max, step, &out);
            text = buf_take(&out);
            if (strcmp(text, cases[i].records) != 0)
                fail_msg("case %zu by %zu: %s instead of %s", i, step, text, cases[i].records);
        }
    }
}

static void test_the_head_has_time_and_stream(void **state)
{
    (void)state;
    log_framer_begin(&batch, "stderr", 1500000000);
    assert_string_equal(batch.full, "1970-01-01T00:00:01.5Z stderr F ");
    assert_string_equal(batch.partial, "1970-01-01T00:00:01.5Z stderr P ");
    assert_int_equal(batch.head_len, strlen(batch.full));
    assert_int_equal(batch.n, 0);
}

static void test_held_bytes_are_let_go_of(void **state)
{
    AUTO_FINI(buf) out = BUF(OUT_MAX);
    struct log_framer f;
    (void)state;

    log_framer_init(&f, 0);
    push(&f, "half", 4, &out);
    assert_int_equal(out.len, 0);
    assert_non_null(f.held);
    push(&f, " a line\nnext\n", 13, &out);
    assert_string_equal(out.data, "F half a line\nF next\n");
    push(&f, "x\n", 2, &out);
    assert_null(f.held);
    log_framer_fini(&f);
}

static void test_flushing_begins_a_new_line(void **state)
{
    AUTO_FINI(buf) out = BUF(OUT_MAX);
    struct log_framer f;
    (void)state;

    log_framer_init(&f, 0);
    push(&f, "half", 4, &out);
    flush(&f, &out);
    push(&f, "other\n", 6, &out);
    assert_string_equal(out.data, "P half\nF other\n");
    log_framer_fini(&f);
}

static void test_no_limit_has_a_limit(void **state)
{
    AUTO_FINI(buf) out = BUF(OUT_MAX);
    size_t len = LOG_FRAMER_LINE_MAX + 10;
    AUTO_FREE char *data = xmalloc(len);
    (void)state;

    memset(data, 'x', len);
    frame(data, len, 0, 64 * 1024, &out);
    assert_int_equal(out.len, len + 2 * sizeof "P \n" - 2);
}

/* The rule, written down without any care for speed. */
static void reference(const char *data, size_t len, size_t line_max, struct buf *out)
{
    struct error err;

    for (size_t at = 0; at < len;) {
        const char *newline = memchr(data + at, '\n', len - at);
        size_t end = newline ? (size_t)(newline - data) : len;
        size_t stop = newline && end > at && data[end - 1] == '\r' ? end - 1 : end;

        for (; stop - at > line_max; at += line_max)
            assert_int_equal(buf_printf(out, &err, "P %.*s\n", (int)line_max, data + at), 0);
        assert_int_equal(
            buf_printf(out, &err, "%c %.*s\n", newline ? 'F' : 'P', (int)(stop - at), data + at),
            0);
        at = end + 1;
    }
}

/* The same numbers each time. */
static size_t random_below(size_t limit)
{
    static uint32_t seed = 1;

    seed = seed * 1664525U + 1013904223U;
    return (seed >> 8) % limit;
}

static void test_any_portions_give_the_same_records(void **state)
{
    static const char letters[] = "ab\r\n\n\r";
    char data[4000];
    (void)state;

    for (int round = 0; round < 300; round++) {
        size_t len = random_below(sizeof data), line_max = 1 + random_below(9);
        AUTO_FINI(buf) expected = BUF(OUT_MAX), out = BUF(OUT_MAX);
        bool is_long = round % 3 == 0;

        for (size_t i = 0; i < len; i++)
            data[i] = letters[random_below(is_long && random_below(8) ? 3 : sizeof letters - 1)];
        reference(data, len, line_max, &expected);
        frame(data, len, (int64_t)line_max, 1 + random_below(700), &out);
        assert_int_equal(out.len, expected.len);
        if (len > 0)
            assert_memory_equal(out.data, expected.data, out.len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_become_records),
        cmocka_unit_test(test_the_head_has_time_and_stream),
        cmocka_unit_test(test_held_bytes_are_let_go_of),
        cmocka_unit_test(test_flushing_begins_a_new_line),
        cmocka_unit_test(test_no_limit_has_a_limit),
        cmocka_unit_test(test_any_portions_give_the_same_records),
    };

    setenv("TZ", "UTC0", 1);
    return cmocka_run_group_tests_name("log_framer", tests, NULL, NULL);
}
