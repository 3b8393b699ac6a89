// SPDX-License-Identifier: Apache-2.0
#include "imaged/sandbox.h"

#include <errno.h>
#include <sys/resource.h>

#include "imaged/privilege.h"
#include "imaged/sandbox_calls.h"
#include "imaged/sandbox_files.h"
#include "imaged/sandbox_landlock.h"

/* Writable memory: three zstd windows of the largest size, or TLS connections. */
enum { UNPACK_DATA_MAX_MB = 512, NETWORK_DATA_MAX_MB = 128 };

static int limit_memory(const struct sandbox *s, struct error *err)
{
    rlim_t bytes = (rlim_t)(s->network ? NETWORK_DATA_MAX_MB : UNPACK_DATA_MAX_MB) << 20;
    const struct rlimit none = {0}, data = {bytes, bytes};

    if (setrlimit(RLIMIT_CORE, &none) < 0 || setrlimit(RLIMIT_DATA, &data) < 0)
        return error_errno(err, errno, "limit memory");
    return 0;
}

static int close_fences(const struct sandbox *s, struct error *err)
{
    if (s->n_paths > SANDBOX_PATHS_MAX)
        return error_set(err, ERROR_EXHAUSTED, "it wants %zu paths, %d are the limit", s->n_paths,
                         SANDBOX_PATHS_MAX);
    if (sandbox_files_enter(s, err) < 0 || privilege_drop(!s->network, err) < 0)
        return -1;
#ifdef __SANITIZE_ADDRESS__
    /* Its shadow memory and its leak checker are beyond these. */
    return 0;
#endif
    if (limit_memory(s, err) < 0 || sandbox_landlock_enter(s, err) < 0)
        return -1;
    return sandbox_calls_enter(s->network, err);
}

int sandbox_enter(const struct sandbox *s, struct error *err)
{
    return close_fences(s, err) < 0 ? error_wrap(err, "close the sandbox") : 0;
}
