// SPDX-License-Identifier: Apache-2.0
#include "net/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
/* cmocka wants the above first. */
#include <cmocka.h>

#include <fcntl.h>

#include "base/file.h"
#include "base/json.h"
#include "base/own.h"

static char dir[] = "/tmp/berth-conf-XXXXXX";

static int make_dir(void **state)
{
    memcpy(dir + sizeof dir - 7, "XXXXXX", 6);
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    struct error err;
    (void)state;

    return file_remove_tree(AT_FDCWD, dir, &err);
}

static void put(const char *name, const char *text)
{
    AUTO_FREE char *path = xasprintf("%s/%s", dir, name);
    struct error err = {0};

    if (file_store(AT_FDCWD, path, text, strlen(text), 0644, &err) < 0)
        fail_msg("%s", err.text);
}

static struct conf *load(unsigned max)
{
    struct error err = {0};
    struct conf *c = conf_load(dir, max, &err);

    if (!c)
        fail_msg("%s", err.text);
    return c;
}

static void expect_failure(const char *words)
{
    struct error err = {0};
    struct conf *c = conf_load(dir, 0, &err);

    assert_null(c);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" is not in \"%s\"", words, err.text);
}

static void test_load_takes_the_first_in_order(void **state)
{
    struct conf *c;
    (void)state;

    put("20-b.conflist", "{\"name\":\"b\",\"plugins\":[{\"type\":\"x\"}]}");
    put("10-a.conf", "{\"name\":\"a\",\"cniVersion\":\"0.4.0\",\"type\":\"y\",\"k\":1}\n");
    put("00-notes.txt", "not JSON");
    put("Z.json", "{\"name\":\"z\",\"type\":\"y\"}");
    c = load(1);
    assert_int_equal(c->n_networks, 1);
    assert_string_equal(c->networks[0].name, "a");
    assert_string_equal(c->networks[0].version, "0.4.0");
    assert_string_equal(c->networks[0].plugins[0].type, "y");
    assert_true(conf_network_speaks(&c->networks[0], 0, 4));
    conf_unref(c);
    c = load(0);
    assert_int_equal(c->n_networks, 3);
    assert_string_equal(c->networks[1].name, "b");
    assert_string_equal(c->networks[2].name, "z");
    conf_unref(c);
}

static void test_load_of_nothing_says_so(void **state)
{
    AUTO_FREE char *words = xasprintf("no network config found in %s", dir);
    (void)state;

    expect_failure(words);
    remove_dir(NULL);
    expect_failure(words);
}

static void test_load_refuses_what_is_invalid(void **state)
{
    static const char *const cases[][2] = {
        {"", "JSON at byte"},
        {"{", "JSON at byte"},
        {"[]", "the network has no name"},
        {"{\"plugins\":[{\"type\":\"x\"}]}", "the network has no name"},
        {"{\"name\":\"../x\",\"plugins\":[{\"type\":\"x\"}]}", "network name \"../x\""},
        {"{\"name\":\"a\"}", "network a has 0 plugins"},
        {"{\"name\":\"a\",\"plugins\":[]}", "network a has 0 plugins"},
        {"{\"name\":\"a\",\"plugins\":[{}]}", "plugin 0 has no type"},
        {"{\"name\":\"a\",\"plugins\":[3]}", "plugin 0 has no type"},
        {"{\"name\":\"a\",\"cniVersion\":\"7.0.0\",\"plugins\":[{\"type\":\"x\"}]}", "newer than"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        put("10.conflist", cases[i][0]);
        expect_failure(cases[i][1]);
        expect_failure("10.conflist");
    }
    put("10.conflist", "{\"name\":\"a\",\"plugins\":[{\"type\":\"x\"}]}");
    put("20.conf", "{\"name\":\"a\",\"plugins\":[{\"type\":\"x\"}]}");
    expect_failure("network type not found");
}

static void test_plugins_may_lie_beside_the_list(void **state)
{
    AUTO_FREE char *side = xasprintf("%s/a", dir);
    struct conf *c;
    (void)state;

    assert_int_equal(mkdir(side, 0700), 0);
    put("10.conflist", "{\"name\":\"a\",\"plugins\":[{\"type\":\"x\"}]}");
    put("a/2.conf", "{\"type\":\"z\"}");
    put("a/1.conf", "{\"type\":\"y\"}");
    put("a/3.conflist", "not JSON");
    c = load(0);
    assert_int_equal(c->networks[0].n_plugins, 3);
    assert_string_equal(c->networks[0].plugins[1].type, "y");
    assert_string_equal(c->networks[0].plugins[2].type, "z");
    assert_non_null(strstr(c->networks[0].source, "\"type\":\"z\""));
    conf_unref(c);
    put("10.conflist",
        "{\"name\":\"a\",\"loadOnlyInlinedPlugins\":\"true\",\"plugins\":[{\"type\":\"x\"}]}");
    c = load(0);
    assert_int_equal(c->networks[0].n_plugins, 1);
    conf_unref(c);
}

static void test_what_is_unknown_is_kept_as_it_is(void **state)
{
    static const char plugin[] =
        "{\"type\":\"x\",\"big\":18446744073709551615,\"f\":1.10,\"e\":1e5,"
        "\"n\":null,\"s\":\"a\\/b\"}";
    AUTO_FREE char *list = xasprintf("{\"name\":\"a\",\"plugins\":[%s]}", plugin);
    struct conf *c;
    (void)state;

    put("10.conflist", list);
    c = load(0);
    assert_string_equal(c->networks[0].plugins[0].text,
                        "{\"type\":\"x\",\"big\":18446744073709551615,\"f\":1.10,\"e\":1e5,"
                        "\"n\":null,\"s\":\"a/b\"}");
    conf_unref(c);
}

static void test_a_reference_outlives_the_owner(void **state)
{
    struct conf *c, *kept;
    (void)state;

    put("10.conflist", "{\"name\":\"a\",\"plugins\":[{\"type\":\"x\"}]}");
    c = load(0);
    kept = conf_ref(c);
    conf_unref(c);
    assert_string_equal(kept->networks[0].name, "a");
    conf_unref(kept);
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        IN_DIR(test_load_takes_the_first_in_order),    IN_DIR(test_load_of_nothing_says_so),
        IN_DIR(test_load_refuses_what_is_invalid),     IN_DIR(test_plugins_may_lie_beside_the_list),
        IN_DIR(test_what_is_unknown_is_kept_as_it_is), IN_DIR(test_a_reference_outlives_the_owner),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
