// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "shim/pod.h"
#include "shim/poller.h"
#include "shim/reaper.h"
#include "shim/run.h"
#include "shim/server.h"

/* shim: the one object of the program: what all others need of each other. One thread. */
struct shim {
    struct poller poller;
    struct reaper reaper;
    struct run_context runs;
    struct server server;
    struct pod pod;
};
