// SPDX-License-Identifier: Apache-2.0
#include "oci/seccomp_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/own.h"

#define RULE(members)                                                                              \
    "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [{\"names\": [\"read\"], " members "}]" \
    "}"
#define ARG(members) RULE("\"action\": \"SCMP_ACT_ALLOW\", \"args\": [{" members "}]")

static const struct {
    const char *profile, *words; /* NULL: it is as it has to be */
} CASES[] = {
    {"{\"defaultAction\": \"SCMP_ACT_LOG\"}", NULL},
    {"{\"defaultAction\": \"SCMP_ACT_KILL_PROCESS\", \"architectures\": [\"SCMP_ARCH_X86_64\"], "
     "\"flags\": null, \"defaultErrnoRet\": 38, \"syscalls\": [], \"comment\": {}}",
     NULL},
    {RULE("\"action\": \"SCMP_ACT_ALLOW\", \"args\": null, \"comment\": \"\""), NULL},
    {RULE("\"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 1"), NULL},
    {ARG("\"index\": 5, \"value\": 1, \"valueTwo\": 2, \"op\": \"SCMP_CMP_MASKED_EQ\""), NULL},
    {"[]", "it is no JSON object"},
    {"{}", "defaultAction: what is missing is no action"},
    {"{\"defaultAction\": \"allow\"}", "defaultAction: \"allow\" is no action"},
    {"{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"architectures\": \"x\"}",
     "architectures is no list of names"},
    {"{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"flags\": [1]}", "flags: 1 is no name"},
    {"{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"defaultErrnoRet\": \"1\"}",
     "profile.defaultErrnoRet is no number"},
    {"{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": {}}", "syscalls is no list"},
    {"{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"name\": \"read\"}]}",
     "syscalls[0].names is no list of names"},
    {RULE("\"action\": \"SCMP_ACT_NO\""), "syscalls[0].action: \"SCMP_ACT_NO\" is no action"},
    {RULE("\"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": \"EPERM\""),
     "syscalls[0].errnoRet is no number"},
    {RULE("\"action\": \"SCMP_ACT_ALLOW\", \"args\": {}"), "syscalls[0].args is no list"},
    {ARG("\"index\": 6, \"value\": 1, \"op\": \"SCMP_CMP_EQ\""),
     "syscalls[0].args[0].index: a system call has 6 arguments"},
    {ARG("\"value\": 1, \"op\": \"SCMP_CMP_EQ\""), "syscalls[0].args[0].index is no number"},
    {ARG("\"index\": 0, \"value\": \"1\", \"op\": \"SCMP_CMP_EQ\""),
     "syscalls[0].args[0].value is no number"},
    {ARG("\"index\": 0, \"value\": 1, \"op\": \"==\""),
     "syscalls[0].args[0].op: \"==\" is no comparison"},
};

static void test_a_profile_says_what_it_means(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct error err = {0};
        JSON_AUTO *profile = json_parse(CASES[i].profile, strlen(CASES[i].profile), &err);
        int outcome;

        assert_non_null(profile);
        outcome = seccomp_check(profile, &err);
        if (!CASES[i].words && outcome < 0)
            fail_msg("%s: %s", CASES[i].profile, err.text);
        if (CASES[i].words && (outcome == 0 || strcmp(err.text, CASES[i].words) != 0))
            fail_msg("%s: \"%s\"", CASES[i].profile, outcome ? err.text : "it was granted");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_profile_says_what_it_means)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
