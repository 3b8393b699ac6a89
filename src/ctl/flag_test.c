// SPDX-License-Identifier: Apache-2.0
#include "ctl/flag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static bool all, follow;
static const char *name;
static int64_t seconds;
static struct strv envs;
static const struct flag flags[] = {{"all", 'a', FLAG_SWITCH, &all, NULL, "all of them"},
                                    {"follow", 'f', FLAG_SWITCH, &follow, NULL, "go on"},
                                    {"name", 'n', FLAG_TEXT, &name, "NAME", "call it so"},
                                    {"timeout", 0, FLAG_NUMBER, &seconds, "S", "seconds"},
                                    {"env", 'e', FLAG_LIST, &envs, "K=V", "environment"},
                                    {0}};

static int parse(bool stops, struct strv *args, struct error *err, const char *line)
{
    struct strv argv = {0};
    static struct strv kept; /* values point into it */

    all = follow = false;
    name = NULL;
    seconds = -1;
    strv_fini(&envs);
    strv_fini(&kept);
    strv_add_split(&argv, line, ' ');
    kept = argv;
    return flag_parse(flags, argv.items, stops, args, err);
}

static void test_flags_and_arguments_mix(void **state)
{
    struct strv args = {0};
    struct error err = {0};
    (void)state;

    assert_int_equal(parse(false, &args, &err, "one -af --name=x two --timeout 7 -e A=1 -eB=2"), 0);
    assert_true(all && follow);
    assert_string_equal(name, "x");
    assert_int_equal(seconds, 7);
    assert_int_equal(envs.len, 2);
    assert_string_equal(envs.items[1], "B=2");
    assert_int_equal(args.len, 2);
    assert_string_equal(args.items[1], "two");
    strv_fini(&args);
}

static void test_a_command_line_keeps_its_own_flags(void **state)
{
    static const char *const lines[] = {"-a image -- ls -f -- x", "-a image ls -f -- x"};
    (void)state;

    for (size_t i = 0; i < 2; i++) {
        struct strv args = {0};
        struct error err = {0};

        assert_int_equal(parse(true, &args, &err, lines[i]), 0);
        assert_true(all);
        assert_false(follow);
        assert_int_equal(args.len, 5);
        assert_string_equal(args.items[0], "image");
        assert_string_equal(args.items[1], "ls");
        assert_string_equal(args.items[2], "-f");
        assert_string_equal(args.items[3], "--");
        strv_fini(&args);
    }
}

static void test_a_wrong_flag_is_named(void **state)
{
    static const char *const wrong[][2] = {
        {"--nam x", "there is no option --nam"},
        {"-x", "there is no option -x"},
        {"--all=1", "--all takes no value"},
        {"--name", "--name needs a value: NAME"},
        {"-n", "-n needs a value: NAME"},
        {"--timeout -1", "--timeout wants a number, not \"-1\""},
        {"--timeout 1h", "--timeout wants a number, not \"1h\""},
    };
    (void)state;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct strv args = {0};
        struct error err = {0};

        assert_int_equal(parse(false, &args, &err, wrong[i][0]), -1);
        assert_int_equal(err.code, ERROR_INVALID);
        assert_string_equal(err.text, wrong[i][1]);
        strv_fini(&args);
    }
}

static void test_help_is_aligned_however_long_a_flag_is(void **state)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    flag_print_row("--short", "says so", out);
    flag_print_row("--some-flag-that-is-longer SO", "says so", out);
    fclose(out);
    assert_string_equal(text, "  --short                    says so\n"
                              "  --some-flag-that-is-longer SO\n"
                              "                             says so\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flags_and_arguments_mix),
        cmocka_unit_test(test_a_command_line_keeps_its_own_flags),
        cmocka_unit_test(test_a_wrong_flag_is_named),
        cmocka_unit_test(test_help_is_aligned_however_long_a_flag_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
