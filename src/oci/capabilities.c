// SPDX-License-Identifier: Apache-2.0
#include "oci/capabilities.h"

#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/own.h"
#include "oci/build.h"

/* By number, without CAP_. */
static const char *const NAMES[CAPABILITIES_COUNT] = {"CHOWN",
                                                      "DAC_OVERRIDE",
                                                      "DAC_READ_SEARCH",
                                                      "FOWNER",
                                                      "FSETID",
                                                      "KILL",
                                                      "SETGID",
                                                      "SETUID",
                                                      "SETPCAP",
                                                      "LINUX_IMMUTABLE",
                                                      "NET_BIND_SERVICE",
                                                      "NET_BROADCAST",
                                                      "NET_ADMIN",
                                                      "NET_RAW",
                                                      "IPC_LOCK",
                                                      "IPC_OWNER",
                                                      "SYS_MODULE",
                                                      "SYS_RAWIO",
                                                      "SYS_CHROOT",
                                                      "SYS_PTRACE",
                                                      "SYS_PACCT",
                                                      "SYS_ADMIN",
                                                      "SYS_BOOT",
                                                      "SYS_NICE",
                                                      "SYS_RESOURCE",
                                                      "SYS_TIME",
                                                      "SYS_TTY_CONFIG",
                                                      "MKNOD",
                                                      "LEASE",
                                                      "AUDIT_WRITE",
                                                      "AUDIT_CONTROL",
                                                      "SETFCAP",
                                                      "MAC_OVERRIDE",
                                                      "MAC_ADMIN",
                                                      "SYSLOG",
                                                      "WAKE_ALARM",
                                                      "BLOCK_SUSPEND",
                                                      "AUDIT_READ",
                                                      "PERFMON",
                                                      "BPF",
                                                      "CHECKPOINT_RESTORE"};

static const char *const DEFAULTS[] = {"CHOWN",   "DAC_OVERRIDE", "FSETID",           "FOWNER",
                                       "MKNOD",   "NET_RAW",      "SETGID",           "SETUID",
                                       "SETFCAP", "SETPCAP",      "NET_BIND_SERVICE", "SYS_CHROOT",
                                       "KILL",    "AUDIT_WRITE"};

uint64_t oci_capabilities_default(void)
{
    uint64_t set = 0;

    for (size_t i = 0; i < COUNT_OF(DEFAULTS); i++)
        set |= oci_capabilities_find(DEFAULTS[i]);
    return set;
}

uint64_t oci_capabilities_find(const char *name)
{
    if (strncasecmp(name, "CAP_", 4) == 0)
        name += 4;
    for (size_t i = 0; i < CAPABILITIES_COUNT; i++)
        if (strcasecmp(name, NAMES[i]) == 0)
            return UINT64_C(1) << i;
    return 0;
}

void oci_capabilities_names(uint64_t set, struct strv *out)
{
    for (size_t i = 0; i < CAPABILITIES_COUNT; i++)
        if (set & UINT64_C(1) << i)
            strv_addf(out, "CAP_%s", NAMES[i]);
}

uint64_t oci_capabilities_of(const struct strv *names)
{
    uint64_t set = 0;

    for (size_t i = 0; i < names->len; i++)
        set |= oci_capabilities_find(names->items[i]);
    return set;
}

static bool is_all(const char *name)
{
    return strcasecmp(name, "ALL") == 0;
}

/* What a container gets, and what of that its program keeps when it does not run as root. */
struct chosen {
    uint64_t all, ambient;
};

/* What could not be kept is refused; a privileged container has everything, whatever it asks for.
 * ALL is the whole of what the daemon has. */
static int read_added(const struct build *b, const char *field, char **names, size_t n,
                      uint64_t *out_set, bool *out_has_all, struct error *err)
{
    *out_set = 0;
    *out_has_all = false;
    for (size_t i = 0; i < n; i++) {
        uint64_t bit = oci_capabilities_find(names[i]);

        if (!bit && !is_all(names[i]) && !b->privileged)
            return error_set(err, ERROR_INVALID, "capabilities.%s: \"%s\" is no capability", field,
                             names[i]);
        *out_set |= bit;
        *out_has_all |= is_all(names[i]);
    }
    return 0;
}

/* Drops come after adds; that of an unknown name changes nothing, and that of ALL leaves those that
 * are added by name. */
static int choose(const struct build *b, struct chosen *out, struct error *err)
{
    static const Runtime__V1__Capability nothing = RUNTIME__V1__CAPABILITY__INIT;
    const Runtime__V1__Capability *wanted =
        b->security->capabilities ? b->security->capabilities : &nothing;
    uint64_t set = oci_capabilities_default(), dropped = 0, added, ambient;
    uint64_t all = oci_capabilities_of(&b->in->host->capabilities);
    bool has_all, has_all_ambient;

    if (read_added(b, "add_capabilities", wanted->add_capabilities, wanted->n_add_capabilities,
                   &added, &has_all, err) < 0 ||
        read_added(b, "add_ambient_capabilities", wanted->add_ambient_capabilities,
                   wanted->n_add_ambient_capabilities, &ambient, &has_all_ambient, err) < 0)
        return -1;
    if (has_all || has_all_ambient)
        set = all;
    for (size_t i = 0; i < wanted->n_drop_capabilities; i++) {
        if (is_all(wanted->drop_capabilities[i]))
            set = 0;
        dropped |= oci_capabilities_find(wanted->drop_capabilities[i]);
    }
    out->all = b->privileged ? all : (set | added | ambient) & ~dropped;
    out->ambient = (has_all_ambient ? set | ambient : ambient) & out->all;
    return 0;
}

static void add_set(struct json_object *to, const char *key, uint64_t set)
{
    struct json_object *names = json_add_array(to, key);
    AUTO_FINI(strv) each = {0};

    oci_capabilities_names(set, &each);
    for (size_t n = 0; n < each.len; n++)
        json_add_str(names, NULL, each.items[n]);
}

int oci_capabilities_add(struct build *b, struct error *err)
{
    struct json_object *capabilities = json_add_object(b->process, "capabilities");
    struct chosen chosen;

    if (choose(b, &chosen, err) < 0)
        return -1;
    b->capabilities = chosen.all;
    add_set(capabilities, "bounding", chosen.all);
    add_set(capabilities, "effective", chosen.all);
    add_set(capabilities, "permitted", chosen.all);
    if (!chosen.ambient)
        return 0; /* who becomes another user keeps none */
    add_set(capabilities, "inheritable", chosen.ambient);
    add_set(capabilities, "ambient", chosen.ambient);
    return 0;
}
