// SPDX-License-Identifier: Apache-2.0
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/own.h"
#include "base/strv.h"
#include "base/utf8.h"
#include "oci/build.h"

static const char PATH_DEFAULT[] =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
static const char TERM_DEFAULT[] = "TERM=xterm";

/* The member of the image's configuration; json_get() bears NULL. */
static struct json_object *of_image(const struct oci_input *in, const char *key)
{
    return json_get(json_get(in->image_config, "config"), key);
}

static void add_all(struct json_object *to, char **texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        json_add_str(to, NULL, texts[i]);
}

static void add_texts(struct json_object *to, struct json_object *texts)
{
    for (size_t i = 0; i < json_len(texts); i++)
        if (json_str(json_at(texts, i)))
            json_add_str(to, NULL, json_str(json_at(texts, i)));
}

/* Of one argument or variable, with the NUL behind it: 32 pages, says the kernel. */
static size_t text_max(void)
{
    return 32 * (size_t)sysconf(_SC_PAGESIZE);
}

/* A command replaces both of the image's; args alone replace its Cmd. */
static int add_args(struct build *b, struct error *err)
{
    const Runtime__V1__ContainerConfig *config = b->in->config;
    struct json_object *entrypoint = of_image(b->in, "Entrypoint");
    struct json_object *args = json_add_array(b->process, "args");
    const char *first = json_str(json_at(entrypoint, 0));

    if (config->n_command > 0) {
        add_all(args, config->command, config->n_command);
    } else if (!(json_len(entrypoint) == 1 && first && !*first)) {
        add_texts(args, entrypoint); /* [""] counts as none */
    }
    if (config->n_args > 0)
        add_all(args, config->args, config->n_args);
    else if (config->n_command == 0)
        add_texts(args, of_image(b->in, "Cmd"));
    if (json_len(args) == 0)
        return error_set(err, ERROR_INVALID, "no command specified");
    for (size_t i = 0; i < json_len(args); i++)
        if (strlen(json_str(json_at(args, i))) >= text_max())
            return error_set(err, ERROR_INVALID,
                             "argument %zu of the command is longer than the %zu bytes that a "
                             "program can be given",
                             i, text_max());
    return 0;
}

static size_t name_len(const char *variable)
{
    return strcspn(variable, "=");
}

/* Sets NAME=value, where the variable was if it was there. */
static void put_env(struct strv *env, const char *variable)
{
    size_t len = name_len(variable);

    for (size_t i = 0; i < env->len; i++)
        if (name_len(env->items[i]) == len && strncmp(env->items[i], variable, len) == 0) {
            free(env->items[i]);
            env->items[i] = xstrdup(variable);
            return;
        }
    strv_add(env, variable);
}

static void remove_env(struct strv *env, const char *name)
{
    size_t kept = 0;

    for (size_t i = 0; i < env->len; i++)
        if (name_len(env->items[i]) == strlen(name) &&
            strncmp(env->items[i], name, strlen(name)) == 0)
            free(env->items[i]);
        else
            env->items[kept++] = env->items[i];
    env->len = kept;
    if (env->items)
        env->items[kept] = NULL;
}

static void put_image_env(struct strv *env, struct json_object *variables)
{
    for (size_t i = 0; i < json_len(variables); i++) {
        const char *variable = json_str(json_at(variables, i));

        if (variable && strchr(variable, '='))
            put_env(env, variable);
        else if (variable)
            remove_env(env, variable);
    }
}

/* JSON holds UTF-8 only, though a variable could be any bytes but NUL. */
static int check_env(const Runtime__V1__KeyValue *variable, struct error *err)
{
    const char *value = (const char *)variable->value.data;
    size_t len = variable->value.len, name_max = strlen(variable->key) + sizeof "=";

    if (!*variable->key || strchr(variable->key, '='))
        return error_set(err, ERROR_INVALID, "envs: \"%s\" is no name of a variable",
                         variable->key);
    if (len > 0 && memchr(value, '\0', len))
        return error_set(err, ERROR_INVALID, "envs: the value of %s contains a NUL byte",
                         variable->key);
    if (!utf8_is_valid(value, len))
        return error_set(err, ERROR_INVALID, "envs: the value of %s is not UTF-8", variable->key);
    if (len + name_max > text_max())
        return error_set(err, ERROR_INVALID,
                         "envs: %.80s and its value are longer than the %zu bytes that a program "
                         "can be given",
                         variable->key, text_max());
    return 0;
}

