// SPDX-License-Identifier: Apache-2.0
#include "image/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"

enum { FSCONFIG_TEXT_MAX = 255, /* the kernel takes 256 bytes with the NUL */ PAGE = 4096 };

static int set_text(int fs, const char *key, const char *value)
{
    return fsconfig(fs, FSCONFIG_SET_STRING, key, value, 0);
}

static char *join_highest_first(const struct strv *layers)
{
    AUTO_FINI(strv) reversed = {0};

    for (size_t i = layers->len; i-- > 0;)
        strv_add(&reversed, layers->items[i]);
    return strv_join(&reversed, ":");
}

static int set_layers(int fs, const struct strv *layers)
{
    AUTO_FREE char *joined = join_highest_first(layers);

    if (strlen(joined) <= FSCONFIG_TEXT_MAX)
        return set_text(fs, "lowerdir", joined);
    for (size_t i = layers->len; i-- > 0;)
        if (set_text(fs, "lowerdir+", layers->items[i]) < 0)
            return -1;
    return 0;
}

/* A detached mount, or -1 and errno. */
static int make(const struct strv *layers)
{
    AUTO_CLOSE int fs = fsopen("overlay", FSOPEN_CLOEXEC);

    if (fs < 0 || set_layers(fs, layers) < 0 ||
        fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return -1;
    return fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
}

/* --- on older kernels --- */

/* What a thread does that has a working folder of its own, and maybe a mount namespace. */
struct old_way {
    const struct strv *layers;
    const char *target; /* NULL: nobody is to see the mount */
    int fd;
    int result;
    struct error *err;
};

static void close_all(const struct strv *numbers)
{
    for (size_t i = 0; i < numbers->len; i++)
        close((int)strtol(numbers->items[i], NULL, 10));
}

static int open_all(const struct strv *layers, struct strv *out_numbers, struct error *err)
{
    for (size_t i = 0; i < layers->len; i++) {
        int fd = open(layers->items[i], O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
            return error_errno(err, errno, "open layer %s", layers->items[i]);
        strv_addf(out_numbers, "%d", fd);
    }
    return 0;
}

static int mount_numbers(const struct strv *numbers, const char *target, struct error *err)
{
    AUTO_FREE char *joined = join_highest_first(numbers);
    AUTO_FREE char *options = xasprintf("lowerdir=%s", joined);

    if (strlen(options) >= PAGE)
        return error_set(err, ERROR_EXHAUSTED, "%zu layers are more than this kernel takes",
                         numbers->len);
    if (chdir("/proc/self/fd") < 0 || mount("overlay", target, "overlay", MS_RDONLY, options) < 0)
        return error_errno(err, errno, "mount an overlay of %zu layers", numbers->len);
    return 0;
}

/* In the namespace the mount hides a layer's folder, and goes with the thread. */
static int go_old_way(struct old_way *w)
{
    AUTO_FINI(strv) numbers = {0};
    const char *target = w->target ? w->target : w->layers->items[0];
    int result;

    if (unshare(w->target ? CLONE_FS : CLONE_NEWNS) < 0 ||
        (!w->target && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0))
        return error_errno(w->err, errno, "prepare an overlay");
    result = open_all(w->layers, &numbers, w->err);
    if (result == 0)
        result = mount_numbers(&numbers, target, w->err);
    close_all(&numbers);
    if (result < 0 || w->target)
        return result;
    w->fd = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return w->fd < 0 ? error_errno(w->err, errno, "open the overlay") : 0;
}

static void *run_old_way(void *data)
{
    struct old_way *w = data;

    w->result = go_old_way(w);
    return NULL;
}

static int start_old_way(struct old_way *w)
{
    pthread_t thread;
    int code = pthread_create(&thread, NULL, run_old_way, w);

    if (code != 0)
        return error_errno(w->err, code, "start thread");
    pthread_join(thread, NULL);
    return w->result;
}

/* --- --- */

/* Layers that are damaged fail either way, and then in words that people know. */
int overlay_open(const struct strv *layers, int *out_fd, struct error *err)
{
    struct old_way old = {.layers = layers, .fd = -1, .err = err};
    int fd = make(layers);

    if (fd < 0 && start_old_way(&old) < 0)
        return -1;
    *out_fd = fd < 0 ? old.fd : fd;
    return 0;
}

int overlay_mount(const struct strv *layers, const char *target, struct error *err)
{
    struct old_way old = {.layers = layers, .target = target, .fd = -1, .err = err};
    AUTO_CLOSE int fd = make(layers);

    if (fd < 0)
        return start_old_way(&old);
    if (move_mount(fd, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) < 0)
        return error_errno(err, errno, "mount at %s", target);
    return 0;
}
