// SPDX-License-Identifier: Apache-2.0
#include "imaged/privilege.h"

#include <linux/capability.h>

#include "base/own.h"
#include "os/privilege.h"

/* SYS_ADMIN is what "trusted." attributes need, which overlayfs keeps its marks in. */
static const int kept[] = {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER,   CAP_FSETID,
                           CAP_MKNOD, CAP_SETFCAP,      CAP_SYS_ADMIN};

int privilege_drop(bool makes_files, struct error *err)
{
    return privilege_keep(kept, makes_files ? COUNT_OF(kept) : 0, err);
}
