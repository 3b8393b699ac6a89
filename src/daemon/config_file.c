// SPDX-License-Identifier: Apache-2.0
#include "daemon/config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <yaml.h>

#include "base/file.h"
#include "base/own.h"

enum { FILE_MAX = 1024 * 1024 };

enum kind { TEXT, NUMBER, FLAG, LIST, NAMES, RUNTIMES };

/* Keys below another are written with a dot. */
static const struct key {
    const char *name;
    enum kind kind;
    size_t offset;
} keys[] = {
    {"root", TEXT, offsetof(struct config, root)},
    {"state", TEXT, offsetof(struct config, state)},
    {"socket", TEXT, offsetof(struct config, socket)},
    {"log_level", TEXT, offsetof(struct config, log_level)},
    {"default_runtime", TEXT, offsetof(struct config, default_runtime)},
    {"runtimes", RUNTIMES, 0},
    {"cgroup_driver", TEXT, offsetof(struct config, cgroup_driver)},
    {"max_container_log_line_size", NUMBER, offsetof(struct config, log_line_max)},
    {"cni.conf_dir", TEXT, offsetof(struct config, cni_conf_dir)},
    {"cni.conf_template", TEXT, offsetof(struct config, cni_conf_template)},
    {"cni.bin_dirs", LIST, offsetof(struct config, cni_bin_dirs)},
    {"cni.max_conf_num", NUMBER, offsetof(struct config, cni_max_conf_num)},
    {"cni.cache_dir", TEXT, offsetof(struct config, cni_cache_dir)},
    {"cni.ip_pref", TEXT, offsetof(struct config, cni_ip_pref)},
    {"registry.config_path", LIST, offsetof(struct config, registry_dirs)},
    {"registry.auth_file", TEXT, offsetof(struct config, registry_auth_file)},
    {"registry.http_proxy", TEXT, offsetof(struct config, registry_http_proxy)},
    {"registry.https_proxy", TEXT, offsetof(struct config, registry_https_proxy)},
    {"registry.no_proxy", TEXT, offsetof(struct config, registry_no_proxy)},
    {"streaming.address", TEXT, offsetof(struct config, stream_address)},
    {"streaming.port", NUMBER, offsetof(struct config, stream_port)},
    {"streaming.tls.enabled", FLAG, offsetof(struct config, stream_tls)},
    {"streaming.tls.cert_file", TEXT, offsetof(struct config, stream_cert_file)},
    {"streaming.tls.key_file", TEXT, offsetof(struct config, stream_key_file)},
    {"streaming.tls.client_ca_file", TEXT, offsetof(struct config, stream_client_ca_file)},
    {"streaming.tls.min_version", TEXT, offsetof(struct config, stream_tls_min_version)},
    {"streaming.tls.helper", TEXT, offsetof(struct config, stream_tls_helper)},
    {"cdi_spec_dirs", LIST, offsetof(struct config, cdi_spec_dirs)},
    {"unset_seccomp_profile", TEXT, offsetof(struct config, unset_seccomp_profile)},
    {"blockio_config_file", TEXT, offsetof(struct config, blockio_config_file)},
    {"disable_apparmor", FLAG, offsetof(struct config, disable_apparmor)},
    {"enable_selinux", FLAG, offsetof(struct config, enable_selinux)},
    {"selinux_category_range", NUMBER, offsetof(struct config, selinux_category_range)},
    {"device_ownership_from_security_context", FLAG,
     offsetof(struct config, device_ownership_from_security_context)},
    {"enable_unprivileged_ports", FLAG, offsetof(struct config, enable_unprivileged_ports)},
    {"enable_unprivileged_icmp", FLAG, offsetof(struct config, enable_unprivileged_icmp)},
    {"shim", TEXT, offsetof(struct config, shim)},
    {"image.helper", TEXT, offsetof(struct config, image_helper)},
    {"image.pull_progress_timeout", NUMBER, offsetof(struct config, pull_progress_timeout_s)},
    {"image.offline_dir", TEXT, offsetof(struct config, image_offline_dir)},
    {"image.pinned", NAMES, offsetof(struct config, image_pinned)},
};

