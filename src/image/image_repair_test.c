// SPDX-License-Identifier: Apache-2.0
#include "image/image_repair.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/file.h"
#include "image/usage.h"

#define ZEROS  "00000000000000000000000000000000000000000000000000000000000000"
#define ID     "sha256:" ZEROS "0a"
#define CHAIN  "sha256:" ZEROS "0c"
#define FOLDER "layers/" ZEROS "0c"
#define BLOBS  "content/blobs/sha256/"

static char root[] = "/tmp/berth-repair-XXXXXX";
static int root_fd;

static void write_file(const char *name, const char *text)
{
    struct error err;

    assert_int_equal(file_store(root_fd, name, text, strlen(text), 0644, &err), 0);
}

static int make_root(void **state)
{
    AUTO_FREE char *fs = NULL, *blobs = NULL;
    char text[USAGE_TEXT_SIZE];
    struct usage usage;
    struct error err;
    (void)state;

    memset(root + strlen(root) - 6, 'X', 6);
    if (!mkdtemp(root))
        return -1;
    fs = xasprintf("%s/" FOLDER "/fs", root);
    blobs = xasprintf("%s/" BLOBS, root);
    root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file_make_dirs(fs, 0755, &err) < 0 || file_make_dirs(blobs, 0755, &err) < 0)
        return -1;
    write_file(FOLDER "/fs/file", "contents");
    write_file(BLOBS ZEROS "0a", "{}");
    if (usage_measure(root_fd, FOLDER "/fs", USAGE_DATA, &usage, &err) < 0)
        return -1;
    usage_format(&usage, text);
    write_file(FOLDER "/size", text);
    return 0;
}

static int remove_root(void **state)
{
    struct error err;
    (void)state;

    fd_close(&root_fd);
    return file_remove_tree(AT_FDCWD, root, &err);
}

static void count_kept(void *data, struct image *taken)
{
    ++*(int *)data;
    image_free(taken);
}

static void ignore_image(void *data, const struct image *i)
{
    (void)data;
    (void)i;
}

static void ignore_layer(void *data, const char *chain_id)
{
    (void)data;
    (void)chain_id;
}

static void ignore(void *data)
{
    (void)data;
}

/* Whether the image is kept, when the node was up at that time for the last time. */
static int is_kept(bool closely, int64_t last_sign_s)
{
    int kept = 0;
    const struct image_repair_options options = {.root = root,
                                                 .closely = closely,
                                                 .last_sign_s = last_sign_s,
                                                 .keep = count_kept,
                                                 .forget = ignore_image,
                                                 .remove_layer = ignore_layer,
                                                 .sifted = ignore,
                                                 .fetch_again = ignore_image,
                                                 .data = &kept};
    const struct image_layer layer = {.chain_id = (char *)CHAIN, .digest = (char *)CHAIN};
    struct image_repair *r = image_repair_new(&options);
    struct image *i = image_new(ID);
    struct error err;

    i->target = xstrdup(ID);
    i->manifest = xstrdup(ID);
    image_set_config(i, xstrdup("{}"));
    image_add_layer(i, &layer);
    image_repair_add(r, i);
    assert_int_equal(image_repair_start(r, &err), 0);
    image_repair_wait(r);
    image_repair_free(r);
    return kept;
}

static void lose_contents(void)
{
    AUTO_CLOSE int fd = openat(root_fd, FOLDER "/fs/file", O_RDWR | O_CLOEXEC);
    struct stat st;

    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(pwrite(fd, "\0\0\0\0\0\0\0", 8, 0), 8);
    assert_int_equal(futimens(fd, (struct timespec[]){st.st_atim, st.st_mtim}), 0);
}

static void test_layers_are_read_that_were_young(void **state)
{
    int64_t now = time(NULL);
    (void)state;

    assert_int_equal(is_kept(true, now), 1);
    lose_contents();
    assert_int_equal(is_kept(true, 0), 0);
    assert_int_equal(is_kept(true, now + IMAGE_REPAIR_YOUNG_S / 2), 0);
    assert_int_equal(is_kept(true, now + 2 * IMAGE_REPAIR_YOUNG_S),
                     1);                      /* it was written long ago */
    assert_int_equal(is_kept(false, now), 1); /* the power was there all the time */
}

static void test_names_are_looked_at_however_old(void **state)
{
    (void)state;
    assert_int_equal(unlinkat(root_fd, FOLDER "/fs/file", 0), 0);
    assert_int_equal(is_kept(false, 0), 1);
    assert_int_equal(is_kept(true, time(NULL) + 2 * IMAGE_REPAIR_YOUNG_S), 0);
}

static void test_a_damaged_blob_goes_and_so_does_the_image(void **state)
{
    (void)state;
    write_file(BLOBS ZEROS "0a", "{\"cut\": ");
    assert_int_equal(is_kept(true, 0), 0);
    assert_int_equal(faccessat(root_fd, BLOBS ZEROS "0a", F_OK, 0), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_root, remove_root)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_layers_are_read_that_were_young),
        TEST(test_names_are_looked_at_however_old),
        TEST(test_a_damaged_blob_goes_and_so_does_the_image),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
