// SPDX-License-Identifier: Apache-2.0
#include "imaged/explain.h"

#include "base/json.h"
#include "image/redact.h"
#include "imaged/event.h"
#include "imaged/fetcher.h"

static void add_str(struct json_object *to, const char *key, const char *text)
{
    json_add_str(to, key, text ? text : "");
}

static void add_unused(struct json_object *to, const struct registry *registry)
{
    struct json_object *list = json_add_array(to, "unused");
    AUTO_FINI(strv) unused = {0};

    registry_unused(registry, &unused);
    for (size_t i = 0; i < unused.len; i++)
        json_add_str(list, NULL, unused.items[i]);
}

static void report(void *data, const struct registry_report *r)
{
    struct json_object *event = json_object_new_object();
    AUTO_FREE char *url = xasprintf("%s://%s%s", r->scheme, r->authority, r->path);
    AUTO_FREE char *words = r->words ? redact_urls(r->words) : NULL;
    (void)data;

    json_add_str(event, "event", "host");
    add_str(event, "url", url);
    add_str(event, "mirror_of", r->ns);
    add_str(event, "credentials", r->origin);
    add_str(event, "digest", r->digest);
    add_str(event, "media_type", r->type);
    add_str(event, "words", words);
    json_add_flag(event, "asked", r->is_asked);
    json_add_flag(event, "chosen", r->is_chosen);
    event_send(event);
}

static int explain(const struct pull *p, struct error *err)
{
    struct image_reference ref;
    const struct registry_options options = {.reference = &ref,
                                             .hosts_dirs = p->hosts_dirs,
                                             .credentials = &p->credentials,
                                             .auth_file = p->auth_file,
                                             .idle_timeout_ms = p->idle_timeout_ms};
    AUTO(registry) *registry = NULL;
    struct json_object *event;
    char name[REFERENCE_TEXT_SIZE];

    if (reference_parse(p->image, &ref, err) < 0 || registry_global_init(err) < 0)
        return -1;
    registry = registry_open(&options, err);
    if (!registry || fetcher_enter_sandbox(err) < 0)
        return -1;
    reference_format(&ref, name);
    event = json_object_new_object();
    json_add_str(event, "event", "reference");
    json_add_str(event, "name", name);
    add_str(event, "source", registry_hosts_source(registry));
    add_unused(event, registry);
    event_send(event);
    return registry_explain(registry, report, NULL, err);
}

int explain_run(const struct pull *p, struct error *err)
{
    return explain(p, err) < 0 ? error_wrap(err, "explain %s", p->image) : 0;
}
