// SPDX-License-Identifier: Apache-2.0
#include "imaged/walk.h"

static enum walk_gravity gravity_of(int status, const struct error *err)
{
    if (err->code == ERROR_EXHAUSTED)
        return WALK_TOO_LARGE;
    if (status == 404)
        return WALK_NOT_FOUND;
    return status ? WALK_REFUSED : WALK_UNREACHED;
}

int walk_note(struct walk *w, enum http_fault fault, int status, struct error *err)
{
    enum walk_gravity gravity = gravity_of(status, err);

    if (fault == HTTP_FAULT_BODY || err->code == ERROR_CANCELLED)
        return -1;
    if (gravity <= w->gravity)
        return 0;
    w->gravity = gravity;
    w->first = *err;
    w->unreachable = fault == HTTP_FAULT_CONNECT;
    return 0;
}

int walk_end(const struct walk *w, const char *what, struct error *err)
{
    if (w->gravity == WALK_NOTHING)
        return error_set(err, ERROR_NOT_FOUND, "the registry configuration has no host to %s from",
                         what);
    *err = w->first;
    return -1;
}
