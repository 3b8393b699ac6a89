// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "base/own.h"
#include "oci/spec.h"

/* spec_fixture: for tests: one container of one pod, as plain as can be; they change what they are
 * about. */
static struct {
    char dir[32];
    Runtime__V1__ContainerMetadata metadata;
    Runtime__V1__LinuxContainerSecurityContext security;
    Runtime__V1__LinuxContainerResources resources;
    Runtime__V1__LinuxContainerConfig linux;
    Runtime__V1__ContainerConfig config;
    Runtime__V1__PodSandboxMetadata pod_metadata;
    Runtime__V1__LinuxSandboxSecurityContext pod_security;
    Runtime__V1__LinuxPodSandboxConfig pod_linux;
    Runtime__V1__PodSandboxConfig pod;
    struct oci_host host;
    struct oci_features features;
    struct oci_user user;
    struct oci_input in;
    struct json_object *image;
    struct json_object *out;
    struct error err;
} t;

static char *args[] = {(char *)"run", (char *)"it"};

static inline void put(const char *name)
{
    AUTO_FREE char *path = xasprintf("%s/%s", t.dir, name);

    assert_int_equal(file_store(AT_FDCWD, path, "x", 1, 0644, &t.err), 0);
}

static inline void make_config(void)
{
    runtime__v1__container_metadata__init(&t.metadata);
    runtime__v1__linux_container_security_context__init(&t.security);
    runtime__v1__linux_container_resources__init(&t.resources);
    runtime__v1__linux_container_config__init(&t.linux);
    runtime__v1__container_config__init(&t.config);
    t.metadata.name = (char *)"web";
    t.linux.security_context = &t.security;
    t.linux.resources = &t.resources;
    t.config.metadata = &t.metadata;
    t.config.linux = &t.linux;
    t.config.command = args;
    t.config.n_command = 2;
}

static inline void make_pod_config(void)
{
    runtime__v1__pod_sandbox_metadata__init(&t.pod_metadata);
    runtime__v1__linux_sandbox_security_context__init(&t.pod_security);
    runtime__v1__linux_pod_sandbox_config__init(&t.pod_linux);
    runtime__v1__pod_sandbox_config__init(&t.pod);
    t.pod_metadata.name = (char *)"pod";
    t.pod_metadata.namespace_ = (char *)"ns";
    t.pod_metadata.uid = (char *)"u-1";
    t.pod_linux.security_context = &t.pod_security;
    t.pod.metadata = &t.pod_metadata;
    t.pod.linux = &t.pod_linux;
    t.pod.hostname = (char *)"podhost";
}

static inline int set_up(void **state)
{
    (void)state;
    memset(&t, 0, sizeof t);
    snprintf(t.dir, sizeof t.dir, "/tmp/berth-spec-XXXXXX");
    if (!mkdtemp(t.dir))
        return -1;
    AUTO_FREE char *shm = xasprintf("%s/shm", t.dir);
    mkdir(shm, 0700);
    put("hostname");
    put("hosts");
    put("resolv.conf");
    make_config();
    make_pod_config();
    t.host = (struct oci_host){.cgroup_mode = OCI_CGROUP_V2,
                               .swap_controlled = true,
                               .has_seccomp = true,
                               .kernel_major = 6,
                               .hostname = "node"};
    strv_add(&t.host.capabilities, "CAP_CHOWN");
    strv_add(&t.host.capabilities, "CAP_SYS_ADMIN");
    t.in = (struct oci_input){.container_id = "c1",
                              .pod_id = "p1",
                              .config = &t.config,
                              .pod_config = &t.pod,
                              .image_name = "docker.io/library/web:1",
                              .pod_dir = t.dir,
                              .pod_owns_network = true,
                              .pod_owns_ipc = true,
                              .pod_owns_uts = true,
                              .cgroups_path = "/x/c1",
                              .user = &t.user,
                              .host = &t.host,
                              .features = &t.features};
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    json_object_put(t.out);
    json_object_put(t.image);
    oci_host_fini(&t.host);
    return file_remove_tree(AT_FDCWD, t.dir, &t.err);
}

static inline void build(void)
{
    json_object_put(t.out);
    t.out = NULL;
    if (oci_spec_build(&t.in, &t.out, &t.err) < 0)
        fail_msg("%s", t.err.text);
}

static inline void expect_refusal(const char *words)
{
    struct json_object *out = NULL;

    t.err = (struct error){0};
    assert_int_equal(oci_spec_build(&t.in, &out, &t.err), -1);
    assert_null(out);
    if (!strstr(t.err.text, words))
        fail_msg("\"%s\" is not in \"%s\"", words, t.err.text);
}

/* The text of spec.<a>.<b>; "nothing" when it is not there. */
static inline const char *part(const char *a, const char *b)
{
    struct json_object *value = b ? json_get(json_get(t.out, a), b) : json_get(t.out, a);

    return value ? json_text(value) : "nothing";
}

static inline struct json_object *mount_at(const char *destination)
{
    struct json_object *mounts = json_get(t.out, "mounts"), *found = NULL;

    for (size_t i = 0; i < json_len(mounts); i++)
        if (strcmp(json_get_str(json_at(mounts, i), "destination"), destination) == 0)
            found = json_at(mounts, i);
    return found;
}

static inline const char *options_at(const char *destination)
{
    struct json_object *mount = mount_at(destination);

    return mount ? json_text(json_get(mount, "options")) : "nothing";
}

static inline void set_image(const char *text)
{
    json_object_put(t.image);
    t.image = json_parse(text, strlen(text), &t.err);
    assert_non_null(t.image);
    t.in.image_config = t.image;
}

#define PLAIN(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
