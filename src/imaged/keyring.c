// SPDX-License-Identifier: Apache-2.0
#include "imaged/keyring.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "imaged/registry.h"

struct entry {
    struct credentials credentials;
    char *path; /* "", or of the repositories they are for */
};

struct keyring {
    struct credentials request;
    struct entry *entries;
    size_t len;
    char *unused;
};

const char *keyring_unused(const struct keyring *k)
{
    return k->unused;
}

void keyring_free(struct keyring *k)
{
    if (!k)
        return;
    credentials_fini(&k->request);
    for (size_t i = 0; i < k->len; i++) {
        credentials_fini(&k->entries[i].credentials);
        free(k->entries[i].path);
    }
    free(k->entries);
    free(k->unused);
    free(k);
}

/* What stands behind the host. Docker's own entries have the version of a protocol there. */
static char *path_of(const char *key)
{
    const char *scheme_end = strstr(key, "://");
    const char *path = (scheme_end ? scheme_end + 3 : key);
    size_t len;

    path += strcspn(path, "/");
    path += strspn(path, "/");
    len = strlen(path);
    while (len > 0 && path[len - 1] == '/')
        len--;
    if (len == 2 && (strncmp(path, "v1", 2) == 0 || strncmp(path, "v2", 2) == 0))
        len = 0;
    return xstrndup(path, len);
}

static void add_entry(struct keyring *k, const char *file, const char *key,
                      struct json_object *value)
{
    const struct registry_credentials from = {
        .username = json_get_str(value, "username"),
        .password = json_get_str(value, "password"),
        .auth = json_get_str(value, "auth"),
        .server_address = key,
        .identity_token = json_get_str(value, "identitytoken"),
        .registry_token = json_get_str(value, "registrytoken"),
    };
    AUTO_FINI(credentials) c = {0};
    struct error err;

    if (credentials_parse(&from, &c, &err) < 0) {
        log_warn("%s: the entry for %s is not used: %s", file, key, err.text);
        return;
    }
    if (!credentials_are_any(&c) || k->len == KEYRING_ENTRIES_MAX)
        return;
    c.origin = xstrdup(file);
    k->entries = xrealloc(k->entries, (k->len + 1) * sizeof *k->entries);
    k->entries[k->len++] = (struct entry){c, path_of(key)};
    c = (struct credentials){0};
}

int keyring_add(struct keyring *k, const char *file, const char *text, size_t len,
                struct error *err)
{
    JSON_AUTO *tree = json_parse(text, len, err);
    struct json_object *auths = json_get(tree, "auths");

    if (!tree)
        return -1;
    if (!json_object_is_type(auths, json_type_object))
        return 0;
    json_object_object_foreach(auths, key, value)
    {
        add_entry(k, file, key, value);
    }
    return 0;
}

static int read_file(struct keyring *k, const char *path, struct error *err)
{
    AUTO_FINI(buf) text = BUF(KEYRING_BYTES_MAX);
    int result;

    if (file_load(AT_FDCWD, path, &text, err) < 0)
        return err->code == ERROR_NOT_FOUND ? 0 : -1;
    result = keyring_add(k, path, text.data ? text.data : "", text.len, err);
    if (text.data)
        explicit_bzero(text.data, text.len);
    return result;
}

struct keyring *keyring_open(const struct registry_credentials *request, const char *path,
                             struct error *err)
{
    AUTO(keyring) *k = xcalloc(1, sizeof *k);
    struct error unusable;

    if (credentials_parse(request, &k->request, err) < 0)
        return NULL;
    k->request.origin = xstrdup("the request");
    if (path && *path && read_file(k, path, &unusable) < 0) {
        log_warn("credentials are not used: %s: %s", path, unusable.text);
        k->unused = xasprintf("%s is not used: %s", path, unusable.text);
    }
    return TAKE(k);
}

/* Whether the repository is the path or below it. */
static bool is_within(const char *repository, const char *path)
{
    size_t len = strlen(path);

    return len == 0 || (strncmp(repository, path, len) == 0 &&
                        (repository[len] == '\0' || repository[len] == '/'));
}

static const struct credentials *find_entry(const struct keyring *k, const char *authority,
                                            const char *repository)
{
    const struct entry *best = NULL;

    for (size_t i = 0; i < k->len; i++) {
        const struct entry *e = &k->entries[i];

        if (credentials_are_for(&e->credentials, authority) && is_within(repository, e->path) &&
            (!best || strlen(e->path) > strlen(best->path)))
            best = e;
    }
    return best ? &best->credentials : NULL;
}

const struct credentials *keyring_find(const struct keyring *k, const char *authority,
                                       const char *repository, bool is_mirror)
{
    const struct credentials *own = find_entry(k, authority, repository), *request = NULL;

    if (credentials_are_any(&k->request) && credentials_are_for(&k->request, authority))
        request = &k->request;
    if (request && (request->authority || !is_mirror || !own))
        return request;
    return own;
}
