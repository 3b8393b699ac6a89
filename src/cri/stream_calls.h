// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "rpc/server.h"

/* stream_calls: Exec, Attach and PortForward, which answer with a URL of the streaming server. data
 * is the node. Any thread. */
rpc_handler stream_calls_exec;
rpc_handler stream_calls_attach;
rpc_handler stream_calls_port_forward;
