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

/* ALL is the whole of what the daemon has; drops come after adds. A drop of an unknown name changes
 * nothing, an addition of one could not be kept. */
static int choose(const struct build *b, uint64_t *out, struct error *err)
{
    const Runtime__V1__Capability *wanted = b->security->capabilities;
    uint64_t set = oci_capabilities_default(), dropped = 0, added = 0;

    for (size_t i = 0; wanted && i < wanted->n_add_capabilities; i++) {
        const char *name = wanted->add_capabilities[i];
        uint64_t bit = oci_capabilities_find(name);

        if (!bit && !is_all(name))
            return error_set(err, ERROR_INVALID,
                             "capabilities.add_capabilities: \"%s\" is no capability", name);
        if (is_all(name))
            set = oci_capabilities_of(&b->in->host->capabilities);
        added |= bit;
    }
    for (size_t i = 0; wanted && i < wanted->n_drop_capabilities; i++) {
        if (is_all(wanted->drop_capabilities[i]))
            set = 0;
        dropped |= oci_capabilities_find(wanted->drop_capabilities[i]);
    }
    *out = (set | added) & ~dropped;
    return 0;
}

int oci_capabilities_add(struct build *b, struct error *err)
{
    /* Neither inheritable nor ambient: those would be kept by a program that is run as another
     * user. */
    static const char *const sets[] = {"bounding", "effective", "permitted"};
    struct json_object *capabilities = json_add_object(b->process, "capabilities");
    AUTO_FINI(strv) names = {0};

    if (b->privileged)
        b->capabilities = oci_capabilities_of(&b->in->host->capabilities);
    else if (choose(b, &b->capabilities, err) < 0)
        return -1;
    oci_capabilities_names(b->capabilities, &names);
    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        struct json_object *set = json_add_array(capabilities, sets[i]);

        for (size_t n = 0; n < names.len; n++)
            json_add_str(set, NULL, names.items[n]);
    }
    return 0;
}
