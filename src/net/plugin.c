// SPDX-License-Identifier: Apache-2.0
#include "net/plugin.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/own.h"
#include "os/process.h"

/* A program that is just being written, by an installer say, cannot be run for a moment. */
enum { BUSY_TRIES = 5, BUSY_PAUSE_MS = 1000, UNKNOWN_CONTAINER = 3 };

/* process_run() throws away the pieces that do not fit, so an answer near its buffer's maximum may
 * have a hole. */
enum { PIECE_MAX = 64 * 1024 };

/* The program's path; the caller frees. */
static char *find(const struct plugin_call *call, struct error *err)
{
    AUTO_FREE char *searched = strv_join(call->bin_dirs, " ");

    if (strchr(call->type, '/')) {
        error_set(err, ERROR_INVALID, "invalid plugin name: %s", call->type);
        return NULL;
    }
    for (size_t i = 0; i < call->bin_dirs->len; i++) {
        AUTO_FREE char *path = xasprintf("%s/%s", call->bin_dirs->items[i], call->type);
        struct stat st;

        if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
            return TAKE(path);
    }
    error_set(err, ERROR_UNIMPLEMENTED, "failed to find plugin \"%s\" in path [%s]", call->type,
              searched);
    return NULL;
}

static void make_env(const struct plugin_call *call, struct strv *out)
{
    AUTO_FREE char *path = strv_join(call->bin_dirs, ":");

    for (char **e = environ; *e; e++)
        if (strncmp(*e, "CNI_", 4) != 0)
            strv_add(out, *e);
    strv_addf(out, "CNI_COMMAND=%s", call->command);
    strv_addf(out, "CNI_CONTAINERID=%s", call->container_id);
    strv_addf(out, "CNI_NETNS=%s", call->netns);
    strv_addf(out, "CNI_IFNAME=%s", call->ifname);
    strv_addf(out, "CNI_ARGS=%s", call->args);
    strv_addf(out, "CNI_PATH=%s", path);
}

static int pause_for(int64_t ms, const struct deadline *by, struct error *err)
{
    struct deadline until = deadline_sooner(by, ms);
    struct error passed;

    if (deadline_wait(&until, -1, 0, &passed) < 0 && passed.code == ERROR_CANCELLED) {
        *err = passed;
        return -1;
    }
    return deadline_check(by, err);
}

static int run_patiently(const struct process_spec *spec, struct process_io *io,
                         const struct deadline *by, int *out_status, struct error *err)
{
    for (int tries = 0;; tries++) {
        struct process_io again = *io;

        if (process_run(spec, &again, by, out_status, err) == 0)
            return 0;
        if (err->errnum != ETXTBSY || tries == BUSY_TRIES || pause_for(BUSY_PAUSE_MS, by, err) < 0)
            return -1;
    }
}

/* What went wrong by the plugin's own words. */
static int failure(const struct plugin_call *call, int status, const struct buf *answer,
                   const struct buf *complaint, struct error *err)
{
    struct error unreadable;
    const char *text = answer->data ? answer->data : "", *msg, *details;
    JSON_AUTO *said = answer->len ? json_parse(text, answer->len, &unreadable) : NULL;
    enum error_code code = ERROR_UNKNOWN;

    if (answer->len == 0 && complaint->len == 0)
        return error_set(err, ERROR_UNKNOWN, "netplugin failed with no error message: %s %d",
                         status > 128 ? "signal" : "exit status",
                         status > 128 ? status - 128 : status);
    if (answer->len == 0)
        return error_set(err, ERROR_UNKNOWN, "netplugin failed: \"%s\"", complaint->data);
    if (!json_object_is_type(said, json_type_object))
        return error_set(err, ERROR_UNKNOWN,
                         "netplugin failed but error parsing its diagnostic message \"%.400s\": %s",
                         text, said ? "no object" : unreadable.text);
    msg = json_get_str(said, "msg");
    details = json_get_str(said, "details");
    if (json_get_int(said, "code", 0) == UNKNOWN_CONTAINER ||
        strstr(json_text(said), "not found") ||
        (!*call->netns && strstr(json_text(said), "no such file or directory")))
        code = ERROR_NOT_FOUND;
    return error_set(err, code, "%s%s%s", msg ? msg : "", details && *details ? "; " : "",
                     details ? details : "");
}

static int read_answer(const struct buf *answer, struct json_object **out, struct error *err)
{
    JSON_AUTO *tree = NULL;

    if (answer->len == 0)
        return error_set(err, ERROR_UNKNOWN, "the plugin gave no result");
    if (answer->len > PLUGIN_ANSWER_MAX)
        return error_set(err, ERROR_EXHAUSTED, "the plugin's result has more than %d bytes",
                         PLUGIN_ANSWER_MAX);
    tree = json_parse(answer->data, answer->len, err);
    if (!tree)
        return error_wrap(err, "the plugin's result is unreadable");
    if (!json_object_is_type(tree, json_type_object))
        return error_set(err, ERROR_UNKNOWN, "the plugin's result is no object");
    *out = TAKE(tree);
    return 0;
}

int plugin_run(const struct plugin_call *call, struct json_object *config,
               const struct deadline *by, struct json_object **out_answer, struct error *err)
{
    AUTO_FREE char *path = find(call, err);
    AUTO_FINI(strv) env = {0};
    AUTO_FINI(buf) answer = BUF(PLUGIN_ANSWER_MAX + PIECE_MAX);
    AUTO_FINI(buf) complaint = BUF(PLUGIN_STDERR_MAX);
    const char *text = json_text(config), *const argv[] = {path, NULL};
    struct process_spec spec = PROCESS_SPEC(argv);
    struct process_io io = {
        .input = text, .input_len = strlen(text), .out = &answer, .err_out = &complaint};
    int status;

    if (!path)
        return -1;
    make_env(call, &env);
    spec.env = (const char *const *)env.items;
    if (run_patiently(&spec, &io, by, &status, err) < 0) {
        /* Words of ours never mean that what was to be undone is not there. */
        if (err->code == ERROR_NOT_FOUND)
            err->code = ERROR_UNKNOWN;
        return -1;
    }
    if (status != 0)
        return failure(call, status, &answer, &complaint, err);
    return out_answer ? read_answer(&answer, out_answer, err) : 0;
}
