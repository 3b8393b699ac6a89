// SPDX-License-Identifier: Apache-2.0
#include "rpc/route.h"

#include <assert.h>

#include "base/own.h"

static void add_method(struct rpc_routes *routes, const ProtobufCServiceDescriptor *service,
                       const ProtobufCMethodDescriptor *method)
{
    struct rpc_route *route = xcalloc(1, sizeof *route);

    route->path = xasprintf("/%s/%s", service->name, method->name);
    route->input = method->input;
    route->output = method->output;
    assert(!map_find(&routes->by_path, route->path));
    map_put(&routes->by_path, route->path, route);
}

static void set_handler(struct rpc_routes *routes, const ProtobufCServiceDescriptor *service,
                        const struct rpc_method *method, void *data)
{
    AUTO_FREE char *path = xasprintf("/%s/%s", service->name, method->name);
    struct rpc_route *route = map_find(&routes->by_path, path);

    assert(route && !route->serve && method->serve);
    route->serve = method->serve;
    route->streams = method->streams;
    route->data = data;
}

void rpc_route_add(struct rpc_routes *routes, const ProtobufCServiceDescriptor *service,
                   const struct rpc_method *methods, void *data)
{
    for (unsigned i = 0; i < service->n_methods; i++)
        add_method(routes, service, &service->methods[i]);
    for (; methods->name; methods++)
        set_handler(routes, service, methods, data);
}

void rpc_route_set_brief(struct rpc_routes *routes, const ProtobufCServiceDescriptor *service,
                         const char *method, rpc_is_brief *is_brief)
{
    AUTO_FREE char *path = xasprintf("/%s/%s", service->name, method);
    struct rpc_route *route = map_find(&routes->by_path, path);

    assert(route && route->serve && !route->streams && !route->is_brief);
    route->is_brief = is_brief;
}

void rpc_route_free_all(struct rpc_routes *routes)
{
    const struct map_slot *slot;
    size_t at = 0;

    while ((slot = map_next(&routes->by_path, &at))) {
        struct rpc_route *route = slot->value;

        free(route->path);
        free(route);
    }
    map_fini(&routes->by_path);
}

const struct rpc_route *rpc_route_find(const struct rpc_routes *routes, const char *path,
                                       struct error *err)
{
    const struct rpc_route *route = map_find(&routes->by_path, path);

    if (!route)
        error_set(err, ERROR_UNIMPLEMENTED, "unknown method \"%.200s\"", path);
    else if (!route->serve)
        error_set(err, ERROR_UNIMPLEMENTED, "Berth does not serve %s yet", path + 1);
    return route && route->serve ? route : NULL;
}