static int add_env(struct build *b, struct error *err)
{
    const Runtime__V1__ContainerConfig *config = b->in->config;
    const char *hostname = b->in->pod_config->hostname;
    AUTO_FINI(strv) env = {0};

    strv_add(&env, PATH_DEFAULT);
    if (config->tty)
        strv_add(&env, TERM_DEFAULT);
    strv_addf(&env, "HOSTNAME=%s", *hostname ? hostname : b->in->host->hostname);
    put_image_env(&env, of_image(b->in, "Env"));
    for (size_t i = 0; i < config->n_envs; i++) {
        const Runtime__V1__KeyValue *variable = config->envs[i];

        if (check_env(variable, err) < 0)
            return -1;
        AUTO_FREE char *value = xstrndup((const char *)variable->value.data, variable->value.len);
        AUTO_FREE char *text = xasprintf("%s=%s", variable->key, value);
        put_env(&env, text);
    }
    add_all(json_add_array(b->process, "env"), env.items, env.len);
    return 0;
}

static void add_cwd(struct build *b)
{
    const char *cwd = b->in->config->working_dir;
    const char *of_image_config = json_str(of_image(b->in, "WorkingDir"));

    if (!*cwd)
        cwd = of_image_config && *of_image_config ? of_image_config : "/";
    AUTO_FREE char *absolute = xasprintf("%s%s", *cwd == '/' ? "" : "/", cwd);
    json_add_str(b->process, "cwd", absolute);
}

/* Whom the pod's user namespace does not have nobody in it can be. */
static int check_user(const struct build *b, struct error *err)
{
    const struct oci_user *user = b->in->user;
    const struct idmap *ids = &b->in->ids;
    uint32_t unused;

    if (!idmap_find(&ids->uids, user->uid, &unused))
        return error_set(err, ERROR_INVALID, "user %u is not among the %u of the user namespace",
                         user->uid, ids->uids.count);
    if (!idmap_find(&ids->gids, user->gid, &unused))
        return error_set(err, ERROR_INVALID, "group %u is not among the %u of the user namespace",
                         user->gid, ids->gids.count);
    for (size_t i = 0; i < user->n_groups; i++)
        if (!idmap_find(&ids->gids, user->groups[i], &unused))
            return error_set(err, ERROR_INVALID,
                             "group %u is not among the %u of the user namespace", user->groups[i],
                             ids->gids.count);
    return 0;
}

static void add_user(struct build *b)
{
    const struct oci_user *user = b->in->user;
    struct json_object *to = json_add_object(b->process, "user"), *groups;

    json_add_uint(to, "uid", user->uid);
    json_add_uint(to, "gid", user->gid);
    if (user->n_groups == 0)
        return;
    groups = json_add_array(to, "additionalGids");
    for (size_t i = 0; i < user->n_groups; i++)
        json_add_uint(groups, NULL, user->groups[i]);
}

int oci_process_add(struct build *b, struct error *err)
{
    const Runtime__V1__LinuxContainerConfig *linux = b->in->config->linux;

    if (b->in->config->tty)
        json_add_flag(b->process, "terminal", true);
    if (check_user(b, err) < 0)
        return -1;
    add_user(b);
    if (add_args(b, err) < 0 || add_env(b, err) < 0)
        return -1;
    add_cwd(b);
    json_add_flag(b->process, "noNewPrivileges", b->security->no_new_privs);
    if (linux && linux->resources)
        json_add_int(b->process, "oomScoreAdj",
                     oci_host_oom_score_adj(b->in->host, linux->resources->oom_score_adj));
    return 0;
}

/* The container's environment is kept, and with it what the image set; a terminal needs TERM. */
static struct json_object *with_term(struct json_object *env)
{
    struct json_object *out = json_object_new_array();
    bool has_term = false;

    add_texts(out, env);
    for (size_t i = 0; i < json_len(out); i++)
        has_term |= strncmp(json_str(json_at(out, i)), "TERM=", 5) == 0;
    if (!has_term)
        json_add_str(out, NULL, TERM_DEFAULT);
    return out;
}

int oci_process_build_exec(struct json_object *spec, char **cmd, size_t n_cmd, bool tty,
                           struct json_object **out, struct error *err)
{
    struct json_object *from = json_get(spec, "process"), *args;
    JSON_AUTO *process = NULL;

    if (!json_object_is_type(from, json_type_object))
        return error_set(err, ERROR_INTERNAL, "the container's specification has no process");
    if (n_cmd == 0)
        return error_set(err, ERROR_INVALID, "cmd is empty");
    process = json_object_new_object();
    json_object_object_foreach(from, key, value)
    {
        if (strcmp(key, "terminal") != 0 && strcmp(key, "consoleSize") != 0)
            json_add(process, key, json_object_get(value));
    }
    args = json_add_array(process, "args");
    add_all(args, cmd, n_cmd);
    if (tty) {
        json_add_flag(process, "terminal", true);
        json_add(process, "env", with_term(json_get(from, "env")));
    }
    if (!utf8_is_valid(json_text(args), strlen(json_text(args))))
        return error_set(err, ERROR_INVALID, "cmd is not UTF-8");
    *out = TAKE(process);
    return 0;
}
