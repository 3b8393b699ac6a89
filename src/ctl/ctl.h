// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "cri.pb-c.h"
#include "node.pb-c.h"
#include "rpc/client.h"

/* ctl: one run of berthctl: the daemon's socket, and memory for what it answers. */
struct ctl {
    const char *socket;
    struct rpc_client *client; /* connected by the first call */
    struct arena arena;        /* for answers, until the end */
    int cancel_fd;             /* readable: give up what is under way; -1: never */
};

void ctl_init(struct ctl *c, const char *socket);
void ctl_fini(struct ctl *c);

/* One unary call; the answer is of the type the .proto file says and lives in the arena. A method
 * of the runtime service, and of the image service. Gives up after timeout_ms. */
MUST_CHECK void *ctl_runtime(struct ctl *c, struct arena *a, const char *method,
                             const void *request, struct error *err);
MUST_CHECK void *ctl_image(struct ctl *c, const char *method, const void *request,
                           struct error *err);

/* A streaming method of berth.v1.Node. There is no time limit. */
MUST_CHECK int ctl_node(struct ctl *c, const char *method, const void *request,
                        int (*each)(void *data, const ProtobufCMessage *message, struct error *err),
                        void *data, struct error *err);
