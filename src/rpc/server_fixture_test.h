// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/own.h"
#include "cri.pb-c.h"
#include "rpc/client.h"
#include "rpc/server.h"

#define RUNTIME (&runtime__v1__runtime_service__descriptor)
#define VERSION "/runtime.v1.RuntimeService/Version"
#define EVENTS  "/runtime.v1.RuntimeService/GetContainerEvents"

enum { EVENT_SIZE = 1000, PATIENCE_MS = 60000 };

/* A server on a thread of its own. What its handlers do is in the version that is asked for. */
struct rpc_fixture {
    char folder[32];
    char path[64];
    struct loop *loop;
    struct pool *pool;
    struct rpc_server *server;
    pthread_t thread;
    atomic_int waiting; /* handlers that wait to be called off */
    atomic_int naps;    /* requests that sleep, or have slept */
    atomic_int napping;
    atomic_int most_napping; /* at once */
    atomic_int on_loop;      /* requests that were served on the loop's thread */
    atomic_int on_pool;
    atomic_int outcome;  /* the code with which the last one ended */
    atomic_int observed; /* requests */
    atomic_int events;   /* to be sent on a stream; 0: without end */
    atomic_int sent;     /* on the last stream */
    atomic_bool is_drained;
    atomic_llong left_ns; /* of the last deadline */
};

static inline int rpc_fixture_wait(struct rpc_fixture *f, struct rpc_call *call, struct error *err)
{
    int rc;

    atomic_fetch_add(&f->waiting, 1);
    rc = deadline_wait(rpc_call_deadline(call), -1, 0, err);
    atomic_store(&f->outcome, err->code);
    atomic_fetch_sub(&f->waiting, 1);
    return rc;
}

static inline void rpc_fixture_nap(struct rpc_fixture *f)
{
    int now = atomic_fetch_add(&f->napping, 1) + 1, most = atomic_load(&f->most_napping);

    while (most < now && !atomic_compare_exchange_weak(&f->most_napping, &most, now))
        ;
    atomic_fetch_add(&f->naps, 1);
    usleep(50 * 1000);
    atomic_fetch_sub(&f->napping, 1);
}

static inline int rpc_fixture_version(struct rpc_call *call, void *data,
                                      const ProtobufCMessage *request, ProtobufCMessage *response,
                                      struct error *err)
{
    const Runtime__V1__VersionRequest *in = (const void *)request;
    Runtime__V1__VersionResponse *out = (void *)response;
    struct arena *arena = rpc_call_arena(call);
    struct rpc_fixture *f = data;

    atomic_fetch_add(pthread_equal(pthread_self(), f->thread) ? &f->on_loop : &f->on_pool, 1);
    if (strcmp(in->version, "fail") == 0 || strcmp(in->version, "brief fail") == 0)
        return error_set(err, ERROR_NOT_FOUND, "kein „Gerät“\nzu 100%%");
    if (strcmp(in->version, "wait") == 0)
        return rpc_fixture_wait(f, call, err);
    if (strcmp(in->version, "nap") == 0 || strcmp(in->version, "brief nap") == 0) {
        rpc_fixture_nap(f);
    }
    if (strcmp(in->version, "deadline") == 0)
        atomic_store(&f->left_ns, rpc_call_deadline(call)->at_ns - clock_monotonic_ns());
    out->version = arena_strdup(arena, in->version);
    out->runtime_name = (char *)"berth";
    if (strcmp(in->version, "big") == 0) {
        out->runtime_name = arena_alloc(arena, RPC_MESSAGE_MAX + 1);
        memset(out->runtime_name, 'x', RPC_MESSAGE_MAX);
    }
    return 0;
}

static inline int rpc_fixture_events(struct rpc_call *call, void *data,
                                     const ProtobufCMessage *request, ProtobufCMessage *response,
                                     struct error *err)
{
    Runtime__V1__ContainerEventResponse event = RUNTIME__V1__CONTAINER_EVENT_RESPONSE__INIT;
    char *id = arena_alloc(rpc_call_arena(call), EVENT_SIZE);
    struct rpc_fixture *f = data;
    int n = atomic_load(&f->events);

    assert_null(response);
    memset(id, 'i', EVENT_SIZE - 1);
    event.container_id = id;
    for (int i = 0; n == 0 || i < n; i++) {
        event.created_at = i;
        if (rpc_call_send(call, &event.base, err) < 0) {
            atomic_store(&f->outcome, err->code);
            return -1;
        }
        atomic_store(&f->sent, i + 1);
    }
    return 0;
}

static inline bool rpc_fixture_is_brief(void *data, const ProtobufCMessage *request)
{
    return strncmp(((const Runtime__V1__VersionRequest *)(const void *)request)->version, "brief",
                   5) == 0;
}

