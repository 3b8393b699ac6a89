// SPDX-License-Identifier: Apache-2.0
#include "image/file_sum.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"

static unsigned char bytes[4096];

static int fill(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 167 + i / 256);
    return 0;
}

static void test_pieces_add_up_wherever_they_are_cut(void **state)
{
    const uint64_t whole = file_sum_of(bytes, sizeof bytes, 0);
    (void)state;

    for (size_t a = 0; a < 40; a++) {
        for (size_t b = a; b < 80; b++) {
            uint64_t sum = file_sum_of(bytes + b, sizeof bytes - b, b);

            sum += file_sum_of(bytes, a, 0);
            sum += file_sum_of(bytes + a, b - a, a);
            assert_true(sum == whole);
        }
    }
}

static void test_each_bit_and_each_place_counts(void **state)
{
    const uint64_t whole = file_sum_of(bytes, sizeof bytes, 0);
    (void)state;

    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] ^= (unsigned char)(1U << i % 8);
        assert_true(file_sum_of(bytes, sizeof bytes, 0) != whole);
        bytes[i] ^= (unsigned char)(1U << i % 8);
    }
    memset(bytes + 512, 0, 512);
    assert_true(file_sum_of(bytes, sizeof bytes, 0) != whole);
    fill(NULL);
    assert_true(file_sum_of(bytes, 8, 0) != file_sum_of(bytes, 8, 8));
}

static void test_holes_are_zeros(void **state)
{
    AUTO_CLOSE int fd = memfd_create("sparse", MFD_CLOEXEC);
    const off_t far = (off_t)1 << 40;
    struct error err;
    uint64_t sum = 1;
    (void)state;

    assert_int_equal(file_sum_read(fd, &sum, &err), 0);
    assert_true(sum == 0);
    assert_int_equal(pwrite(fd, bytes, 100, 7), 100);
    assert_int_equal(pwrite(fd, bytes, 100, far), 100);
    assert_int_equal(ftruncate(fd, far + far), 0);
    assert_int_equal(file_sum_read(fd, &sum, &err), 0);
    assert_true(sum == file_sum_of(bytes, 100, 7) + file_sum_of(bytes, 100, (uint64_t)far));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_pieces_add_up_wherever_they_are_cut, fill),
        cmocka_unit_test_setup(test_each_bit_and_each_place_counts, fill),
        cmocka_unit_test_setup(test_holes_are_zeros, fill),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
