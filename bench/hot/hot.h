// SPDX-License-Identifier: Apache-2.0
#pragma once

/* hot: pieces of code whose instructions are counted by bench/callgrind.
 *
 * Each makes what it needs, runs once to warm up and once inside hot_measure(), and ends the
 * process when something fails. */
typedef void hot_run(void *data);

/* Only what happens in here is counted. */
void hot_measure(hot_run *run, void *data);

void hot_grpc(void); /* a gRPC call from client to server and back, 100 times */
void hot_list(void); /* ListContainers with 500 containers, handler and packing */
void hot_log(void);  /* 1 MB of lines of 100 bytes into records of the log */
void hot_tar(void);  /* 1000 entries of an archive */
