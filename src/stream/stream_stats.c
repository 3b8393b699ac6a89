// SPDX-License-Identifier: Apache-2.0
#include "stream/stream_stats.h"

#include "base/json.h"
#include "base/own.h"

void stream_stats_add(struct stream_stats *s, enum stream_stat stat, uint64_t n)
{
    atomic_fetch_add_explicit(&s->counts[stat], n, memory_order_relaxed);
}

const char *stream_stats_name(enum stream_stat stat)
{
    static const char *const names[STREAM_STATS] = {
        [STREAM_STAT_EXECS] = "execs",
        [STREAM_STAT_ATTACHES] = "attaches",
        [STREAM_STAT_PORT_FORWARDS] = "port_forwards",
        [STREAM_STAT_TOO_MANY_URLS] = "refused_urls",
        [STREAM_STAT_TOO_MANY_SESSIONS] = "refused_sessions",
        [STREAM_STAT_BAD_TLS] = "refused_tls",
        [STREAM_STAT_BAD_REQUEST] = "refused_requests",
        [STREAM_STAT_BAD_TOKEN] = "refused_tokens",
        [STREAM_STAT_BAD_UPGRADE] = "refused_upgrades",
        [STREAM_STAT_BAD_FRAMES] = "broken_sessions",
        [STREAM_STAT_BAD_STREAMS] = "refused_streams",
    };

    return names[stat];
}

char *stream_stats_describe(const struct stream_stats *s)
{
    JSON_AUTO *all = json_object_new_object();

    json_add_int(all, "sessions", (int64_t)atomic_load(&s->sessions));
    for (int i = 0; i < STREAM_STATS; i++)
        json_add_int(all, stream_stats_name((enum stream_stat)i),
                     (int64_t)atomic_load(&s->counts[i]));
    return xstrdup(json_text(all));
}
