// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/map.h"
#include "rpc/server.h"

/* rpc_route: where a request path leads: "/package.Service/Method". Filled before the server
 * listens, then read only. */
struct rpc_route {
    char *path;
    const ProtobufCMessageDescriptor *input;
    const ProtobufCMessageDescriptor *output;
    rpc_handler *serve; /* NULL: nobody serves this method of a service we have */
    void *data;
    bool streams;
    rpc_is_brief *is_brief; /* NULL: no request is */
};

/* All routes; zero-initialised. */
struct rpc_routes {
    struct map by_path;
};

/* Every method of the service, those without a handler too. A handler for a method that the
 * service does not have is a mistake of the caller. */
void rpc_route_add(struct rpc_routes *routes, const ProtobufCServiceDescriptor *service,
                   const struct rpc_method *methods, void *data);
void rpc_route_set_brief(struct rpc_routes *routes, const ProtobufCServiceDescriptor *service,
                         const char *method, rpc_is_brief *is_brief);
void rpc_route_free_all(struct rpc_routes *routes);

/* One that has a handler, or NULL with ERROR_UNIMPLEMENTED. */
MUST_CHECK const struct rpc_route *rpc_route_find(const struct rpc_routes *routes, const char *path,
                                                  struct error *err);
