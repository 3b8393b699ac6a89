// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>

/* human: numbers as people read them. Each fills and returns out. */
enum { HUMAN_SIZE = 32 };

/* "512 B", "1.5 kB", "3.2 MB": powers of a thousand. */
const char *human_bytes(char out[static HUMAN_SIZE], uint64_t bytes);

/* "now", "5 seconds ago", "3 hours ago"; "-" when then_ns is 0. */
const char *human_age(char out[static HUMAN_SIZE], int64_t then_ns, int64_t now_ns);

/* The first 12 digits of an id, without the algorithm in front. */
const char *human_id(char out[static HUMAN_SIZE], const char *id);
