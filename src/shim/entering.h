// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>

#include "base/error.h"
#include "shim/luggage.h"
#include "shim/reaper.h"
#include "shim/run.h"

/* entering: a process on its way into a container, as the shim sees it: from the fork of its guide
 * (see entrant.h) until its program runs, or it is known that it will not.
 *
 * It is never more than an attempt. Whatever is in the way, before the program has begun, is told
 * as ENTERING_DECLINED, and the OCI runtime is to do it: it finds the words for a program that is
 * not there, and knows what to do about a cgroup that takes no processes. */
enum entering_outcome {
    ENTERING_DONE,
    ENTERING_DECLINED, /* the program has not run and will not */
    ENTERING_LATE, /* there is no time left, or nobody wants it: it was killed, perhaps just begun
                    */
};

struct entering;

/* Told once, not from within entering_start(). why is NULL for ENTERING_DONE. The entering frees
 * itself afterwards. */
typedef void entering_ended(void *owner, enum entering_outcome outcome, const struct error *why);

struct entering_spec {
    struct luggage_spec luggage;
    struct reaper_child *child; /* the program's process, from ENTERING_DONE on */
    entering_ended *ended;
    void *owner;
    int64_t timeout_ns;
};

/* Whether the shim runs from where no container can reach its file for writing: only then does
 * anything enter. To be called before the first entering. */
void entering_allow_if_protected(void);

/* NULL when nothing was begun; that too means that the OCI runtime is to do it. When it is DONE,
 * spec->child is watched, or is told of its end right after. */
MUST_CHECK struct entering *entering_start(struct run_context *context,
                                           const struct entering_spec *spec, struct error *err);

/* Kills what there is of it, and tells when that has ended. */
void entering_kill(struct entering *e);
