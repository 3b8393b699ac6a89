// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/own.h"
#include "base/strv.h"
#include "image/descriptor.h"
#include "image/reference.h"

/* registry: the registries one reference may be pulled from, for the time of one pull.
 *
 * It reads hosts.toml and the file of credentials once and then walks the hosts it found, mirrors
 * first, for each request. Any number of threads may use one registry at once, until
 * registry_close(). Error texts name the host and carry no secrets. The codes that callers meet:
 * ERROR_NOT_FOUND, ERROR_UNAUTHENTICATED, ERROR_PERMISSION, ERROR_UNAVAILABLE (errnum is then
 * ENETUNREACH when no host could be connected to), ERROR_PRECONDITION for bytes that are not what
 * their digest says, ERROR_EXHAUSTED for an answer too large. */
struct registry;

/* As CRI's AuthConfig; NULL and "" are absent. Borrowed for registry_open() only. */
struct registry_credentials {
    const char *username;
    const char *password;
    const char *auth; /* base64 of username:password */
    const char *server_address;
    const char *identity_token;
    const char *registry_token;
};

struct registry_options {
    const struct image_reference *reference;
    const struct strv *hosts_dirs; /* roots such as /etc/containerd/certs.d; NULL: none */
    const struct registry_credentials *credentials; /* of the request; NULL: none */
    const char *auth_file;   /* credentials per host, see keyring.h; NULL: none */
    int64_t idle_timeout_ms; /* without a byte arriving; 0: REGISTRY_IDLE_TIMEOUT_MS */
};

enum { REGISTRY_IDLE_TIMEOUT_MS = 30000 };

/* Once per process and before any thread, outside of all other calls. */
MUST_CHECK int registry_global_init(struct error *err);

/* Reads the configuration of the reference's domain; connects to nothing yet. */
MUST_CHECK struct registry *registry_open(const struct registry_options *options,
                                          struct error *err);
void registry_close(struct registry *r);

static inline void registry_free(struct registry *r)
{
    registry_close(r);
}
DEFINE_AUTO(registry)

/* What the reference points to now. The manifest's bytes are appended to out_body when they had to
 * be fetched anyway, and then match out->digest; otherwise out_body stays as it is. */
MUST_CHECK int registry_resolve(struct registry *r, struct descriptor *out, struct buf *out_body,
                                struct error *err);

/* Appends the manifest or index to out; size and digest are verified. */
MUST_CHECK int registry_get_manifest(struct registry *r, const struct descriptor *d,
                                     struct buf *out, struct error *err);

/* Where the bytes of a blob go, in order and each once, on the thread that fetches.
 * write returns -1 with err set to give up. progress may be NULL. The first kept bytes are in
 * kept_fd from an earlier attempt: they are hashed and not fetched again. */
struct registry_sink {
    int (*write)(void *data, const void *bytes, size_t len, struct error *err);
    void (*progress)(void *data, int64_t received, int64_t size);
    void *data;
    int64_t kept;
    int kept_fd;
};

/* Streams a blob of any size, going on where it stopped when the connection breaks. Size and
 * digest are known to be right only when it returns 0: the caller throws away what it got from a
 * failed fetch. */
MUST_CHECK int registry_fetch_blob(struct registry *r, const struct descriptor *d,
                                   const struct registry_sink *sink, struct error *err);

/* What one of the hosts says to the reference. */
struct registry_report {
    const char *scheme; /* http or https */
    const char *authority;
    const char *path;   /* "/v2" */
    const char *ns;     /* the registry it is a mirror of, or NULL */
    const char *origin; /* of the credentials for it; NULL: there are none */
    const char *digest; /* of the manifest it has; or NULL, and then words say why */
    const char *type;   /* its media type */
    const char *words;
    bool is_asked;  /* false: its capabilities exclude it from the pull */
    bool is_chosen; /* a pull would take the manifest from here */
};

/* Adds which files of configuration are not used, each with the reason. */
void registry_unused(const struct registry *r, struct strv *out);

/* The file or folder that lists the hosts, or NULL when none does. Borrowed. */
const char *registry_hosts_source(const struct registry *r);

/* Asks every host for the manifest, in the order of a pull and whatever the others say, and calls
 * each with what came of it. Fails only when called off. */
MUST_CHECK int registry_explain(struct registry *r,
                                void (*each)(void *data, const struct registry_report *report),
                                void *data, struct error *err);
