// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/own.h"
#include "imaged/hosts.h"
#include "imaged/hosts_file.h"

/* A hosts.toml. What is taken goes into URLs and header lines. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    AUTO_FINI(hosts) hosts = {0};
    struct error err;

    if (hosts_file_decode((const char *)data, len, "/dir", "r.example:5000", &hosts, &err) < 0)
        return 0;
    for (size_t i = 0; i < hosts.len; i++) {
        const struct host *h = &hosts.items[i];

        assert(*h->authority && !strpbrk(h->authority, "/@ \r\n"));
        assert(h->certs.len == h->keys.len && h->dial_timeout_ms > 0);
        for (size_t n = 0; n < h->headers.len; n++)
            assert(!strpbrk(h->headers.items[n], "\r\n"));
    }
    return 0;
}
