// SPDX-License-Identifier: Apache-2.0
#include "shim/oom_ledger.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"

enum { COUNTER_FILE_MAX = 4096, TRIES = 4 };

/* False when the cgroup is gone. */
static bool count_kills(int fd, uint64_t *out)
{
    char text[COUNTER_FILE_MAX];
    ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);
    const char *found;

    if (n < 0)
        return false;
    text[n] = '\0';
    found = strncmp(text, "oom_kill ", 9) == 0 ? text : strstr(text, "\noom_kill ");
    *out = found ? strtoull(strchr(found, ' '), NULL, 10) : 0;
    return true;
}

void oom_ledger_init(struct oom_ledger *l)
{
    *l = OOM_LEDGER_NONE;
    list_init(&l->entries);
}

void oom_ledger_fini(struct oom_ledger *l)
{
    free(l->file);
    fd_close(&l->fd);
}

/* True when the pod's cgroup was not there, or another one, when it was looked at last. */
static bool is_new(struct oom_ledger *l)
{
    uint64_t unused;

    if (count_kills(l->fd, &unused))
        return false;
    fd_close(&l->fd);
    l->fd = l->file ? open(l->file, O_RDONLY | O_CLOEXEC) : -1;
    return true;
}

void oom_ledger_add(struct oom_ledger *l, struct oom_entry *e, const char *file,
                    const char *pod_file)
{
    if (!l->file && pod_file)
        l->file = xstrdup(pod_file);
    oom_ledger_settle(l); /* so that nothing of before is taken for its own */
    *e = OOM_ENTRY_NONE;
    e->file = xstrdup(file);
    e->ledger = l;
    list_add(&l->entries, &e->link);
}

void oom_ledger_remove(struct oom_entry *e)
{
    if (e->ledger)
        list_remove(&e->link);
    e->ledger = NULL;
}

void oom_ledger_close(struct oom_entry *e)
{
    oom_ledger_remove(e);
    free(e->file);
    fd_close(&e->fd);
    *e = OOM_ENTRY_NONE;
}

bool oom_ledger_read(struct oom_entry *e)
{
    uint64_t now;

    if (e->fd < 0 && e->file)
        e->fd = open(e->file, O_RDONLY | O_CLOEXEC);
    if (!count_kills(e->fd, &now))
        return false;
    if (e->ledger && now > e->kills)
        e->ledger->known += now - e->kills;
    e->kills = now;
    e->may_have_more = false;
    return true;
}

/* Reads all that can be read; how many could not. */
static size_t read_all(struct oom_ledger *l)
{
    size_t gone = 0;

    LIST_EACH(link, &l->entries)
    {
        gone += !oom_ledger_read(LIST_OF(link, struct oom_entry, link));
    }
    return gone;
}

static void share_out(struct oom_ledger *l, uint64_t unknown, bool is_certain)
{
    LIST_EACH(link, &l->entries)
    {
        struct oom_entry *e = LIST_OF(link, struct oom_entry, link);

        if (oom_ledger_read(e))
            continue;
        if (is_certain)
            e->kills += unknown;
        else
            e->may_have_more = true;
    }
}

void oom_ledger_settle(struct oom_ledger *l)
{
    uint64_t before = 0, after = 1;
    bool is_found = is_new(l); /* as it is: what it has counted by now is nobody's */
    size_t gone = 0;

    /* Until nobody is killed between one look and the other. */
    for (int i = 0; i < TRIES && before != after; i++) {
        bool has_count = count_kills(l->fd, &before);

        gone = read_all(l);
        if (!has_count || !count_kills(l->fd, &after))
            return;
    }
    if (after > l->known && !is_found)
        share_out(l, after - l->known, gone == 1);
    if (after > l->known || is_found)
        l->known = after;
}
