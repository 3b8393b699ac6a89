// SPDX-License-Identifier: Apache-2.0
#include "net/ports.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "base/own.h"
#include "net/quantity.h"

enum { PORT_MAX = 65535 };

static const uint64_t RATE_MIN = 1000;                       /* 1k bits a second */
static const uint64_t RATE_MAX = UINT64_C(1000000000000000); /* 1P */
static const uint64_t BURST_UNLIMITED = UINT32_MAX;

static const char *protocol_name(Runtime__V1__Protocol protocol)
{
    switch (protocol) {
    case RUNTIME__V1__PROTOCOL__TCP:
        return "tcp";
    case RUNTIME__V1__PROTOCOL__UDP:
        return "udp";
    case RUNTIME__V1__PROTOCOL__SCTP:
        return "sctp";
    default:
        return NULL;
    }
}

/* For the plugin another one would stand for all addresses. */
static bool is_address(const char *text)
{
    struct in6_addr unused;

    return inet_pton(AF_INET, text, &unused) == 1 || inet_pton(AF_INET6, text, &unused) == 1;
}

static int add_mapping(struct json_object *mappings, const Runtime__V1__PortMapping *port,
                       struct error *err)
{
    const char *protocol = protocol_name(port->protocol);
    struct json_object *mapping;

    if (!protocol)
        return error_set(err, ERROR_INVALID, "port_mappings: protocol %d is not known",
                         (int)port->protocol);
    if (port->host_port < 0 || port->host_port > PORT_MAX)
        return error_set(err, ERROR_INVALID, "port_mappings: host_port %d is not a port",
                         port->host_port);
    if (port->container_port <= 0 || port->container_port > PORT_MAX)
        return error_set(err, ERROR_INVALID, "port_mappings: container_port %d is not a port",
                         port->container_port);
    if (*port->host_ip && !is_address(port->host_ip))
        return error_set(err, ERROR_INVALID, "port_mappings: host_ip \"%.80s\" is no address",
                         port->host_ip);
    mapping = json_add_object(mappings, NULL);
    json_add_int(mapping, "hostPort", port->host_port);
    json_add_int(mapping, "containerPort", port->container_port);
    json_add_str(mapping, "protocol", protocol);
    json_add_str(mapping, "hostIP", port->host_ip);
    return 0;
}

static int add_port_mappings(struct json_object *to, const Runtime__V1__PodSandboxConfig *config,
                             struct error *err)
{
    JSON_AUTO *mappings = json_object_new_array();

    for (size_t i = 0; i < config->n_port_mappings; i++)
        if (config->port_mappings[i]->host_port != 0 &&
            add_mapping(mappings, config->port_mappings[i], err) < 0)
            return -1;
    if (json_len(mappings) > 0)
        json_add(to, "portMappings", TAKE(mappings));
    return 0;
}

static const char *find_annotation(const Runtime__V1__PodSandboxConfig *config, const char *key)
{
    for (size_t i = 0; i < config->n_annotations; i++)
        if (strcmp(config->annotations[i]->key, key) == 0)
            return config->annotations[i]->value;
    return NULL;
}

/* 0 when the pod says nothing about it. */
static int read_rate(const Runtime__V1__PodSandboxConfig *config, const char *key, uint64_t *out,
                     struct error *err)
{
    const char *text = find_annotation(config, key);
    uint64_t rate = 0;

    if (text && quantity_parse(text, RATE_MAX, &rate, err) < 0)
        return error_wrap(err, "annotation %s", key);
    if (text && rate < RATE_MIN)
        return error_set(err, ERROR_INVALID,
                         "annotation %s: resource is unreasonably small (< 1kbit): \"%s\"", key,
                         text);
    *out = rate;
    return 0;
}

static int add_bandwidth(struct json_object *to, const Runtime__V1__PodSandboxConfig *config,
                         struct error *err)
{
    struct json_object *bandwidth;
    uint64_t in = 0, out = 0;

    if (read_rate(config, "kubernetes.io/ingress-bandwidth", &in, err) < 0 ||
        read_rate(config, "kubernetes.io/egress-bandwidth", &out, err) < 0)
        return -1;
    if (in == 0 && out == 0)
        return 0;
    bandwidth = json_add_object(to, "bandwidth");
    json_add_uint(bandwidth, "ingressRate", in);
    json_add_uint(bandwidth, "ingressBurst", in ? BURST_UNLIMITED : 0);
    json_add_uint(bandwidth, "egressRate", out);
    json_add_uint(bandwidth, "egressBurst", out ? BURST_UNLIMITED : 0);
    return 0;
}

static void add_texts(struct json_object *to, const char *key, char **texts, size_t n)
{
    struct json_object *array = json_add_array(to, key);

    for (size_t i = 0; i < n; i++)
        json_add_str(array, NULL, texts[i]);
}

static void add_dns(struct json_object *to, const Runtime__V1__DNSConfig *config)
{
    struct json_object *dns = json_add_object(to, "dns");

    add_texts(dns, "servers", config->servers, config->n_servers);
    add_texts(dns, "searches", config->searches, config->n_searches);
    add_texts(dns, "options", config->options, config->n_options);
}

static void add_annotations(struct json_object *to, const Runtime__V1__PodSandboxConfig *config)
{
    struct json_object *all = json_add_object(to, "io.kubernetes.cri.pod-annotations");

    for (size_t i = 0; i < config->n_annotations; i++)
        json_add_str(all, config->annotations[i]->key, config->annotations[i]->value);
}

int ports_capabilities(const Runtime__V1__PodSandboxConfig *config, struct json_object **out,
                       struct error *err)
{
    JSON_AUTO *all = json_object_new_object();

    if (add_port_mappings(all, config, err) < 0 || add_bandwidth(all, config, err) < 0)
        return -1;
    if (config->dns_config)
        add_dns(all, config->dns_config);
    if (config->linux && *config->linux->cgroup_parent)
        json_add_str(all, "cgroupPath", config->linux->cgroup_parent);
    if (config->n_annotations > 0)
        add_annotations(all, config);
    *out = TAKE(all);
    return 0;
}
