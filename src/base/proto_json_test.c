// SPDX-License-Identifier: Apache-2.0
#include "base/proto_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "cri.pb-c.h"

static void test_every_kind_of_field(void **state)
{
    Runtime__V1__ContainerMetadata metadata = RUNTIME__V1__CONTAINER_METADATA__INIT;
    Runtime__V1__Container__LabelsEntry label = RUNTIME__V1__CONTAINER__LABELS_ENTRY__INIT;
    Runtime__V1__Container__LabelsEntry *labels[] = {&label};
    Runtime__V1__Container c = RUNTIME__V1__CONTAINER__INIT;
    JSON_AUTO *json = NULL;
    (void)state;

    metadata.name = (char *)"web";
    metadata.attempt = UINT32_MAX;
    label.key = (char *)"app";
    label.value = (char *)"shop";
    c.id = (char *)"c1";
    c.metadata = &metadata;
    c.state = RUNTIME__V1__CONTAINER_STATE__CONTAINER_RUNNING;
    c.created_at = INT64_MAX;
    c.n_labels = 1;
    c.labels = labels;
    json = proto_json_of(&c.base);
    assert_string_equal(json_text(json),
                        "{\"id\":\"c1\",\"podSandboxId\":\"\","
                        "\"metadata\":{\"name\":\"web\",\"attempt\":4294967295},\"image\":null,"
                        "\"imageRef\":\"\",\"state\":\"CONTAINER_RUNNING\","
                        "\"createdAt\":\"9223372036854775807\",\"labels\":{\"app\":\"shop\"},"
                        "\"annotations\":{},\"imageId\":\"\"}");
}

static void test_lists_and_bytes(void **state)
{
    static const char *const texts[] = {"", "f", "fo", "foo", "foob"};
    static const char *const encoded[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="};
    (void)state;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        Runtime__V1__ExecSyncResponse response = RUNTIME__V1__EXEC_SYNC_RESPONSE__INIT;
        JSON_AUTO *json = NULL;

        response.stdout.data = (uint8_t *)texts[i];
        response.stdout.len = strlen(texts[i]);
        json = proto_json_of(&response.base);
        assert_string_equal(json_get_str(json, "stdout"), encoded[i]);
    }
}

static void test_lists_of_text(void **state)
{
    char *tags[] = {(char *)"a:1", (char *)"a:2"};
    Runtime__V1__Image image = RUNTIME__V1__IMAGE__INIT;
    JSON_AUTO *json = NULL;
    (void)state;

    image.n_repo_tags = 2;
    image.repo_tags = tags;
    image.size = UINT64_MAX;
    json = proto_json_of(&image.base);
    assert_int_equal(json_len(json_get(json, "repoTags")), 2);
    assert_string_equal(json_str(json_at(json_get(json, "repoTags"), 1)), "a:2");
    assert_string_equal(json_get_str(json, "size"), "18446744073709551615");
}

static void test_terse_is_without_defaults_and_with_numbers(void **state)
{
    Runtime__V1__ContainerMetadata metadata = RUNTIME__V1__CONTAINER_METADATA__INIT;
    Runtime__V1__KeyValue env = RUNTIME__V1__KEY_VALUE__INIT;
    Runtime__V1__KeyValue *envs[] = {&env};
    Runtime__V1__LinuxContainerResources resources = RUNTIME__V1__LINUX_CONTAINER_RESOURCES__INIT;
    Runtime__V1__LinuxContainerConfig linux_ = RUNTIME__V1__LINUX_CONTAINER_CONFIG__INIT;
    Runtime__V1__ContainerConfig c = RUNTIME__V1__CONTAINER_CONFIG__INIT;
    char *args[] = {(char *)"", (char *)"a"};
    JSON_AUTO *json = NULL;
    (void)state;

    metadata.name = (char *)"web";
    env.key = (char *)"K";
    env.value.data = (uint8_t *)"v";
    env.value.len = 1;
    resources.memory_limit_in_bytes = INT64_MAX;
    linux_.resources = &resources;
    c.metadata = &metadata;
    c.n_args = 2;
    c.args = args;
    c.n_envs = 1;
    c.envs = envs;
    c.tty = true;
    c.linux = &linux_;
    c.stop_signal = RUNTIME__V1__SIGNAL__SIGNAL_SIGTERM;
    json = proto_json_terse(&c.base);
    assert_string_equal(json_text(json),
                        "{\"metadata\":{\"name\":\"web\"},\"args\":[\"\",\"a\"],"
                        "\"envs\":[{\"key\":\"K\",\"value\":\"dg==\"}],\"tty\":true,"
                        "\"linux\":{\"resources\":{\"memory_limit_in_bytes\":9223372036854775807}},"
                        "\"stop_signal\":23}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_of_field),
        cmocka_unit_test(test_lists_and_bytes),
        cmocka_unit_test(test_lists_of_text),
        cmocka_unit_test(test_terse_is_without_defaults_and_with_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
