// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/exit_record.h"
#include "rpc/ttrpc_client.h"

/* fixture: a shim of its own with a pod, in a temporary folder, and what tests ask of it.
 *
 * Every verb asserts that it succeeds, except those that return a value. */
struct fixture {
    char dir[128];    /* the temporary folder; the pod's folder is pod/ in it */
    char socket[192]; /* of the shim */
    char cgroup[64];  /* parent of the containers' cgroups */
    const char *runtime;
    pid_t shim;
    struct arena arena;
    unsigned count;
};

struct fixture_pod {
    bool host_network;
    bool host_ipc;
    bool shared_pid;
    const char *hostname;
    const char *sysctl; /* "name=value" or NULL */
};

struct fixture_container {
    const char *const *args; /* ends with NULL */
    bool has_terminal;
    const char *in; /* "" unless given */
    int64_t memory; /* limit in bytes; 0: none */
    int64_t line_max;
    bool joins_pid; /* the pod's PID namespace */
    bool has_no_log;
};

#define FIXTURE_ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Starts the shim; no pod yet. runtime is the path of crun or runc. */
void fixture_start(struct fixture *f, const char *runtime);
/* Shuts the shim down and checks that nothing of it is left. */
void fixture_stop(struct fixture *f);
/* True when the runtime is here and works on this machine. */
bool fixture_can_use(const char *runtime);

MUST_CHECK int fixture_create_pod(struct fixture *f, const struct fixture_pod *pod,
                                  struct error *err);

/* A call of Task (or, with a dot in the method, of another service). */
MUST_CHECK int fixture_call(struct fixture *f, const char *method, const ProtobufCMessage *request,
                            const ProtobufCMessageDescriptor *response, ProtobufCMessage **out,
                            struct error *err);

MUST_CHECK int fixture_create(struct fixture *f, const char *id, const struct fixture_container *c,
                              struct error *err);
MUST_CHECK int fixture_begin(struct fixture *f, const char *id, struct error *err); /* Start */
void fixture_run(struct fixture *f, const char *id, const struct fixture_container *c);
int fixture_wait(struct fixture *f, const char *id, const char *exec_id);
MUST_CHECK int fixture_kill(struct fixture *f, const char *id, const char *exec_id, int signal,
                            struct error *err);
MUST_CHECK int fixture_delete(struct fixture *f, const char *id, const char *exec_id,
                              struct error *err);
int fixture_status(struct fixture *f, const char *id); /* of the task service */
pid_t fixture_pid(struct fixture *f, const char *id);

/* Exec with fds as stdin, stdout, stderr (-1: none); then Start. */
MUST_CHECK int fixture_exec(struct fixture *f, const char *id, const char *exec_id,
                            const char *const *args, const int fds[3], bool has_terminal,
                            struct error *err);
MUST_CHECK int fixture_begin_exec(struct fixture *f, const char *id, const char *exec_id,
                                  struct error *err);

MUST_CHECK int fixture_load_record(struct fixture *f, const char *id, struct exit_record *out,
                                   struct error *err);
char *fixture_path(struct fixture *f, const char *name); /* in the arena */
/* The file's text, in the arena; "" when it is missing. */
char *fixture_text(struct fixture *f, const char *path);
/* The log of a container without times: "stdout F hello\n...". */
char *fixture_log(struct fixture *f, const char *id);
char *fixture_records(struct fixture *f, const char *path);
/* Descriptors that the shim has open, and zombies below it. */
unsigned fixture_count_fds(const struct fixture *f);
unsigned fixture_count_zombies(const struct fixture *f);
unsigned fixture_pss_kib(const struct fixture *f, unsigned *out_anonymous);

/* For tests that have a shim of their own, with or without a pod. */
int fixture_set_up(void **state);
int fixture_set_up_pod(void **state);
int fixture_tear_down(void **state);
#define FIXTURE_WITH_POD(test)                                                                     \
    cmocka_unit_test_setup_teardown(test, fixture_set_up_pod, fixture_tear_down)
#define FIXTURE_WITHOUT_POD(test)                                                                  \
    cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

/* Runs tests with the OCI runtime that the first argument names; a second one picks some by name,
 * with asterisks. Skips all when the runtime cannot be used here. */
int fixture_main(int argc, char **argv, const struct CMUnitTest *tests, size_t n_tests);