/* The same for one runtime. */
static const struct key runtime_keys[] = {
    {"path", TEXT, offsetof(struct config_runtime, path)},
    {"pod_annotations", LIST, offsetof(struct config_runtime, pod_annotations)},
    {"container_annotations", LIST, offsetof(struct config_runtime, container_annotations)},
    {"base_runtime_spec", TEXT, offsetof(struct config_runtime, base_runtime_spec)},
    {"privileged_without_host_devices", FLAG,
     offsetof(struct config_runtime, privileged_without_host_devices)},
    {"cgroup_writable", FLAG, offsetof(struct config_runtime, cgroup_writable)},
    {"exec", TEXT, offsetof(struct config_runtime, exec)},
};

/* What the functions below share while one file is read. */
struct reading {
    struct config *config;
    const char *file;
    yaml_document_t *document;
    struct error *err;
};

static int fail(struct reading *r, const yaml_node_t *at, const char *what, const char *key)
{
    return error_set(r->err, ERROR_INVALID, "%s line %zu: %s \"%s\"", r->file,
                     at->start_mark.line + 1, what, key);
}

static const char *text_of(const yaml_node_t *node)
{
    return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

static yaml_node_t *node_at(struct reading *r, int id)
{
    return yaml_document_get_node(r->document, id);
}

static int set_number(struct reading *r, const yaml_node_t *value, const char *key, int64_t *out)
{
    const char *text = text_of(value);
    char *end;

    errno = 0;
    *out = text ? strtoll(text, &end, 10) : 0;
    if (!text || end == text || *end || errno)
        return fail(r, value, "not a number:", key);
    return 0;
}

static int set_flag(struct reading *r, const yaml_node_t *value, const char *key, bool *out)
{
    const char *text = text_of(value);

    if (!text || (strcmp(text, "true") != 0 && strcmp(text, "false") != 0))
        return fail(r, value, "neither true nor false:", key);
    *out = *text == 't';
    return 0;
}

/* A list may also be written as one scalar, whose parts are separated as in PATH. */
static int set_list(struct reading *r, const yaml_node_t *value, const char *key, char separator,
                    struct strv *out)
{
    strv_fini(out);
    if (text_of(value)) {
        strv_add_split(out, text_of(value), separator);
        return 0;
    }
    if (value->type != YAML_SEQUENCE_NODE)
        return fail(r, value, "not a list:", key);
    for (yaml_node_item_t *item = value->data.sequence.items.start;
         item < value->data.sequence.items.top; item++) {
        const char *text = text_of(node_at(r, *item));

        if (!text)
            return fail(r, value, "not a list of texts:", key);
        strv_add(out, text);
    }
    return 0;
}

static int set_value(struct reading *r, const struct key *key, const yaml_node_t *value,
                     void *field)
{
    char **text = field;

    switch (key->kind) {
    case NUMBER:
        return set_number(r, value, key->name, field);
    case FLAG:
        return set_flag(r, value, key->name, field);
    case LIST:
        return set_list(r, value, key->name, ':', field);
    case NAMES: /* which may have colons */
        return set_list(r, value, key->name, ' ', field);
    default:
        break;
    }
    if (!text_of(value))
        return fail(r, value, "not a text:", key->name);
    free(*text);
    *text = xstrdup(text_of(value));
    return 0;
}

static int set_runtime_key(struct reading *r, struct config_runtime *runtime,
                           const yaml_node_t *key, const yaml_node_t *value)
{
    for (size_t i = 0; text_of(key) && i < COUNT_OF(runtime_keys); i++)
        if (strcmp(runtime_keys[i].name, text_of(key)) == 0)
            return set_value(r, &runtime_keys[i], value, (char *)runtime + runtime_keys[i].offset);
    return fail(r, key, "unknown key in a runtime:", text_of(key) ? text_of(key) : "?");
}

static int set_runtime(struct reading *r, const char *name, const yaml_node_t *value)
{
    struct config *c = r->config;
    struct config_runtime *runtime;

    if (value->type != YAML_MAPPING_NODE)
        return fail(r, value, "not a mapping: runtime", name);
    if (c->n_runtimes == CONFIG_RUNTIMES_MAX)
        return fail(r, value, "too many runtimes:", name);
    runtime = &c->runtimes[c->n_runtimes++];
    *runtime = (struct config_runtime){.name = xstrdup(name)};
    for (yaml_node_pair_t *pair = value->data.mapping.pairs.start;
         pair < value->data.mapping.pairs.top; pair++)
        if (set_runtime_key(r, runtime, node_at(r, pair->key), node_at(r, pair->value)) < 0)
            return -1;
    return runtime->path ? 0 : fail(r, value, "no path for runtime", name);
}

static int set_runtimes(struct reading *r, const yaml_node_t *value)
{
    if (value->type != YAML_MAPPING_NODE)
        return fail(r, value, "not a mapping:", "runtimes");
    config_drop_runtimes(r->config);
    for (yaml_node_pair_t *pair = value->data.mapping.pairs.start;
         pair < value->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = node_at(r, pair->key);

        if (!text_of(key))
            return fail(r, key, "not a name of a runtime:", "?");
        if (set_runtime(r, text_of(key), node_at(r, pair->value)) < 0)
            return -1;
    }
    return 0;
}

static int set(struct reading *r, const struct key *key, const yaml_node_t *value)
{
    if (key->kind == RUNTIMES)
        return set_runtimes(r, value);
    return set_value(r, key, value, (char *)r->config + key->offset);
}

static bool is_section(const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < COUNT_OF(keys); i++)
        if (strncmp(keys[i].name, name, len) == 0 && keys[i].name[len] == '.')
            return true;
    return false;
}

