// SPDX-License-Identifier: Apache-2.0
#include "tls/fence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tls/certificate.h"

enum { DONE = 42, FAILED = 43 };

/* Behind the fence, in a process of its own. */
static int behind(bool (*deed)(void))
{
    struct error err;
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        if (fence_drop_powers(&err) < 0 || fence_close(&err) < 0)
            _exit(FAILED);
        _exit(deed() ? DONE : FAILED);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool make_a_certificate(void)
{
    static const struct certificate_options options = {"", "", "", TLS1_2_VERSION};
    struct error err;
    struct certificate *c = certificate_new(&options, &err);

    certificate_free(c);
    return c != NULL;
}

static bool say_that_a_file_is_missing(void)
{
    static const struct certificate_options options = {"/no/cert", "/no/key", "", TLS1_2_VERSION};
    struct error err;

    return !certificate_new(&options, &err) && err.code == ERROR_INVALID;
}

static bool set_an_alarm(void)
{
    return alarm(100) == 0;
}

static bool connect_to_somebody(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static bool execute(void)
{
    return execl("/bin/true", "true", NULL) == 0;
}

static void test_what_it_does_later_can_be_done(void **state)
{
    (void)state;
    assert_int_equal(behind(make_a_certificate), DONE);
    assert_int_equal(behind(say_that_a_file_is_missing), DONE);
    assert_int_equal(behind(set_an_alarm), DONE);
}

static void test_what_a_stranger_would_do_cannot(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip();
#endif
    assert_int_equal(behind(connect_to_somebody), EXIT_FAILURE);
    assert_int_equal(behind(execute), EXIT_FAILURE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_it_does_later_can_be_done),
        cmocka_unit_test(test_what_a_stranger_would_do_cannot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
