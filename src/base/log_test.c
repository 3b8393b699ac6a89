// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

enum { LINES = 3000 };

/* Standard error becomes a pipe. Returns its other end. */
static int redirect(int *out_before)
{
    int ends[2];

    unsetenv("JOURNAL_STREAM");
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    *out_before = dup(STDERR_FILENO);
    assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    close(ends[1]);
    return ends[0];
}

static void restore(int before)
{
    assert_int_equal(dup2(before, STDERR_FILENO), STDERR_FILENO);
    close(before);
}

static size_t read_some(int fd, char *text, size_t size)
{
    ssize_t n = read(fd, text, size - 1);

    assert_true(n > 0);
    text[n] = '\0';
    return (size_t)n;
}

static void test_a_reader_that_does_not_read_holds_up_nobody(void **state)
{
    int before, reader = redirect(&before);
    int64_t began = clock_monotonic_ns();
    static char text[1024 * 1024];
    unsigned lost = 0;
    size_t lines = 0;

    (void)state;
    for (int i = 0; i < LINES; i++)
        log_info("line %d, which is long enough to fill what a pipe holds", i);
    assert_true(clock_monotonic_ns() - began < 10 * CLOCK_NS_PER_S);
    read_some(reader, text, sizeof text);
    for (const char *at = text; (at = strchr(at, '\n')); at++)
        lines++;
    assert_in_range(lines, 100, LINES - 1);
    log_info("there is room");
    restore(before);
    read_some(reader, text, sizeof text);
    assert_non_null(strstr(text, "lines of the log were lost\n"));
    lost = (unsigned)strtoul(strstr(text, "warn ") + 5, NULL, 10);
    assert_int_equal(lost + lines, LINES);
    assert_non_null(strstr(text, "there is room\n"));
    close(reader);
}

static void test_a_line_is_one_line(void **state)
{
    int before, reader = redirect(&before);
    char text[4096];

    (void)state;
    log_warn("two\nlines\x1b[31m");
    restore(before);
    read_some(reader, text, sizeof text);
    assert_non_null(strstr(text, " warn two lines [31m\n"));
    close(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_reader_that_does_not_read_holds_up_nobody),
        cmocka_unit_test(test_a_line_is_one_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
