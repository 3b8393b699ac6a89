// SPDX-License-Identifier: Apache-2.0
#include "imaged/hosts.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "base/own.h"
#include "image/toml.h"
#include "imaged/hosts_file.h"

static void fini(struct host *host)
{
    free(host->authority);
    free(host->path);
    strv_fini(&host->headers);
    strv_fini(&host->ca);
    strv_fini(&host->certs);
    strv_fini(&host->keys);
}

void hosts_fini(struct hosts *hosts)
{
    for (size_t i = 0; i < hosts->len; i++)
        fini(&hosts->items[i]);
    free(hosts->items);
    free(hosts->source);
    free(hosts->unused);
    memset(hosts, 0, sizeof *hosts);
}

const char *hosts_upstream(const char *domain)
{
    return strcmp(domain, "docker.io") == 0 ? "registry-1.docker.io" : domain;
}

/* The port of an authority, or NULL. */
static const char *port_of(const char *authority)
{
    const char *host_end = authority[0] == '[' ? strchr(authority, ']') : authority;
    const char *colon = host_end ? strchr(host_end, ':') : NULL;

    return colon ? colon + 1 : NULL;
}

bool hosts_is_loopback(const char *authority)
{
    const char *port = port_of(authority);
    size_t len = port ? (size_t)(port - 1 - authority) : strlen(authority);
    AUTO_FREE char *name = xstrndup(authority, len);
    struct in_addr four;
    struct in6_addr six;

    if (strcasecmp(name, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, name, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    if (len < 2 || name[0] != '[')
        return false;
    name[len - 1] = '\0';
    return inet_pton(AF_INET6, name + 1, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

struct host *hosts_add_default(struct hosts *hosts, const char *domain)
{
    const char *authority = hosts_upstream(domain), *port = port_of(authority);
    struct host *host;

    hosts->items = xrealloc(hosts->items, (hosts->len + 1) * sizeof *hosts->items);
    host = &hosts->items[hosts->len++];
    *host = (struct host){.authority = xstrdup(authority),
                          .path = xstrdup("/v2"),
                          .capabilities = HOST_ALL,
                          .dial_timeout_ms = HOSTS_DIAL_TIMEOUT_MS};
    /* A registry on this machine rarely has a certificate to check, or TLS at all. */
    if (hosts_is_loopback(authority)) {
        host->plain = port && strcmp(port, "80") == 0;
        host->plain_fallback = port && !host->plain && strcmp(port, "443") != 0;
        host->skip_verify = !host->plain;
    }
    return host;
}

/* 1 when the folder is there. */
static int try_dir(const char *root, const char *name, char **out, struct error *err)
{
    AUTO_FREE char *path = xasprintf("%s/%s", root, name);
    struct stat st;

    if (stat(path, &st) < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0
                                                   : error_errno(err, errno, "look for %s", path);
    if (!S_ISDIR(st.st_mode))
        return 0;
    *out = TAKE(path);
    return 1;
}

/* The folder for the domain; *out stays NULL when there is none. */
static int find_dir(const struct strv *roots, const char *domain, char **out, struct error *err)
{
    const char *port = port_of(domain);
    AUTO_FREE char *with_port =
        port ? xasprintf("%.*s_%s_", (int)(port - 1 - domain), domain, port) : NULL;
    const char *const names[] = {with_port, domain, "_default"};

    for (size_t i = 0; roots && i < roots->len; i++) {
        for (size_t j = 0; j < COUNT_OF(names); j++) {
            int found = names[j] ? try_dir(roots->items[i], names[j], out, err) : 0;

            if (found)
                return found < 0 ? -1 : 0;
        }
    }
    return 0;
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);

    return len > end_len && strcmp(text + len - end_len, end) == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void add_docker_file(struct host *host, const char *dir, const char *name)
{
    if (ends_with(name, ".crt"))
        strv_addf(&host->ca, "%s/%s", dir, name);
    if (ends_with(name, ".cert")) {
        AUTO_FREE char *key =
            xasprintf("%s/%.*s.key", dir, (int)(strlen(name) - strlen(".cert")), name);

        strv_addf(&host->certs, "%s/%s", dir, name);
        strv_add(&host->keys, file_exists(key) ? key : "");
    }
}

/* *.crt are authorities, *.cert with *.key are ours. */
static int read_docker_dir(const char *dir, struct host *host, struct error *err)
{
    struct dirent **entries;
    int count = scandir(dir, &entries, NULL, by_name);

    if (count < 0)
        return error_errno(err, errno, "list %s", dir);
    for (int i = 0; i < count; i++) {
        add_docker_file(host, dir, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return 0;
}

/* 1 when hosts.toml was there and good, 0 when there is none to go by. */
static int read_hosts_file(const char *dir, const char *domain, struct hosts *out,
                           struct error *err)
{
    AUTO_FREE char *path = xasprintf("%s/hosts.toml", dir);
    AUTO_FINI(buf) text = BUF(TOML_BYTES_MAX);
    AUTO_FINI(hosts) hosts = {0};

    if (file_load(AT_FDCWD, path, &text, err) < 0) {
        if (err->code == ERROR_NOT_FOUND)
            return 0;
    } else if (text.len == 0) {
        return 0;
    } else if (hosts_file_decode(text.data, text.len, dir, domain, &hosts, err) == 0) {
        hosts.source = TAKE(path);
        *out = hosts;
        hosts = (struct hosts){0};
        return 1;
    }
    log_warn("registry configuration %s is not used: %s", path, err->text);
    out->unused = xasprintf("%s is not used: %s", path, err->text);
    return 0;
}

int hosts_load(const struct strv *roots, const char *domain, struct hosts *out, struct error *err)
{
    AUTO_FREE char *dir = NULL;
    AUTO_FINI(hosts) hosts = {0};

    if (find_dir(roots, domain, &dir, err) < 0)
        return error_wrap(err, "registry configuration of %s", domain);
    if (!dir || read_hosts_file(dir, domain, &hosts, err) == 0) {
        struct host *host = hosts_add_default(&hosts, domain);

        if (dir && read_docker_dir(dir, host, err) < 0)
            return error_wrap(err, "registry configuration of %s", domain);
        hosts.source = dir ? TAKE(dir) : NULL;
    }
    *out = hosts;
    hosts = (struct hosts){0};
    return 0;
}
