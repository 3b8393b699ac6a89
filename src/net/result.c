// SPDX-License-Identifier: Apache-2.0
#include "net/result.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/json.h"
#include "base/own.h"

static bool is_ipv6(const char *ip)
{
    return strchr(ip, ':') != NULL;
}

/* address is "10.1.2.3/24". */
static int add_ip(const char *address, struct strv *ips, struct error *err)
{
    const char *slash = address ? strchr(address, '/') : NULL;
    AUTO_FREE char *ip = slash ? xstrndup(address, (size_t)(slash - address)) : NULL;
    unsigned char binary[sizeof(struct in6_addr)];

    if (!ip || inet_pton(is_ipv6(ip) ? AF_INET6 : AF_INET, ip, binary) != 1)
        return error_set(err, ERROR_INVALID, "invalid CIDR address: %s", address ? address : "");
    if (ips->len == RESULT_IPS_MAX)
        return error_set(err, ERROR_EXHAUSTED, "more than %d addresses", RESULT_IPS_MAX);
    strv_add(ips, ip);
    return 0;
}

/* The interface that an entry of ips belongs to, or NULL with an error. */
static const char *interface_of(struct json_object *entry, struct json_object *result,
                                const char *own_ifname, struct error *err)
{
    struct json_object *index = json_get(entry, "interface");
    struct json_object *interfaces = json_get(result, "interfaces");
    int64_t i = json_get_int(entry, "interface", -1);
    const char *name;

    if (!index || json_len(interfaces) == 0)
        return own_ifname;
    name = i < 0 ? NULL : json_get_str(json_at(interfaces, (size_t)i), "name");
    if (!name)
        error_set(err, ERROR_INVALID, "invalid interface config: ips refer to interface %s of %zu",
                  json_text(index), json_len(interfaces));
    return name;
}

int result_add_ips(struct json_object *result, const char *own_ifname, const char *ifname,
                   struct strv *ips, struct error *err)
{
    static const char *const before_0_3[] = {"ip4", "ip6"};
    struct json_object *entries = json_get(result, "ips");

    for (size_t i = 0; i < COUNT_OF(before_0_3) && strcmp(own_ifname, ifname) == 0; i++) {
        struct json_object *entry = json_get(result, before_0_3[i]);

        if (entry && add_ip(json_get_str(entry, "ip"), ips, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < json_len(entries); i++) {
        struct json_object *entry = json_at(entries, i);
        const char *on = interface_of(entry, result, own_ifname, err);

        if (!on)
            return -1;
        if (strcmp(on, ifname) == 0 && add_ip(json_get_str(entry, "address"), ips, err) < 0)
            return -1;
    }
    return 0;
}

void result_prefer(struct strv *ips, const char *ip_pref)
{
    bool v6 = strcmp(ip_pref, "ipv6") == 0;
    size_t i = 0;
    char *first;

    if (strcmp(ip_pref, "cni") == 0)
        return;
    while (i < ips->len && is_ipv6(ips->items[i]) != v6)
        i++;
    if (i == 0 || i == ips->len)
        return;
    first = ips->items[i];
    memmove(ips->items + 1, ips->items, i * sizeof *ips->items);
    ips->items[0] = first;
}
