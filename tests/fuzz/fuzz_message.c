// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <cri.pb-c.h>
#include <stdint.h>

#include "base/message.h"

/* A request, looked through before it is unpacked: for NUL bytes in its strings. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const ProtobufCMessageDescriptor *type = &runtime__v1__create_container_request__descriptor;
    const ProtobufCFieldDescriptor *found = message_find_nul(type, data, len);

    assert(!found || found->type == PROTOBUF_C_TYPE_STRING);
    return 0;
}
