// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "base/own.h"
#include "imaged/errand_message.h"

/* As a request: what is taken means the same after it was told on. */
static void try_request(const char *text, size_t len)
{
    AUTO_FINI(errand_request) first = {0}, second = {0};
    JSON_AUTO *told = NULL;
    struct error err;
    int again;

    if (errand_request_decode(text, len, &first, &err) < 0)
        return;
    assert(first.kept >= 0 && first.kept <= first.descriptor.size);
    if (first.kind == ERRAND_RESOLVE)
        return;
    told = errand_request_encode(first.kind, &first.descriptor, first.kept);
    text = json_text(told);
    again = errand_request_decode(text, strlen(text), &second, &err);
    assert(again == 0 && second.kind == first.kind && second.kept == first.kept);
    assert(strcmp(second.descriptor.digest, first.descriptor.digest) == 0);
}

/* As a report, and as the words behind one. */
static void try_report(const char *bytes, size_t len)
{
    struct errand_report report;
    struct error err = {0};

    if (len < sizeof report)
        return;
    memcpy(&report, bytes, sizeof report);
    if (errand_report_check(&report, 1000, &err) == 0)
        assert(report.len <= ERRAND_REPORT_MAX && report.received <= 1000 && report.received >= 0);
    JSON_AUTO *words = json_parse(bytes + sizeof report, len - sizeof report, &err);
    if (!words)
        return;
    errand_failure_decode(words, &err);
    assert(err.code != ERROR_OK && memchr(err.text, '\0', sizeof err.text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    try_request((const char *)data, len);
    try_report((const char *)data, len);
    return 0;
}
