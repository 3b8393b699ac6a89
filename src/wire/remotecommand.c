// SPDX-License-Identifier: Apache-2.0
#include "wire/remotecommand.h"

#include <string.h>

#include "base/json.h"
#include "base/own.h"
#include "base/strv.h"

static const char *const spdy_protocols[] = {"v4.channel.k8s.io", "v3.channel.k8s.io",
                                             "v2.channel.k8s.io", "channel.k8s.io", NULL};
static const char *const websocket_protocols[] = {"v5.channel.k8s.io",        "v4.channel.k8s.io",
                                                  "v4.base64.channel.k8s.io", "channel.k8s.io",
                                                  "base64.channel.k8s.io",    NULL};

const struct upgrade_protocols remotecommand_protocols = {spdy_protocols, websocket_protocols};

int remotecommand_version(const char *protocol)
{
    if (protocol[0] == 'v' && protocol[1] > '0' && protocol[1] <= '5' && protocol[2] == '.')
        return protocol[1] - '0';
    return REMOTECOMMAND_V1;
}

int remotecommand_stream_find(const char *streamtype)
{
    static const char *const names[REMOTECOMMAND_STREAMS] = {
        [REMOTECOMMAND_STDIN] = "stdin",   [REMOTECOMMAND_STDOUT] = "stdout",
        [REMOTECOMMAND_STDERR] = "stderr", [REMOTECOMMAND_ERROR] = "error",
        [REMOTECOMMAND_RESIZE] = "resize",
    };

    for (size_t i = 0; streamtype && i < COUNT_OF(names); i++)
        if (strcmp(streamtype, names[i]) == 0)
            return (int)i;
    return -1;
}

/* Terminal sizes. */

void remotecommand_resizes_init(struct remotecommand_resizes *r)
{
    *r = (struct remotecommand_resizes){.text = BUF(REMOTECOMMAND_RESIZE_MAX)};
}

void remotecommand_resizes_fini(struct remotecommand_resizes *r)
{
    buf_fini(&r->text);
}

/* Follows one character; true when it ends a document. */
static bool ends_document(struct remotecommand_resizes *r, char c)
{
    if (r->in_string) {
        if (!r->is_escaped && c == '"')
            r->in_string = false;
        r->is_escaped = !r->is_escaped && c == '\\';
    } else if (c == '"') {
        r->in_string = true;
    } else if (c == '{') {
        r->depth++;
    } else if (c == '}' && r->depth) {
        return --r->depth == 0;
    }
    return false;
}

/* 1: it is a size that counts. */
static int parse_size(const struct buf *text, struct remotecommand_size *out, struct error *err)
{
    JSON_AUTO *tree = json_parse(text->data, text->len, err);
    int64_t width, height;

    if (!tree)
        return error_wrap(err, "terminal size");
    width = json_get_int(tree, "Width", 0);
    height = json_get_int(tree, "Height", 0);
    if (width < 1 || height < 1 || width > UINT16_MAX || height > UINT16_MAX)
        return 0;
    *out = (struct remotecommand_size){(uint16_t)width, (uint16_t)height};
    return 1;
}

int remotecommand_resizes_feed(struct remotecommand_resizes *r, const void *data, size_t len,
                               struct remotecommand_size *out, struct error *err)
{
    const char *at = data;
    int found = 0;

    for (size_t i = 0; i < len; i++) {
        int rc;

        if (r->text.len == 0 && at[i] != '{') {
            if (strchr(" \t\r\n", at[i]) && at[i])
                continue;
            return error_set(err, ERROR_INVALID, "terminal size: not a JSON object");
        }
        if (buf_append(&r->text, at + i, 1, err) < 0)
            return error_wrap(err, "terminal size");
        if (!ends_document(r, at[i]))
            continue;
        rc = parse_size(&r->text, out, err);
        if (rc < 0)
            return -1;
        found |= rc;
        buf_fini(&r->text);
    }
    return found;
}

/* How it ended. */

/* "[a b c]" */
static char *format_command(const struct remotecommand_end *end)
{
    struct strv words = {.items = (char **)end->command, .len = end->n_command};
    AUTO_FREE char *text = strv_join(&words, " ");

    return xasprintf("[%s]", text);
}

static struct json_object *new_failure(const char *message, const char *reason)
{
    struct json_object *status = json_object_new_object();

    json_add_str(status, "status", "Failure");
    json_add_str(status, "message", message);
    json_add_str(status, "reason", reason);
    return status;
}

static char *status_of_failure(int version, const struct error *failure)
{
    AUTO_FREE char *message = xasprintf(
        "Internal error occurred: error executing command in container: %s", failure->text);
    JSON_AUTO *status = NULL;

    if (version < REMOTECOMMAND_V4)
        return TAKE(message);
    status = new_failure(message, "InternalError");
    json_add_int(status, "code", 500);
    return xstrdup(json_text(status));
}

static char *status_of_exit(int version, const struct remotecommand_end *end)
{
    AUTO_FREE char *command = format_command(end), *code = xasprintf("%d", end->exit_code);
    AUTO_FREE char *message = xasprintf("command terminated with non-zero exit code: error "
                                        "executing command %s, exit code %s",
                                        command, code);
    JSON_AUTO *status = NULL;
    struct json_object *cause;

    if (version < REMOTECOMMAND_V4)
        return TAKE(message);
    status = new_failure(message, "NonZeroExitCode");
    cause = json_add_object(json_add_array(json_add_object(status, "details"), "causes"), NULL);
    json_add_str(cause, "reason", "ExitCode");
    json_add_str(cause, "message", code);
    return xstrdup(json_text(status));
}

char *remotecommand_status(int version, const struct remotecommand_end *end)
{
    if (end->failure)
        return status_of_failure(version, end->failure);
    if (end->exit_code)
        return status_of_exit(version, end);
    return xstrdup(version < REMOTECOMMAND_V4 ? "" : "{\"status\":\"Success\"}");
}
