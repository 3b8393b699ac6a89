// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "rpc/server.h"

/* image_calls: the RPCs of CRI's image service and of berth.v1.Node. data is the struct node. */
rpc_handler image_calls_list;
rpc_handler image_calls_stream;
rpc_handler image_calls_status;
rpc_handler image_calls_pull;
rpc_handler image_calls_remove;
rpc_handler image_calls_fs_info;
rpc_handler image_calls_node_import;
rpc_handler image_calls_node_pull;
rpc_handler image_calls_node_explain;
rpc_handler image_calls_node_export;
