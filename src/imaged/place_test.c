// SPDX-License-Identifier: Apache-2.0
#include "imaged/place.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"

/* A root to place things in, and something beside it that must not be reached. */
static char top[32];
static int root = -1;
static struct place place;

static int set_up(void **state)
{
    (void)state;
    memcpy(top, "/tmp/place-test.XXXXXX", sizeof "/tmp/place-test.XXXXXX");
    if (!mkdtemp(top) || chdir(top) < 0 || mkdir("root", 0755) < 0 || mkdir("outside", 0755) < 0)
        return -1;
    root = open("root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    place_init(&place, root);
    return root < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    struct error err;

    (void)state;
    place_fini(&place);
    fd_close(&root);
    return chdir("/") < 0 ? -1 : file_remove_tree(AT_FDCWD, top, &err);
}

static bool is_folder(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Finds the place of path and makes a file there. */
static void make_file(const char *path)
{
    struct error err = {0};

    if (place_find(&place, path, &err) < 0)
        fail_msg("%s: %s", path, err.text);
    AUTO_CLOSE int fd =
        openat(place.parent, place.name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
}

static void assert_refused(const char *path, const char *words)
{
    struct error err = {0};

    assert_int_equal(place_find(&place, path, &err), -1);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" does not say \"%s\"", err.text, words);
}

static void test_clean_stays_at_the_root(void **state)
{
    static const char *const cases[][2] = {
        {"", ""},          {"/", ""},
        {".", ""},         {"..", ""},
        {"../../a", "a"},  {"/a", "a"},
        {"./a/", "a"},     {"a//b", "a/b"},
        {"a/./b", "a/b"},  {"a/../b", "b"},
        {"a/b/..", "a"},   {"a/../../../b/c/../d", "b/d"},
        {"...", "..."},    {"..a/.b", "..a/.b"},
        {"a/b/../..", ""},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char out[PATH_MAX];
        struct error err;

        assert_int_equal(place_clean(cases[i][0], out, &err), 0);
        assert_string_equal(out, cases[i][1]);
    }
}

static void test_missing_parents_are_made_and_noted(void **state)
{
    (void)state;
    make_file("a/b/f");
    make_file("a/b/g");
    make_file("a/c/f");
    assert_true(is_folder("root/a/b"));
    assert_int_equal(place.implied.len, 3);
    assert_string_equal(place.implied.items[0], "a");
    assert_string_equal(place.implied.items[1], "a/b");
    assert_string_equal(place.implied.items[2], "a/c");
}

static void test_links_lead_nowhere_but_inside(void **state)
{
    static const char *const targets[] = {"/outside", "../outside", "../../../../outside",
                                          "./../x/../outside"};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(targets); i++) {
        AUTO_FREE char *link = xasprintf("l%zu", i), *name = xasprintf("%s/f%zu", link, i);

        assert_int_equal(symlinkat(targets[i], root, link), 0);
        make_file(name);
    }
    for (size_t i = 0; i < COUNT_OF(targets); i++) {
        AUTO_FREE char *inside = xasprintf("root/outside/f%zu", i);

        assert_int_equal(access(inside, F_OK), 0);
    }
    assert_int_equal(rmdir("outside"), 0); /* still empty */
    assert_int_equal(mkdir("outside", 0755), 0);
}

static void test_files_and_rings_in_the_way_are_refused(void **state)
{
    (void)state;
    make_file("file");
    assert_int_equal(symlinkat("ring", root, "ring"), 0);
    assert_refused("file/x", "Not a directory");
    assert_refused("ring/x", "symbolic links");
    assert_refused("ring/x/y", "symbolic links");
}

static void test_a_replaced_parent_is_found_anew_when_told(void **state)
{
    (void)state;
    make_file("a/f");
    assert_int_equal(renameat(root, "a", root, "old"), 0);
    place_forget(&place);
    make_file("a/f");
    assert_int_equal(access("root/a/f", F_OK), 0);
}

static void test_depth_is_limited(void **state)
{
    char path[PATH_MAX] = "";
    struct error err;
    (void)state;

    for (size_t i = 0; i < PLACE_DEPTH_MAX; i++)
        memcpy(path + 2 * i, "d/", 3);
    assert_int_equal(place_find(&place, path, &err), 0);
    memcpy(path + 2 * PLACE_DEPTH_MAX, "d/d/f", 6);
    assert_refused(path, "deep");
}

static void test_the_parent_of_a_link_target_is_not_made(void **state)
{
    char name[NAME_MAX + 1];
    struct error err;
    (void)state;

    make_file("a/f");
    AUTO_CLOSE int dir = place_open_parent(&place, "/../a/f", name, &err);
    assert_true(dir >= 0);
    assert_string_equal(name, "f");
    assert_int_equal(place_open_parent(&place, "no/f", name, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_int_equal(place_open_parent(&place, "..", name, &err), -1);
    assert_false(is_folder("root/no"));
}

#define PLACE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean_stays_at_the_root),
        PLACE_TEST(test_missing_parents_are_made_and_noted),
        PLACE_TEST(test_links_lead_nowhere_but_inside),
        PLACE_TEST(test_files_and_rings_in_the_way_are_refused),
        PLACE_TEST(test_a_replaced_parent_is_found_anew_when_told),
        PLACE_TEST(test_depth_is_limited),
        PLACE_TEST(test_the_parent_of_a_link_target_is_not_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