static int read_section(struct reading *r, const char *section, const yaml_node_t *node);

static int read_pair(struct reading *r, const char *section, const yaml_node_t *key,
                     const yaml_node_t *value)
{
    AUTO_FREE char *name = NULL;

    if (!text_of(key))
        return fail(r, key, "unknown key", "?");
    name = xasprintf("%s%s%s", section, *section ? "." : "", text_of(key));
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        if (strcmp(keys[i].name, name) == 0)
            return set(r, &keys[i], value);
    if (!is_section(name))
        return fail(r, key, "unknown key", name);
    return read_section(r, name, value);
}

static int read_section(struct reading *r, const char *section, const yaml_node_t *node)
{
    if (text_of(node) && !*text_of(node))
        return 0; /* "cni:" with nothing below it */
    if (node->type != YAML_MAPPING_NODE)
        return fail(r, node, "not a mapping:", *section ? section : "the file");
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++)
        if (read_pair(r, section, node_at(r, pair->key), node_at(r, pair->value)) < 0)
            return -1;
    return 0;
}

int config_parse(struct config *c, const char *name, const char *text, size_t len,
                 struct error *err)
{
    yaml_parser_t parser;
    yaml_document_t document;
    struct reading r = {c, name, &document, err};
    yaml_node_t *top;
    int outcome = 0;

    if (!yaml_parser_initialize(&parser))
        abort();
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    if (!yaml_parser_load(&parser, &document)) {
        outcome = error_set(err, ERROR_INVALID, "%s line %zu: %s", name,
                            parser.problem_mark.line + 1, parser.problem);
        yaml_parser_delete(&parser);
        return outcome;
    }
    top = yaml_document_get_root_node(&document);
    if (top)
        outcome = read_section(&r, "", top);
    yaml_document_delete(&document);
    yaml_parser_delete(&parser);
    return outcome;
}

int config_load(struct config *c, const char *path, struct error *err)
{
    AUTO_FINI(buf) text = BUF(FILE_MAX);

    if (file_load(AT_FDCWD, path, &text, err) < 0)
        return -1;
    return config_parse(c, path, text.len ? text.data : "", text.len, err);
}

static int is_yaml(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');

    return entry->d_name[0] != '.' && dot && strcmp(dot, ".yaml") == 0;
}

int config_load_folder(struct config *c, const char *folder, struct error *err)
{
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, is_yaml, alphasort), outcome = 0;

    if (n < 0)
        return errno == ENOENT ? 0 : error_errno(err, errno, "read folder %s", folder);
    for (int i = 0; i < n; i++) {
        AUTO_FREE char *path = xasprintf("%s/%s", folder, entries[i]->d_name);

        if (outcome == 0)
            outcome = config_load(c, path, err);
        free(entries[i]);
    }
    free(entries);
    return outcome;
}
