// SPDX-License-Identifier: Apache-2.0
#include "pod/pod_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "os/mount.h"

enum { HOST_FILE_MAX = 1024 * 1024, RESOLV_MAX = 256 * 1024 };

static int store(struct sandbox *s, const char *name, const char *text, size_t len,
                 struct error *err)
{
    AUTO_FREE char *path = xasprintf("%s/%s", s->dir, name);

    if (file_store(AT_FDCWD, path, text, len, 0644, err) < 0)
        return -1;
    if (idmap_is_set(&s->ids) && chown(path, s->ids.uids.first, s->ids.gids.first) < 0)
        return error_errno(err, errno, "give %s to the pod's root", path);
    return 0;
}

/* A host without the file gives an empty one. */
static int copy_host_file(struct sandbox *s, const char *from, const char *name, struct error *err)
{
    AUTO_FINI(buf) text = BUF(HOST_FILE_MAX);

    if (file_load(AT_FDCWD, from, &text, err) < 0 && err->code != ERROR_NOT_FOUND)
        return -1;
    return store(s, name, text.len ? text.data : "", text.len, err);
}

static int add_line(struct buf *text, const char *keyword, char **items, size_t n,
                    struct error *err)
{
    if (n == 0)
        return 0;
    if (buf_printf(text, err, "%s", keyword) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (buf_printf(text, err, " %s", items[i]) < 0)
            return -1;
    return buf_append(text, "\n", 1, err);
}

static int store_resolv_conf(struct sandbox *s, struct error *err)
{
    const Runtime__V1__DNSConfig *dns = s->config->dns_config;
    AUTO_FINI(buf) text = BUF(RESOLV_MAX);

    if (!dns)
        return copy_host_file(s, "/etc/resolv.conf", "resolv.conf", err);
    if (add_line(&text, "search", dns->searches, dns->n_searches, err) < 0)
        return error_wrap(err, "dns_config");
    for (size_t i = 0; i < dns->n_servers; i++)
        if (buf_printf(&text, err, "nameserver %s\n", dns->servers[i]) < 0)
            return error_wrap(err, "dns_config");
    if (add_line(&text, "options", dns->options, dns->n_options, err) < 0)
        return error_wrap(err, "dns_config");
    return store(s, "resolv.conf", text.len ? text.data : "", text.len, err);
}

int pod_files_create(struct sandbox *s, struct error *err)
{
    const char *hostname = *s->config->hostname ? s->config->hostname : s->node->host.hostname;
    AUTO_FREE char *line = xasprintf("%s\n", hostname);
    AUTO_FREE char *bundles = xasprintf("%s/c", s->dir), *ns = xasprintf("%s/ns", s->dir);

    if (file_make_dirs(bundles, 0711, err) < 0 || file_make_dirs(ns, 0711, err) < 0)
        return -1;
    if (store(s, "hostname", line, strlen(line), err) < 0 ||
        copy_host_file(s, "/etc/hosts", "hosts", err) < 0 || store_resolv_conf(s, err) < 0)
        return error_wrap(err, "make the pod's files");
    return 0;
}

int pod_files_unmount(const char *dir, struct error *err)
{
    static const char *const mounts[] = {"ns/user", "ns/net", "ns/ipc", "ns/uts", "ns/pid", "shm"};

    for (size_t i = 0; i < COUNT_OF(mounts); i++) {
        AUTO_FREE char *path = xasprintf("%s/%s", dir, mounts[i]);

        if (mount_detach(path, err) < 0)
            return -1;
    }
    return 0;
}

int pod_files_remove(struct sandbox *s, struct error *err)
{
    if (pod_files_unmount(s->dir, err) < 0)
        return -1;
    return file_remove_tree(AT_FDCWD, s->dir, err);
}
