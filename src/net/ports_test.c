// SPDX-License-Identifier: Apache-2.0
#include "net/ports.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
/* cmocka wants the above first. */
#include <cmocka.h>

#include "base/json.h"
#include "base/own.h"

#define ANNOTATION(k, v)                                                                           \
    {                                                                                              \
        .base = PROTOBUF_C_MESSAGE_INIT(                                                           \
            &runtime__v1__pod_sandbox_config__annotations_entry__descriptor),                      \
        .key = (char *)(k), .value = (char *)(v)                                                   \
    }

static void test_a_pod_that_asks_for_nothing_gets_nothing(void **state)
{
    Runtime__V1__PodSandboxConfig config = RUNTIME__V1__POD_SANDBOX_CONFIG__INIT;
    JSON_AUTO *out = NULL;
    struct error err = {0};
    (void)state;

    assert_int_equal(ports_capabilities(&config, &out, &err), 0);
    assert_string_equal(json_text(out), "{}");
}

static void test_ports_of_the_host_are_mapped_and_others_left_out(void **state)
{
    Runtime__V1__PortMapping web = RUNTIME__V1__PORT_MAPPING__INIT, inside = web;
    Runtime__V1__PortMapping *ports[] = {&inside, &web};
    Runtime__V1__PodSandboxConfig config = RUNTIME__V1__POD_SANDBOX_CONFIG__INIT;
    JSON_AUTO *out = NULL;
    struct error err = {0};
    (void)state;

    inside.container_port = 81;
    web.container_port = 80, web.host_port = 8080, web.host_ip = (char *)"10.0.0.9";
    web.protocol = RUNTIME__V1__PROTOCOL__UDP;
    config.port_mappings = ports, config.n_port_mappings = 2;
    assert_int_equal(ports_capabilities(&config, &out, &err), 0);
    assert_string_equal(json_text(out),
                        "{\"portMappings\":[{\"hostPort\":8080,\"containerPort\":80,"
                        "\"protocol\":\"udp\",\"hostIP\":\"10.0.0.9\"}]}");
    web.host_port = 65536;
    assert_int_equal(ports_capabilities(&config, &out, &err), -1);
    assert_string_equal(err.text, "port_mappings: host_port 65536 is not a port");
    web.host_port = -1, web.host_ip = (char *)"here";
    assert_int_equal(ports_capabilities(&config, &out, &err), -1);
    assert_string_equal(err.text, "port_mappings: host_port -1 is not a port");
    web.host_port = 1;
    assert_int_equal(ports_capabilities(&config, &out, &err), -1);
    assert_string_equal(err.text, "port_mappings: host_ip \"here\" is no address");
    web.host_ip = (char *)"::1";
    web.host_port = 1, web.protocol = (Runtime__V1__Protocol)9;
    assert_int_equal(ports_capabilities(&config, &out, &err), -1);
    assert_string_equal(err.text, "port_mappings: protocol 9 is not known");
}

static void test_bandwidth_comes_from_annotations(void **state)
{
    Runtime__V1__PodSandboxConfig__AnnotationsEntry in = ANNOTATION(
                                                        "kubernetes.io/ingress-bandwidth", "10M"),
                                                    *all[] = {&in};
    Runtime__V1__PodSandboxConfig config = RUNTIME__V1__POD_SANDBOX_CONFIG__INIT;
    JSON_AUTO *out = NULL;
    struct error err = {0};
    (void)state;

    config.annotations = all, config.n_annotations = 1;
    assert_int_equal(ports_capabilities(&config, &out, &err), 0);
    assert_string_equal(
        json_text(out),
        "{\"bandwidth\":{\"ingressRate\":10000000,\"ingressBurst\":4294967295,\"egressRate\":0,"
        "\"egressBurst\":0},\"io.kubernetes.cri.pod-annotations\":"
        "{\"kubernetes.io/ingress-bandwidth\":\"10M\"}}");
}

static void test_bandwidth_must_be_reasonable(void **state)
{
    static const char *const cases[] = {"", "fast", "999", "2P", "-1M"};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Runtime__V1__PodSandboxConfig__AnnotationsEntry out_rate =
            ANNOTATION("kubernetes.io/egress-bandwidth", cases[i]);
        Runtime__V1__PodSandboxConfig__AnnotationsEntry *all[] = {&out_rate};
        Runtime__V1__PodSandboxConfig config = RUNTIME__V1__POD_SANDBOX_CONFIG__INIT;
        struct json_object *out = NULL;
        struct error err = {0};

        config.annotations = all, config.n_annotations = 1;
        assert_int_equal(ports_capabilities(&config, &out, &err), -1);
        assert_non_null(strstr(err.text, "annotation kubernetes.io/egress-bandwidth: "));
        assert_null(out);
    }
}

static void test_dns_and_cgroup_are_passed_on(void **state)
{
    char *servers[] = {(char *)"10.0.0.10"}, *searches[] = {(char *)"svc", (char *)"local"};
    Runtime__V1__DNSConfig dns = RUNTIME__V1__DNSCONFIG__INIT;
    Runtime__V1__LinuxPodSandboxConfig linux = RUNTIME__V1__LINUX_POD_SANDBOX_CONFIG__INIT;
    Runtime__V1__PodSandboxConfig config = RUNTIME__V1__POD_SANDBOX_CONFIG__INIT;
    JSON_AUTO *out = NULL;
    struct error err = {0};
    (void)state;

    dns.servers = servers, dns.n_servers = 1;
    dns.searches = searches, dns.n_searches = 2;
    linux.cgroup_parent = (char *)"/kubepods/pod1";
    config.dns_config = &dns, config.linux = &linux;
    assert_int_equal(ports_capabilities(&config, &out, &err), 0);
    assert_string_equal(json_text(out),
                        "{\"dns\":{\"servers\":[\"10.0.0.10\"],\"searches\":[\"svc\",\"local\"],"
                        "\"options\":[]},\"cgroupPath\":\"/kubepods/pod1\"}");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_pod_that_asks_for_nothing_gets_nothing),
        cmocka_unit_test(test_ports_of_the_host_are_mapped_and_others_left_out),
        cmocka_unit_test(test_bandwidth_comes_from_annotations),
        cmocka_unit_test(test_bandwidth_must_be_reasonable),
        cmocka_unit_test(test_dns_and_cgroup_are_passed_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
