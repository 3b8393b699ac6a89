// SPDX-License-Identifier: Apache-2.0
#include "shim/init.h"

#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

_Noreturn void init_run(void)
{
    sigset_t all;

    prctl(PR_SET_NAME, "berth-init");
    syscall(SYS_close_range, 0U, ~0U, 0U);
    /* Blocked signals are kept for sigwaitinfo(), also those that a first process ignores. */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    for (;;) {
        int signal = sigwaitinfo(&all, NULL);

        if (signal == SIGTERM)
            _exit(0);
        if (signal == SIGCHLD)
            while (waitpid(-1, NULL, WNOHANG) > 0)
                ;
    }
}
