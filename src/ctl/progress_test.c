// SPDX-License-Identifier: Apache-2.0
#include "ctl/progress.h"

#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <termios.h>

#include <cmocka.h>

#include "base/fd.h"

#define LAYER "sha256:0123456789abcdef0123"

static void test_without_a_terminal_a_new_state_is_a_line(void **state)
{
    char text[256] = "";
    struct progress p;
    FILE *out = tmpfile();
    (void)state;

    progress_init(&p, out);
    progress_update(&p, LAYER, "waiting", 0, 2000);
    progress_update(&p, LAYER, "downloading", 0, 2000);
    progress_update(&p, LAYER, "downloading", 1000, 2000);
    progress_update(&p, LAYER, "done", 2000, 2000);
    progress_end(&p);
    rewind(out);
    assert_true(fread(text, 1, sizeof text - 1, out) > 0);
    assert_string_equal(text, "0123456789ab  downloading  2.0 kB\n"
                              "0123456789ab  done         2.0 kB\n");
    fclose(out);
}

/* What was sent to a terminal comes in pieces of the kernel's choice: reads until it is there. */
static void read_until(int master, char *text, size_t size, const char *wanted)
{
    struct pollfd ready = {.fd = master, .events = POLLIN};
    size_t len = 0;

    while (!strstr(text, wanted) && poll(&ready, 1, 60 * 1000) > 0) {
        ssize_t n = read(master, text + len, size - 1 - len);

        assert_true(n > 0);
        len += (size_t)n;
    }
}

static void test_on_a_terminal_lines_are_drawn_over(void **state)
{
    AUTO_CLOSE int master = -1;
    int slave = -1;
    char text[1024] = "";
    struct winsize size = {.ws_row = 3, .ws_col = 80};
    struct progress p;
    FILE *out;
    (void)state;

    assert_int_equal(openpty(&master, &slave, NULL, NULL, &size), 0);
    out = fdopen(slave, "w");
    progress_init(&p, out);
    assert_true(p.is_terminal);
    assert_int_equal(p.rows, 3);
    progress_update(&p, "sha256:a", "downloading", 1, 4);
    progress_update(&p, "sha256:b", "waiting", 0, 0);
    progress_update(&p, "sha256:c", "exists", 0, 0);
    assert_int_equal(p.drawn, 2); /* one row is the cursor's */
    read_until(master, text, sizeof text, "c  exists     \r\n");
    assert_non_null(strstr(text, "a  downloading  [======                  ]  1 B / 4 B"));
    assert_non_null(strstr(text, "\033[2A\r\033[Kb  waiting"));
    fclose(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_a_terminal_a_new_state_is_a_line),
        cmocka_unit_test(test_on_a_terminal_lines_are_drawn_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
