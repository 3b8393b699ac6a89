// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>

#include "base/error.h"
#include "base/strv.h"

/* result: what a network's ADD came to, in any version from 0.1.0 to 1.1.0. Any thread. */
enum { RESULT_IPS_MAX = 256 };

/* Adds the addresses, without their prefix lengths, that belong to ifname; those that name no
 * interface belong to own_ifname, the one that the network was asked to make. */
MUST_CHECK int result_add_ips(struct json_object *result, const char *own_ifname,
                              const char *ifname, struct strv *ips, struct error *err);

/* Moves the first address of the preferred family to the front: "" or ipv4, ipv6; cni leaves all
 * as they are. */
void result_prefer(struct strv *ips, const char *ip_pref);
