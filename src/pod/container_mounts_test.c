// SPDX-License-Identifier: Apache-2.0
#include "pod/container_mounts.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/message.h"

enum { ARENA_MAX = 64 * 1024 };

static struct {
    char dir[40];
    struct node node;
    struct sandbox *pod;
    struct container *container;
    struct error err;
} t;

/* A container without layers, whose specification has a label for its files. */
static int set_up(void **state)
{
    static const char spec[] = "{\"linux\":{\"mountLabel\":\"u:r:t:s0:c1,c2\"}}";
    Runtime__V1__PodSandboxConfig pod = RUNTIME__V1__POD_SANDBOX_CONFIG__INIT;
    Runtime__V1__ContainerConfig config = RUNTIME__V1__CONTAINER_CONFIG__INIT;

    (void)state;
    memset(&t, 0, sizeof t);
    snprintf(t.dir, sizeof t.dir, "/tmp/berth-container-mounts-XXXXXX");
    if (!mkdtemp(t.dir))
        return -1;
    t.node.root = t.node.state = t.dir;
    t.pod =
        sandbox_new(&t.node, "p", "pod", (Runtime__V1__PodSandboxConfig *)message_copy(&pod.base));
    t.container = container_new(t.pod, "c", "container",
                                (Runtime__V1__ContainerConfig *)message_copy(&config.base));
    AUTO_FREE char *path = xasprintf("%s/config.json", t.container->bundle);
    if (file_make_dirs(t.container->bundle, 0700, &t.err) < 0)
        return -1;
    return file_store(AT_FDCWD, path, spec, strlen(spec), 0600, &t.err);
}

static int tear_down(void **state)
{
    (void)state;
    container_free(t.container);
    sandbox_free(t.pod);
    return file_remove_tree(AT_FDCWD, t.dir, &t.err);
}

static bool has_option(const char *option)
{
    Containerd__Task__V3__CreateTaskRequest request =
        CONTAINERD__TASK__V3__CREATE_TASK_REQUEST__INIT;
    AUTO_FINI(arena) a;
    bool found = false;

    arena_init(&a, ARENA_MAX);
    container_mounts_add(&a, t.container, &request);
    assert_int_equal(request.n_rootfs, 1);
    assert_string_equal(request.rootfs[0]->type, "overlay");
    for (size_t i = 0; i < request.rootfs[0]->n_options; i++)
        found |= strcmp(request.rootfs[0]->options[i], option) == 0;
    return found;
}

static void test_the_root_has_the_label_of_the_containers_files(void **state)
{
    (void)state;
    assert_false(has_option("context=\"u:r:t:s0:c1,c2\""));
    t.node.selinux_enabled = true;
    assert_true(has_option("context=\"u:r:t:s0:c1,c2\""));
    assert_true(has_option("volatile"));
}

static void test_a_user_namespace_has_its_ids(void **state)
{
    (void)state;
    assert_false(has_option("idmap"));
    t.pod->ids = (struct idmap){{5000, 10}, {5000, 10}};
    assert_true(has_option("idmap"));
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        WITH(test_the_root_has_the_label_of_the_containers_files),
        WITH(test_a_user_namespace_has_its_ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
