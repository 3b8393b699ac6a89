// SPDX-License-Identifier: Apache-2.0
#include "oci/cdi_cache.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"

static struct {
    char dir[32];
    struct cdi_cache *cache;
    struct error err;
} t;

static int set_up(void **state)
{
    AUTO_FINI(strv) folders = {0};

    (void)state;
    snprintf(t.dir, sizeof t.dir, "/tmp/berth-cdi-XXXXXX");
    if (!mkdtemp(t.dir))
        return -1;
    strv_addf(&folders, "%s/low", t.dir);
    strv_addf(&folders, "%s/high", t.dir);
    t.cache = cdi_cache_new(&folders);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cdi_cache_free(t.cache);
    return file_remove_tree(AT_FDCWD, t.dir, &t.err);
}

static void store(const char *folder, const char *name, const char *text)
{
    AUTO_FREE char *dir = xasprintf("%s/%s", t.dir, folder);
    AUTO_FREE char *path = xasprintf("%s/%s", dir, name);

    assert_int_equal(file_make_dirs(dir, 0755, &t.err), 0);
    assert_int_equal(file_store(AT_FDCWD, path, text, strlen(text), 0644, &t.err), 0);
}

/* A file with one device, whose variable tells which file it is. */
static void put(const char *folder, const char *name, const char *device, const char *value)
{
    AUTO_FREE char *text = xasprintf("cdiVersion: 0.6.0\nkind: v.com/c\ndevices:\n- name: %s\n"
                                     "  containerEdits: {env: [\"IS=%s\"]}\n",
                                     device, value);

    store(folder, name, text);
}

/* What the device's variable says; "none" or "conflict". */
static const char *look(const char *name)
{
    static char text[64];
    AUTO(cdi_catalog) *catalog = cdi_cache_read(t.cache);
    const struct cdi_device *device = cdi_catalog_find(catalog, name);

    snprintf(text, sizeof text, "%s",
             !device            ? "none"
             : device->conflict ? "conflict"
                                : json_str(json_at(json_get(device->edits, "env"), 0)));
    return text;
}

static void test_files_are_found_and_others_passed_over(void **state)
{
    (void)state;
    assert_string_equal(look("v.com/c=a"), "none"); /* no folder yet */
    put("low", "a.yaml", "a", "a");
    put("low", ".b.yaml", "b", "hidden");
    put("low", "c.yml", "c", "of another kind");
    put("low/below", "d.yaml", "d", "below");
    store("low", "e.json", "{");
    store("low", "f.json",
          "{\"cdiVersion\":\"0.5.0\",\"kind\":\"v.com/c\",\"devices\":"
          "[{\"name\":\"f\",\"containerEdits\":{\"env\":[\"IS=f\"]}}]}");
    assert_string_equal(look("v.com/c=a"), "IS=a");
    assert_string_equal(look("v.com/c=f"), "IS=f");
    assert_string_equal(look("v.com/c=b"), "none");
    assert_string_equal(look("v.com/c=c"), "none");
    assert_string_equal(look("v.com/c=d"), "none");
}

static void test_later_folders_win_and_one_folder_must_agree(void **state)
{
    (void)state;
    put("low", "a.yaml", "x", "low");
    put("high", "a.yaml", "x", "high");
    assert_string_equal(look("v.com/c=x"), "IS=high");
    put("high", "b.yaml", "x", "high too");
    assert_string_equal(look("v.com/c=x"), "conflict");
    put("low", "b.yaml", "y", "1");
    put("low", "c.yaml", "y", "2");
    assert_string_equal(look("v.com/c=y"), "conflict");
    put("high", "c.yaml", "y", "settled");
    assert_string_equal(look("v.com/c=y"), "IS=settled");
}

static void test_a_change_is_seen_and_a_catalog_stays(void **state)
{
    AUTO_FREE char *path = xasprintf("%s/low/a.yaml", t.dir);

    (void)state;
    put("low", "a.yaml", "x", "1");
    AUTO(cdi_catalog) *first = cdi_cache_read(t.cache);
    AUTO(cdi_catalog) *again = cdi_cache_read(t.cache);
    assert_ptr_equal(first, again);
    put("low", "a.yaml", "x", "2");
    assert_string_equal(look("v.com/c=x"), "IS=2");
    assert_int_equal(unlink(path), 0);
    assert_string_equal(look("v.com/c=x"), "none");
    assert_non_null(cdi_catalog_find(first, "v.com/c=x"));
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        WITH(test_files_are_found_and_others_passed_over),
        WITH(test_later_folders_win_and_one_folder_must_agree),
        WITH(test_a_change_is_seen_and_a_catalog_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
