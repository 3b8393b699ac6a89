// SPDX-License-Identifier: Apache-2.0
#include "base/message.h"

#include <cri.pb-c.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char good[] = "\xC3\xA4", bad[] = "\xFF";

static void test_strings_are_looked_at_wherever_they_are(void **state)
{
    Runtime__V1__ContainerConfig config = RUNTIME__V1__CONTAINER_CONFIG__INIT;
    Runtime__V1__ContainerMetadata metadata = RUNTIME__V1__CONTAINER_METADATA__INIT;
    Runtime__V1__ContainerConfig__LabelsEntry label =
        RUNTIME__V1__CONTAINER_CONFIG__LABELS_ENTRY__INIT;
    Runtime__V1__ContainerConfig__LabelsEntry *labels[] = {&label, &label};
    char *args[] = {good, good};

    (void)state;
    assert_true(message_is_text(&config.base));
    config.metadata = &metadata;
    config.labels = labels;
    config.n_labels = 2;
    config.args = args;
    config.n_args = 2;
    metadata.name = label.key = label.value = config.log_path = good;
    assert_true(message_is_text(&config.base));
    for (int i = 0; i < 4; i++) {
        char **places[] = {&metadata.name, &label.value, &config.log_path, &args[1]};

        *places[i] = bad;
        assert_false(message_is_text(&config.base));
        *places[i] = good;
    }
}

static void test_bytes_may_be_anything(void **state)
{
    Runtime__V1__ExecSyncResponse response = RUNTIME__V1__EXEC_SYNC_RESPONSE__INIT;

    (void)state;
    response.stdout = (ProtobufCBinaryData){1, (uint8_t *)bad};
    assert_true(message_is_text(&response.base));
}

/* Packs a name with a NUL in it; protobuf-c's own strings cannot have one. */
static void test_a_nul_is_found_wherever_it_is(void **state)
{
    static char args[2][4] = {"abc", "dXf"};
    char *list[] = {args[0], args[1]};
    Runtime__V1__KeyValue env = RUNTIME__V1__KEY_VALUE__INIT, *envs[] = {&env};
    Runtime__V1__CreateContainerRequest request = RUNTIME__V1__CREATE_CONTAINER_REQUEST__INIT;
    Runtime__V1__ContainerConfig config = RUNTIME__V1__CONTAINER_CONFIG__INIT;
    const ProtobufCFieldDescriptor *found;
    uint8_t *data, nul[1] = {0};
    size_t len;

    (void)state;
    config.args = list, config.n_args = 2;
    config.envs = envs, config.n_envs = 1;
    env.value = (ProtobufCBinaryData){1, nul}; /* those are bytes */
    request.config = &config;
    data = message_pack(&request.base, &len);
    assert_null(message_find_nul(request.base.descriptor, data, len));
    *(char *)memchr(data, 'X', len) = '\0';
    found = message_find_nul(request.base.descriptor, data, len);
    assert_non_null(found);
    assert_string_equal(found->name, "args");
    for (size_t i = 0; i < len; i++) /* damaged ones lead nowhere */
        (void)message_find_nul(request.base.descriptor, data, i);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings_are_looked_at_wherever_they_are),
        cmocka_unit_test(test_bytes_may_be_anything),
        cmocka_unit_test(test_a_nul_is_found_wherever_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
