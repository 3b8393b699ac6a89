// SPDX-License-Identifier: Apache-2.0
#include "net/cni_template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
/* cmocka wants the above first. */
#include <cmocka.h>

#include "base/own.h"

static void test_what_is_rendered(void **state)
{
    static const struct {
        const char *text, *cidrs, *out;
    } cases[] = {
        {"", "10.0.0.0/8", ""},
        {"plain { } }}", "10.0.0.0/8", "plain { } }}"},
        {"{{.PodCIDR}}", "10.1.0.0/16, fd00::/64", "10.1.0.0/16"},
        {"{{ .PodCIDR }}", "fd00::/64", "fd00::/64"},
        {"[{{range $i, $r := .PodCIDRRanges}}{{if $i}}, {{end}}[{\"subnet\": \"{{$r}}\"}]{{end}}]",
         "10.1.0.0/16,fd00::/64",
         "[[{\"subnet\": \"10.1.0.0/16\"}], [{\"subnet\": \"fd00::/64\"}]]"},
        {"{{range $i, $r := .Routes}}{{if $i}}, {{end}}{{$r}}{{end}}",
         "fd00::/64,10.0.0.0/8,10.1.0.0/16", "0.0.0.0/0, ::/0"},
        {"{{range .Routes}}<{{.}}>{{end}}", "fd00::/64", "<::/0>"},
        {"{{range $r := .PodCIDRRanges}}{{$r}};{{end}}", "10.0.0.0/8,fd00::/64",
         "10.0.0.0/8;fd00::/64;"},
        {"a  {{- if .Routes -}}  b {{- end }} c", "10.0.0.0/8", "ab c"},
        {"{{if .PodCIDR}}{{range .Routes}}{{if .}}x{{end}}{{end}}{{end}}", "10.0.0.0/8", "x"},
        {"{{range $i, $a := .Routes}}{{range $j, $b := $.PodCIDRRanges}}{{$i}}{{$j}} "
         "{{end}}{{end}}",
         "1.0.0.0/8,fd00::/64", "00 01 10 11 "},
        {"{{range $i, $a := .Routes}}{{if $i}}{{range $b := $.Routes}}{{$b}}{{end}}{{end}}{{end}}",
         "1.0.0.0/8", ""},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO_FINI(cidrs) cidrs = {0};
        AUTO_FINI(buf) out = BUF(CNI_TEMPLATE_MAX);
        struct error err = {0};

        assert_int_equal(cidrs_parse(&cidrs, cases[i].cidrs, &err), 0);
        if (cni_template_render("t", cases[i].text, &cidrs, &out, &err) < 0)
            fail_msg("%s: %s", cases[i].text, err.text);
        assert_string_equal(out.len ? out.data : "", cases[i].out);
    }
}

static void test_what_is_refused(void **state)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"a\nb {{.Nope}}", "t line 2: not known: .Nope"},
        {"{{$x}}", "t line 1: not known: $x"},
        {"{{range $x := .Routes}}{{end}}{{$x}}", "t line 1: not known: $x"},
        {"\n\n{{if .PodCIDR}}\n", "t line 3: the action has no {{end}}"},
        {"{{end}}", "t line 1: there is nothing to end"},
        {"{{range .PodCIDR}}{{end}}", "t line 1: is no list: .PodCIDR"},
        {"{{.Routes}}", "t line 1: is a list, for range: .Routes"},
        {"{{range .Routes}}{{.PodCIDR}}{{end}}", "t line 1: not known inside of range: .PodCIDR"},
        {"{{range $i, .Routes}}{{end}}", "t line 1: this form of range is not known"},
        {"{{if}}{{end}}", "t line 1: if wants one value"},
        {"{{.PodCIDR", "t line 1: the action has no }}"},
        {"{{}}", "t line 1: the action is empty"},
        {"{{printf \"x\"}}", "t line 1: unknown action printf \"x\""},
        {"{{if .PodCIDR}}{{else}}{{end}}", "t line 1: not known: else"},
        {"{{template .x}}", "t line 1: unknown action template"},
    };
    AUTO_FINI(cidrs) cidrs = {0};
    struct error err = {0};
    (void)state;

    assert_int_equal(cidrs_parse(&cidrs, "10.0.0.0/8", &err), 0);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO_FINI(buf) out = BUF(CNI_TEMPLATE_MAX);

        assert_int_equal(cni_template_render("t", cases[i].text, &cidrs, &out, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID);
        assert_string_equal(err.text, cases[i].words);
    }
}

static char *repeated(const char *text, size_t times, const char *middle, const char *end)
{
    AUTO_FINI(buf) all = BUF(1024 * 1024);
    struct error err;

    for (size_t i = 0; i < times; i++)
        assert_int_equal(buf_append(&all, text, strlen(text), &err), 0);
    assert_int_equal(buf_append(&all, middle, strlen(middle), &err), 0);
    for (size_t i = 0; i < times; i++)
        assert_int_equal(buf_append(&all, end, strlen(end), &err), 0);
    return buf_take(&all);
}

static void test_what_is_too_much_is_refused(void **state)
{
    AUTO_FREE char *deep = repeated("{{if .PodCIDR}}", 9, "", "{{end}}");
    AUTO_FREE char *busy = repeated("{{range .PodCIDRRanges}}", 1, "", "{{end}}");
    AUTO_FREE char *many = repeated(busy, 5000, "", "");
    AUTO_FREE char *wide = repeated("0123456789abcdef", 4097, "", "");
    const char *const texts[] = {deep, many, wide};
    AUTO_FINI(cidrs) cidrs = {0};
    struct error err = {0};
    (void)state;

    assert_int_equal(cidrs_parse(&cidrs, "10.0.0.0/8,11.0.0.0/8", &err), 0);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        AUTO_FINI(buf) out = BUF(CNI_TEMPLATE_MAX);

        assert_int_equal(cni_template_render("t", texts[i], &cidrs, &out, &err), -1);
        assert_int_equal(err.code, ERROR_EXHAUSTED);
    }
}

static void test_what_is_no_cidr(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "10.0.0.0",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0/8",
        "fd00::/129",
        "/8",
        "10.0.0.0/-1",
        "10.0.0.0/8,",
        ",10.0.0.0/8",
        "10.0.0.0/8;::/0",
        "x/8",
        "10.0.0.0/08x",
        "1.2.3.4/8 9",
        "::1::/64",
        "10.0.0.0/0x8",
        "10.0.0.0/1000",
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct cidrs c = {0};
        struct error err = {0};

        assert_int_equal(cidrs_parse(&c, texts[i], &err), -1);
        assert_int_equal(err.code, ERROR_UNKNOWN);
        assert_null(c.ranges.items);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_rendered),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_what_is_too_much_is_refused),
        cmocka_unit_test(test_what_is_no_cidr),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
