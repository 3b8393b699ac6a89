// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"

/* hosts: which hosts serve the images of one registry, in the order to ask them.
 *
 * Out of folders as containerd and Docker have them, read afresh for every pull:
 *
 *     /etc/containerd/certs.d/<registry, or registry_port_, or _default>/hosts.toml
 *                                                                      or *.crt *.cert *.key
 *
 * Without a folder it is the registry itself, by https. Memory of the caller, zero-initialised; not
 * changed once loaded, so any thread may read it. */
enum host_capability {
    HOST_PULL = 1,
    HOST_RESOLVE = 2,
    HOST_PUSH = 4,
    HOST_REFERRERS = 8,
    HOST_ALL = 15,
};

struct host {
    char *authority;     /* "registry-1.docker.io", "mirror:5000" */
    char *path;          /* "/v2", or what override_path has: no slash at its end */
    bool plain;          /* http */
    bool plain_fallback; /* https first, but http when the host talks no TLS */
    bool skip_verify;    /* of certificate and host name */
    unsigned capabilities;
    struct strv headers; /* "Name: value" */
    struct strv ca;      /* PEM files, beside those of the system */
    struct strv certs;   /* PEM files */
    struct strv keys;    /* as many; "": in the same file */
    int64_t dial_timeout_ms;
};

enum { HOSTS_MAX = 64, HOSTS_DIAL_TIMEOUT_MS = 30000 };

struct hosts {
    struct host *items;
    size_t len;
    char *source; /* the file or folder that says so, or NULL */
    char *unused; /* the hosts.toml that cannot be used, and why; or NULL */
};

void hosts_fini(struct hosts *hosts);

/* roots may be NULL. A hosts.toml that cannot be used is logged, and its folder read as Docker's,
 * as containerd does. */
MUST_CHECK int hosts_load(const struct strv *roots, const char *domain, struct hosts *out,
                          struct error *err);

/* Adds a host for the registry itself with all defaults and returns it, borrowed until the next is
 * added. */
struct host *hosts_add_default(struct hosts *hosts, const char *domain);

/* True for "localhost", 127.0.0.0/8 and ::1, with or without a port. */
bool hosts_is_loopback(const char *authority);

/* "registry-1.docker.io" for "docker.io", else the domain itself. */
const char *hosts_upstream(const char *domain);