static const struct rpc_method RPC_FIXTURE_METHODS[] = {
    {"Version", rpc_fixture_version, false}, {"GetContainerEvents", rpc_fixture_events, true}, {0}};

static inline void rpc_fixture_observed(void *data, const char *method, const struct error *outcome,
                                        int64_t duration_ns)
{
    struct rpc_fixture *f = data;

    assert_true(duration_ns >= 0);
    atomic_fetch_add(&f->observed, 1);
}

static inline void *rpc_fixture_run(void *data)
{
    struct rpc_fixture *f = data;
    struct error err;

    return (void *)(intptr_t)loop_run(f->loop, &err);
}

static inline int rpc_fixture_setup(void **state)
{
    struct rpc_fixture *f = xcalloc(1, sizeof *f);
    struct rpc_server_options options = {.observe = rpc_fixture_observed, .observe_data = f};
    struct error err = {0};

    snprintf(f->folder, sizeof f->folder, "/tmp/rpc-test-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->path, sizeof f->path, "%s/run/s.sock", f->folder);
    f->loop = options.loop = loop_new(&err);
    f->pool = options.pool = pool_new(8, &err);
    assert_true(f->loop && f->pool);
    f->server = rpc_server_new(&options, &err);
    rpc_server_add(f->server, RUNTIME, RPC_FIXTURE_METHODS, f);
    rpc_server_add_brief(f->server, RUNTIME, "Version", rpc_fixture_is_brief);
    assert_int_equal(rpc_server_listen(f->server, f->path, 0660, &err), 0);
    assert_int_equal(pthread_create(&f->thread, NULL, rpc_fixture_run, f), 0);
    *state = f;
    return 0;
}

static inline int rpc_fixture_teardown(void **state)
{
    struct rpc_fixture *f = *state;
    char folder[64];

    loop_stop(f->loop);
    pthread_join(f->thread, NULL);
    rpc_server_free(f->server);
    assert_int_equal(access(f->path, F_OK), -1);
    pool_free(f->pool);
    loop_free(f->loop);
    snprintf(folder, sizeof folder, "%s/run", f->folder);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(rmdir(f->folder), 0);
    free(f);
    return 0;
}

static inline struct rpc_client *rpc_fixture_open(struct rpc_fixture *f)
{
    struct error err = {0};
    struct rpc_client *c = rpc_client_open(f->path, &err);

    assert_string_equal(err.text, "");
    assert_non_null(c);
    return c;
}

static inline int rpc_fixture_ask(struct rpc_client *c, const char *version, int64_t timeout_ms,
                                  struct error *err)
{
    Runtime__V1__VersionRequest request = RUNTIME__V1__VERSION_REQUEST__INIT;
    Runtime__V1__VersionResponse *response;
    struct deadline by = deadline_in_ms(timeout_ms);
    struct arena arena;
    int rc = -1;

    arena_init(&arena, 1024 * 1024);
    request.version = (char *)version;
    response = (void *)rpc_client_call(c, RUNTIME, "Version", &request.base, &arena, &by, err);
    if (response) {
        assert_string_equal(response->version, version);
        assert_string_equal(response->runtime_name, "berth");
        rc = 0;
    }
    arena_fini(&arena);
    return rc;
}

static inline void rpc_fixture_wait_until(atomic_int *value, int wanted)
{
    int64_t end = clock_monotonic_ns() + PATIENCE_MS * CLOCK_NS_PER_MS;

    while (atomic_load(value) != wanted && clock_monotonic_ns() < end)
        usleep(500);
    assert_int_equal(atomic_load(value), wanted);
}

struct rpc_reading {
    int n;
    int stop_at;
};

static inline int rpc_fixture_read_one(void *data, const ProtobufCMessage *message,
                                       struct error *err)
{
    const Runtime__V1__ContainerEventResponse *event = (const void *)message;
    struct rpc_reading *r = data;

    assert_int_equal(event->created_at, r->n);
    assert_int_equal(strlen(event->container_id), EVENT_SIZE - 1);
    if (++r->n == r->stop_at)
        return error_set(err, ERROR_ABORTED, "enough");
    return 0;
}

static inline int rpc_fixture_read(struct rpc_client *c, struct rpc_reading *r, struct error *err)
{
    Runtime__V1__GetEventsRequest request = RUNTIME__V1__GET_EVENTS_REQUEST__INIT;
    struct deadline by = deadline_in_ms(PATIENCE_MS);

    return rpc_client_stream(c, RUNTIME, "GetContainerEvents", &request.base, rpc_fixture_read_one,
                             r, &by, err);
}
