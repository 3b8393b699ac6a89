// SPDX-License-Identifier: Apache-2.0
#include "shim/service.h"

#include <string.h>

#include "base/own.h"
#include "sandbox.pb-c.h"
#include "shim.pb-c.h"
#include "shim/exec.h"
#include "shim/task.h"
#include "task.pb-c.h"

static const struct {
    const char *name;
    const ProtobufCServiceDescriptor *descriptor;
    const struct service_method *methods;
} services[] = {
    {"containerd.task.v3.Task", &containerd__task__v3__task__descriptor, service_task_methods},
    {"containerd.task.v2.Task", &containerd__task__v3__task__descriptor, service_task_methods},
    {"containerd.runtime.sandbox.v1.Sandbox",
     &containerd__runtime__sandbox__v1__sandbox__descriptor, service_sandbox_methods},
    {"berth.shim.v1.Container", &berth__shim__v1__container__descriptor, service_container_methods},
};

struct task *service_find_task(const struct shim *s, const char *id, struct error *err)
{
    struct task *t = pod_find_task(&s->pod, id);

    if (!t)
        error_set(err, ERROR_NOT_FOUND, "container %.*s is not here", PROC_ID_MAX, id);
    return t;
}

struct exec *service_find_exec(const struct shim *s, const char *id, const char *exec_id,
                               struct error *err)
{
    struct task *t = service_find_task(s, id, err);
    struct exec *x = t ? exec_find(t, exec_id) : NULL;

    if (t && !x)
        error_set(err, ERROR_NOT_FOUND, "exec %.*s is not here", PROC_ID_MAX, exec_id);
    return x;
}

static const struct service_method *find_method(const struct service_method *methods,
                                                const char *name)
{
    for (; methods->name; methods++)
        if (strcmp(methods->name, name) == 0)
            return methods;
    return NULL;
}

static const ProtobufCMessageDescriptor *input_of(const ProtobufCServiceDescriptor *service,
                                                  const char *method)
{
    for (unsigned i = 0; i < service->n_methods; i++)
        if (strcmp(service->methods[i].name, method) == 0)
            return service->methods[i].input;
    return NULL;
}

int service_dispatch(struct shim *s, struct call *call, const Ttrpc__Request *request,
                     struct arena *arena, struct error *err)
{
    for (size_t i = 0; i < COUNT_OF(services); i++) {
        const struct service_method *method;
        const ProtobufCMessageDescriptor *input;
        const ProtobufCMessage *message;

        if (strcmp(services[i].name, request->service) != 0)
            continue;
        method = find_method(services[i].methods, request->method);
        input = input_of(services[i].descriptor, request->method);
        if (!method || !input)
            return error_set(err, ERROR_UNIMPLEMENTED, "method %.100s of service %s",
                             request->method, request->service);
        message = arena_unpack(arena, input, request->payload.data, request->payload.len, err);
        return message ? method->serve(s, call, message, err) : -1;
    }
    return error_set(err, ERROR_UNIMPLEMENTED, "service %.100s", request->service);
}
