// SPDX-License-Identifier: Apache-2.0
#include "cri/outcome.h"

int outcome_of(int result, struct error *err)
{
    if (result < 0 && err->errnum && err->code != ERROR_DEADLINE && err->code != ERROR_CANCELLED)
        err->code = ERROR_UNKNOWN;
    return result;
}
