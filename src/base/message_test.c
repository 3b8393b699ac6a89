// SPDX-License-Identifier: Apache-2.0
#include "base/message.h"

#include <cri.pb-c.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings_are_looked_at_wherever_they_are),
        cmocka_unit_test(test_bytes_may_be_anything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
