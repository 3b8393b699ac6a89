// SPDX-License-Identifier: Apache-2.0
#include "ctl/publish.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_what_people_write_is_read(void **state)
{
    static const struct {
        const char *text, *address;
        int host, port, protocol;
    } table[] = {
        {"8080:80", "", 8080, 80, 0},          {"8080:80/tcp", "", 8080, 80, 0},
        {"53:53/udp", "", 53, 53, 1},          {"127.0.0.1:1:65535/sctp", "127.0.0.1", 1, 65535, 2},
        {"[::1]:8080:80", "::1", 8080, 80, 0},
    };
    struct arena a;
    struct error err;
    (void)state;

    arena_init(&a, 1 << 20);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const Runtime__V1__PortMapping *m = publish_parse(table[i].text, &a, &err);

        if (!m)
            fail_msg("%s", err.text);
        assert_string_equal(m->host_ip, table[i].address);
        assert_int_equal(m->host_port, table[i].host);
        assert_int_equal(m->container_port, table[i].port);
        assert_int_equal(m->protocol, table[i].protocol);
    }
    arena_fini(&a);
}

static void test_what_makes_no_sense_is_refused(void **state)
{
    static const char *const bad[] = {
        "",       "80",         "80:",         ":80",        "80:80:",     "0:80",
        "80:0",   "65536:80",   "80:65536",    "80:80/icmp", "80:80/",     "80:80x",
        "80x:80", "host:80:80", "1.2.3:80:80", "::1:80:80",  "[::1]80:80", "[::1:80:80",
        "-1:80",  "+8:80",      "8 :80",       "000080:80",
    };
    struct arena a;
    (void)state;

    arena_init(&a, 1 << 20);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error err = {0};

        if (publish_parse(bad[i], &a, &err))
            fail_msg("%s was taken", bad[i]);
        assert_int_equal(err.code, ERROR_INVALID);
    }
    arena_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_people_write_is_read),
        cmocka_unit_test(test_what_makes_no_sense_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
