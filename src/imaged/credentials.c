// SPDX-License-Identifier: Apache-2.0
#include "imaged/credentials.h"

#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/own.h"
#include "imaged/hosts.h"
#include "imaged/registry.h"

enum { AUTH_MAX = 64 << 10 };

static bool is_set(const char *text)
{
    return text && *text;
}

static int parse_auth(const char *auth, struct credentials *out, struct error *err)
{
    size_t len = 0;
    AUTO_FREE char *text = strlen(auth) > AUTH_MAX ? NULL : base64_decode_text(auth, &len);
    char *colon = text ? strchr(text, ':') : NULL;

    if (!colon)
        return error_set(err, ERROR_INVALID,
                         "the credentials' \"auth\" is not base64 of username:password");
    out->username = xstrndup(text, (size_t)(colon - text));
    out->secret = xstrdup(colon + 1); /* which ends before any NUL */
    return 0;
}

/* The host and port of a URL, or of a text that is no more than that. */
static char *authority_of(const char *address)
{
    const char *scheme_end = strstr(address, "://");
    const char *start = scheme_end ? scheme_end + 3 : address;

    return xstrndup(start, strcspn(start, "/?#"));
}

int credentials_parse(const struct registry_credentials *from, struct credentials *out,
                      struct error *err)
{
    AUTO_FINI(credentials) c = {0};

    if (from && is_set(from->server_address))
        c.authority = authority_of(from->server_address);
    if (from && is_set(from->registry_token))
        c.bearer = xstrdup(from->registry_token);
    if (from && is_set(from->username)) {
        c.username = xstrdup(from->username);
        c.secret = xstrdup(from->password ? from->password : "");
    } else if (from && is_set(from->identity_token)) {
        c.username = xstrdup("");
        c.secret = xstrdup(from->identity_token);
    } else if (from && is_set(from->auth) && parse_auth(from->auth, &c, err) < 0) {
        return -1;
    }
    if ((c.bearer && strpbrk(c.bearer, "\r\n")) || (c.secret && strpbrk(c.secret, "\r\n")))
        return error_set(err, ERROR_INVALID, "the credentials have line ends");
    *out = c;
    c = (struct credentials){0};
    return 0;
}

void credentials_fini(struct credentials *c)
{
    char *all[] = {c->username, c->secret, c->bearer, c->authority, c->origin};

    for (size_t i = 0; i < COUNT_OF(all); i++) {
        if (all[i])
            explicit_bzero(all[i], strlen(all[i]));
        free(all[i]);
    }
    *c = (struct credentials){0};
}

bool credentials_are_any(const struct credentials *c)
{
    return c->secret || c->bearer;
}

/* Docker's three names for one registry. */
static const char *canonical(const char *authority)
{
    if (strcasecmp(authority, "index.docker.io") == 0 ||
        strcasecmp(authority, "registry-1.docker.io") == 0)
        return "docker.io";
    return authority;
}

bool credentials_are_for(const struct credentials *c, const char *authority)
{
    return !c->authority || strcasecmp(canonical(c->authority), canonical(authority)) == 0;
}

char *credentials_basic(const struct credentials *c)
{
    AUTO_FREE char *pair = xasprintf("%s:%s", c->username, c->secret);
    AUTO_FREE char *text = base64_encode_text(pair, strlen(pair));

    return xasprintf("Basic %s", text);
}
