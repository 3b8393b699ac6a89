// SPDX-License-Identifier: Apache-2.0
#include "os/call_names.h"

#include <stddef.h>
#include <sys/syscall.h>

#include "base/own.h"

#define CALL(name)                                                                                 \
    {                                                                                              \
        SYS_##name, #name                                                                          \
    }

static const struct {
    int call;
    const char *name;
} names[] = {
    CALL(socket),
    CALL(connect),
    CALL(bind),
    CALL(listen),
    CALL(accept),
    CALL(sendto),
    CALL(socketpair),
    CALL(execve),
    CALL(execveat),
    CALL(clone),
    CALL(unshare),
    CALL(setns),
    CALL(mount),
    CALL(umount2),
    CALL(pivot_root),
    CALL(chroot),
    CALL(open_tree),
    CALL(move_mount),
    CALL(fsopen),
    CALL(fsconfig),
    CALL(fsmount),
    CALL(fspick),
    CALL(mount_setattr),
    CALL(ptrace),
    CALL(kill),
    CALL(tkill),
    CALL(pidfd_open),
    CALL(pidfd_getfd),
    CALL(bpf),
    CALL(ioctl),
    CALL(init_module),
    CALL(finit_module),
    CALL(kexec_load),
    CALL(reboot),
    CALL(swapon),
    CALL(open_by_handle_at),
    CALL(keyctl),
    CALL(add_key),
    CALL(request_key),
    CALL(perf_event_open),
    CALL(personality),
    CALL(setuid),
    CALL(setgid),
    CALL(setresuid),
    CALL(setresgid),
    CALL(capset),
    CALL(prctl),
    CALL(seccomp),
    CALL(userfaultfd),
    CALL(memfd_create),
    CALL(openat2),
    CALL(mknodat),
    CALL(io_uring_setup),
    CALL(process_vm_readv),
    CALL(process_vm_writev),
};

const char *call_names_find(int call)
{
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (names[i].call == call)
            return names[i].name;
    return NULL;
}
