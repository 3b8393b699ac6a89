// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdatomic.h>
#include <stdint.h>

/* stream_stats: what the streaming server has done and refused since berthd started. Zero
 * initialised; any thread. */
enum stream_stat {
    STREAM_STAT_EXECS, /* sessions that began; the first three are those of enum stream_kind */
    STREAM_STAT_ATTACHES,
    STREAM_STAT_PORT_FORWARDS,
    STREAM_STAT_TOO_MANY_URLS,     /* no URL was given out, as there were TOKENS_MAX */
    STREAM_STAT_TOO_MANY_SESSIONS, /* 503 */
    STREAM_STAT_BAD_TLS,           /* no handshake, or no proper certificate of the client */
    STREAM_STAT_BAD_REQUEST,       /* no HTTP, a head that is too long or late, a wrong method */
    STREAM_STAT_BAD_TOKEN,         /* 404: unknown, used, or too old */
    STREAM_STAT_BAD_UPGRADE,       /* no upgrade, or to nothing we speak */
    STREAM_STAT_BAD_FRAMES,        /* a client that broke SPDY or WebSocket */
    STREAM_STAT_BAD_STREAMS,       /* streams that were refused or did not come */
    STREAM_STATS,
};

struct stream_stats {
    atomic_uint_fast64_t counts[STREAM_STATS];
    atomic_uint_fast64_t sessions; /* right now */
};

void stream_stats_add(struct stream_stats *s, enum stream_stat stat, uint64_t n);

/* Such as "refused_token": lower case letters and underscores. */
const char *stream_stats_name(enum stream_stat stat);

/* A JSON object of all. The caller frees. */
char *stream_stats_describe(const struct stream_stats *s);
