// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/arena.h"
#include "bench.h"
#include "cri.pb-c.h"
#include "rpc/client.h"

/* cri: a connection to the runtime under test, and a pod of one container as the kubelet makes it:
 * with a PID namespace of its own. One thread. */
struct cri {
    const struct bench *bench;
    struct rpc_client *rpc;
    struct arena arena; /* holds the last answer */
};

enum { CRI_ID_SIZE = 128, CRI_TIMEOUT_MS = 10 * 60 * 1000 };

struct cri_pod {
    char name[96];
    char id[CRI_ID_SIZE];
    char container[CRI_ID_SIZE];
};

MUST_CHECK int cri_open(struct cri *c, const struct bench *b, struct error *err);
void cri_close(struct cri *c);

/* A call of the RuntimeService. The answer lives until the next call. */
MUST_CHECK ProtobufCMessage *cri_call(struct cri *c, const char *method,
                                      const ProtobufCMessage *request, struct error *err);
MUST_CHECK ProtobufCMessage *cri_image_call(struct cri *c, const char *method,
                                            const ProtobufCMessage *request, struct error *err);

/* Some container that runs, and its pod; without its name. */
MUST_CHECK int cri_find(struct cri *c, struct cri_pod *out, struct error *err);

/* The steps of a pod's life. */
MUST_CHECK int cri_run_pod(struct cri *c, struct cri_pod *pod, struct error *err);
MUST_CHECK int cri_create(struct cri *c, struct cri_pod *pod, const char *const *args, size_t n,
                          struct error *err);
MUST_CHECK int cri_start(struct cri *c, struct cri_pod *pod, struct error *err);
MUST_CHECK int cri_stop(struct cri *c, struct cri_pod *pod, struct error *err);
MUST_CHECK int cri_remove(struct cri *c, struct cri_pod *pod, struct error *err);
MUST_CHECK int cri_stop_pod(struct cri *c, struct cri_pod *pod, struct error *err);
MUST_CHECK int cri_remove_pod(struct cri *c, struct cri_pod *pod, struct error *err);
