// SPDX-License-Identifier: Apache-2.0
#include "image/fetch_log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fd.h"

/* What one look at the progress says, as if the last line was so long ago. */
static void see(struct fetch_log *l, int64_t ago_s, const struct image_progress *p,
                char out[static 512])
{
    AUTO_CLOSE int log = memfd_create("log", MFD_CLOEXEC), before = dup(STDERR_FILENO);
    ssize_t n;

    l->said_ns -= ago_s * CLOCK_NS_PER_S;
    assert_int_equal(dup2(log, STDERR_FILENO), STDERR_FILENO);
    fetch_log_progress(l, p);
    assert_int_equal(dup2(before, STDERR_FILENO), STDERR_FILENO);
    n = pread(log, out, 511, 0);
    assert_true(n >= 0);
    out[n] = '\0';
}

static void test_a_long_pull_tells_now_and_then_how_far_it_is(void **state)
{
    struct fetch_log l;
    char text[512];
    (void)state;

    fetch_log_init(&l, "pull", "r/x:1");
    see(&l, 0, &(struct image_progress){"a", "downloading", 10, 100}, text);
    assert_string_equal(text, "");
    see(&l, 1, &(struct image_progress){"b", "downloading", 5, 50}, text);
    assert_string_equal(text, "");
    see(&l, FETCH_LOG_INTERVAL_S, &(struct image_progress){"a", "downloading", 40, 100}, text);
    assert_non_null(strstr(text, "info pull r/x:1: 45 of 150 bytes in 2 layers"));
    see(&l, 1, &(struct image_progress){"a", "done", 100, 100}, text);
    assert_string_equal(text, "");
    see(&l, FETCH_LOG_INTERVAL_S, &(struct image_progress){"b", "done", 50, 50}, text);
    assert_non_null(strstr(text, "150 of 150 bytes in 2 layers"));
    fetch_log_fini(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_long_pull_tells_now_and_then_how_far_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
