// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "base/own.h"
#include "net/conf.h"
#include "net/result.h"

/* What a plugin answers, and what a configuration file holds. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct error err;
    JSON_AUTO *tree = json_parse((const char *)data, len, &err);
    AUTO_FINI(strv) ips = {0};
    struct conf_network network;

    if (!tree)
        return 0;
    if (result_add_ips(tree, "eth0", "eth0", &ips, &err) == 0 && ips.len > 0) {
        size_t n = ips.len;

        result_prefer(&ips, "ipv6");
        assert(ips.len == n && !strchr(ips.items[0], '/'));
    }
    if (conf_network_init(&network, tree, &err) == 0) {
        assert(network.n_plugins > 0 && !strchr(network.name, '/'));
        conf_network_fini(&network);
    }
    return 0;
}
