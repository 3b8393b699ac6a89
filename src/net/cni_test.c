// SPDX-License-Identifier: Apache-2.0
#include "net/cni.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
/* cmocka wants the above first. */
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/own.h"

/* Each test has a folder with conf/, bin/ and cache/. The fake plugins there append a line to log
 * for each call and answer what a file named after them and the verb says. */
static char dir[] = "/tmp/berth-cni-XXXXXX";
static struct strv bin_dirs;

static const char FAKE[] =
    "#!/bin/sh\n"
    "here=${0%/bin/*} me=${0##*/}\n"
    "in=$(cat)\n"
    "echo \"$CNI_COMMAND $me $CNI_IFNAME netns=$CNI_NETNS $in\" >>$here/log\n"
    "cat $here/$me.$CNI_COMMAND 2>/dev/null\n"
    "test ! -e $here/$me.$CNI_COMMAND.fails\n";

static void put(const char *name, const char *text, mode_t mode)
{
    AUTO_FREE char *path = xasprintf("%s/%s", dir, name);
    struct error err = {0};

    if (file_store(AT_FDCWD, path, text, strlen(text), mode, &err) < 0)
        fail_msg("%s", err.text);
}

static void drop(const char *name)
{
    AUTO_FREE char *path = xasprintf("%s/%s", dir, name);

    assert_int_equal(unlink(path), 0);
}

/* The file's text; the caller frees. */
static char *get(const char *name)
{
    AUTO_FREE char *path = xasprintf("%s/%s", dir, name);
    AUTO_FINI(buf) text = BUF(1024 * 1024);
    struct error err = {0};

    if (file_load(AT_FDCWD, path, &text, &err) < 0)
        return xstrdup("");
    return buf_take(&text);
}

static int make_dir(void **state)
{
    static const char *const folders[] = {"conf", "bin", "cache"};

    memcpy(dir + sizeof dir - 7, "XXXXXX", 6);
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    for (size_t i = 0; i < COUNT_OF(folders); i++) {
        AUTO_FREE char *path = xasprintf("%s/%s", dir, folders[i]);

        mkdir(path, 0700);
    }
    strv_addf(&bin_dirs, "%s/bin", dir);
    put("bin/one", FAKE, 0755);
    put("bin/two", FAKE, 0755);
    put("one.ADD", "{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.1.0.2/24\"}]}", 0644);
    put("two.ADD", "{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.2.0.2/24\"}]}", 0644);
    put("ns", "", 0644);
    return 0;
}

static int remove_dir(void **state)
{
    struct error err;
    (void)state;

    strv_fini(&bin_dirs);
    return file_remove_tree(AT_FDCWD, dir, &err);
}

static struct cni *start(unsigned max)
{
    AUTO_FREE char *conf = xasprintf("%s/conf", dir);
    AUTO_FREE char *cache = xasprintf("%s/cache", dir);
    struct cni_options options = {.conf_dir = conf,
                                  .bin_dirs = &bin_dirs,
                                  .max_conf_num = max,
                                  .cache_dir = cache,
                                  .ip_pref = ""};

    return cni_new(&options);
}

static char netns[128];

static struct cni_pod make_pod(void)
{
    snprintf(netns, sizeof netns, "%s/ns", dir);
    return (struct cni_pod){
        .id = "pod1", .name = "web", .namespace = "default", .uid = "u1", .netns = netns};
}

static const char CHAIN[] =
    "{\"name\":\"net\",\"cniVersion\":\"1.0.0\",\"plugins\":[{\"type\":\"one\",\"x\":1.50},"
    "{\"type\":\"two\",\"capabilities\":{\"portMappings\":true,\"dns\":false}}]}";

static void test_attach_chains_and_detach_goes_back(void **state)
{
    struct cni_pod pod = make_pod();
    struct cni_result result = {0};
    struct error err = {0};
    struct cni *c;
    (void)state;

    put("conf/10.conflist", CHAIN, 0644);
    c = start(1);
    JSON_AUTO *capabilities = json_parse("{\"portMappings\":[1],\"dns\":{},\"other\":1}", 41, &err);
    assert_non_null(capabilities);
    pod.capabilities = capabilities;
    if (cni_attach(c, &pod, &DEADLINE_NONE, &result, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(result.ips.len, 1);
    assert_string_equal(result.ips.items[0], "10.2.0.2");
    AUTO_FREE char *log = get("log");
    AUTO_FREE char *expected = xasprintf(
        "ADD one eth0 netns=%s {\"type\":\"one\",\"x\":1.50,\"name\":\"net\",\"cniVersion\":"
        "\"1.0.0\"}\n"
        "ADD two eth0 netns=%s {\"type\":\"two\",\"capabilities\":{\"portMappings\":true,\"dns\":"
        "false},\"name\":\"net\",\"cniVersion\":\"1.0.0\",\"prevResult\":{\"cniVersion\":\"1.0.0\","
        "\"ips\":[{\"address\":\"10.1.0.2/24\"}]},\"runtimeConfig\":{\"portMappings\":[1]}}\n",
        netns, netns);
    assert_string_equal(log, expected);

    /* The configuration of the time of ADD is what DEL uses. */
    put("conf/10.conflist", "{\"name\":\"new\",\"plugins\":[{\"type\":\"absent\"}]}", 0644);
    cni_reload(c);
    drop("log");
    assert_int_equal(cni_detach(c, &pod, result.record, &DEADLINE_NONE, &err), 0);
    AUTO_FREE char *log_after = get("log");
    assert_int_equal(strncmp(log_after, "DEL two eth0", 12), 0);
    assert_non_null(strstr(log_after, "\nDEL one eth0"));
    assert_non_null(strstr(log_after, "\"prevResult\":{\"cniVersion\":\"1.0.0\",\"ips\":[{"
                                      "\"address\":\"10.2.0.2/24\"}]}"));
    cni_result_fini(&result);
    cni_free(c);
}

static void test_the_cache_is_libcnis(void **state)
{
    struct cni_pod pod = make_pod();
    struct cni_result result = {0};
    struct error err = {0};
    struct cni *c;
    (void)state;

    put("conf/10.conf", "{\"name\":\"n\",\"cniVersion\":\"1.0.0\",\"type\":\"one\"}", 0644);
    c = start(1);
    assert_int_equal(cni_attach(c, &pod, &DEADLINE_NONE, &result, &err), 0);
    AUTO_FREE char *text = get("cache/results/n-pod1-eth0");
    JSON_AUTO *entry = json_parse(text, strlen(text), &err);
    assert_string_equal(json_get_str(entry, "kind"), "cniCacheV1");
    assert_string_equal(json_get_str(entry, "networkName"), "n");
    assert_string_equal(json_text(json_at(json_get(entry, "cniArgs"), 1)),
                        "[\"K8S_POD_NAMESPACE\",\"default\"]");
    /* {"cniVersion":"1.0.0","name":"n","plugins":[{"name":"n",... in base64 */
    assert_int_equal(
        strncmp(json_get_str(entry, "config"), "eyJjbmlWZXJzaW9uIjoiMS4wLjAiLCJuYW1lIjoibiIs", 44),
        0);
    /* Without a record the cache knows what to undo. */
    drop("log");
    assert_int_equal(cni_detach(c, &pod, NULL, &DEADLINE_NONE, &err), 0);
    AUTO_FREE char *log = get("log");
    assert_non_null(strstr(log, "\"prevResult\""));
    AUTO_FREE char *gone = get("cache/results/n-pod1-eth0");
    assert_string_equal(gone, "");
    cni_result_fini(&result);
    cni_free(c);
}

static void test_several_networks_give_one_list_of_ips(void **state)
{
    struct cni_pod pod = make_pod();
    struct cni_result result = {0};
    struct error err = {0};
    struct cni *c;
    (void)state;

    put("conf/10.conf", "{\"name\":\"n1\",\"cniVersion\":\"1.0.0\",\"type\":\"one\"}", 0644);
    put("conf/20.conf", "{\"name\":\"n2\",\"cniVersion\":\"1.0.0\",\"type\":\"two\"}", 0644);
    c = start(0);
    assert_int_equal(cni_attach(c, &pod, &DEADLINE_NONE, &result, &err), 0);
    assert_int_equal(result.ips.len, 1);
    assert_string_equal(result.ips.items[0], "10.1.0.2");

    /* One network that fails does not keep the other from being detached. */
    put("two.DEL", "{\"code\":100,\"msg\":\"stuck\"}", 0644);
    put("two.DEL.fails", "", 0644);
    drop("log");
    assert_int_equal(cni_detach(c, &pod, result.record, &DEADLINE_NONE, &err), -1);
    assert_string_equal(err.text, "plugin type=\"two\" name=\"n2\" failed (delete): stuck");
    AUTO_FREE char *log = get("log");
    assert_non_null(strstr(log, "DEL two eth1"));
    assert_non_null(strstr(log, "DEL one eth0"));

    put("two.DEL", "{\"code\":100,\"msg\":\"link not found\"}", 0644);
    assert_int_equal(cni_detach(c, &pod, result.record, &DEADLINE_NONE, &err), 0);
    drop("bin/two");
    assert_int_equal(cni_detach(c, &pod, result.record, &DEADLINE_NONE, &err), -1);
    assert_non_null(strstr(err.text, "failed (delete): failed to find plugin \"two\""));
    assert_int_equal(err.code, ERROR_UNIMPLEMENTED);
    put("one.DEL", "{\"code\":100,\"msg\":\"stuck\"}", 0644);
    put("one.DEL.fails", "", 0644);
    assert_int_equal(cni_detach(c, &pod, result.record, &DEADLINE_NONE, &err), -1);
    assert_int_equal(err.code, ERROR_UNKNOWN);
    cni_result_fini(&result);
    cni_free(c);
}

static void test_a_failed_add_says_who_and_why(void **state)
{
    struct cni_pod pod = make_pod();
    struct cni_result result = {0};
    struct error err = {0};
    struct cni *c;
    (void)state;

    put("conf/10.conflist", CHAIN, 0644);
    put("two.ADD", "{\"code\":7,\"msg\":\"no room\",\"details\":\"full\"}", 0644);
    put("two.ADD.fails", "", 0644);
    c = start(1);
    assert_int_equal(cni_attach(c, &pod, &DEADLINE_NONE, &result, &err), -1);
    assert_string_equal(err.text, "plugin type=\"two\" name=\"net\" failed (add): no room; full");
    drop("two.ADD.fails");
    put("two.ADD", "{}", 0644);
    assert_int_equal(cni_attach(c, &pod, &DEADLINE_NONE, &result, &err), -1);
    assert_string_equal(err.text, "failed to find network info for sandbox \"pod1\"");
    assert_null(result.record);
    pod.name = "a;b";
    assert_int_equal(cni_attach(c, &pod, &DEADLINE_NONE, &result, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
    cni_free(c);
}

static void test_a_missing_netns_is_told_as_empty(void **state)
{
    struct cni_pod pod = make_pod();
    struct error err = {0};
    struct cni *c;
    (void)state;

    put("conf/10.conflist", CHAIN, 0644);
    put("one.DEL", "{\"code\":999,\"msg\":\"open: no such file or directory\"}", 0644);
    put("one.DEL.fails", "", 0644);
    c = start(1);
    assert_int_equal(cni_detach(c, &pod, NULL, &DEADLINE_NONE, &err), -1);
    drop("ns");
    drop("log");
    assert_int_equal(cni_detach(c, &pod, NULL, &DEADLINE_NONE, &err), 0);
    AUTO_FREE char *log = get("log");
    assert_non_null(strstr(log, "DEL one eth0 netns= {"));
    cni_free(c);
}

static void wait_for_change(struct cni *c)
{
    struct pollfd readable = {.fd = cni_watch_fd(c), .events = POLLIN};

    assert_int_equal(poll(&readable, 1, 60 * 1000), 1);
    cni_changed(c);
}

static void test_changes_of_the_folder_are_seen(void **state)
{
    AUTO_FREE char *moved = xasprintf("%s/conf.old", dir);
    AUTO_FREE char *conf = xasprintf("%s/conf", dir);
    AUTO_FREE char *words =
        xasprintf("no network config found in %s: cni plugin not initialized", conf);
    struct error err = {0};
    struct cni *c = start(1);
    (void)state;

    assert_int_equal(cni_check(c, &err), -1);
    assert_string_equal(err.text, words);
    put("conf/10.conflist", CHAIN, 0644);
    wait_for_change(c);
    assert_int_equal(cni_check(c, &err), 0);
    put("conf/10.conflist", "{", 0644);
    wait_for_change(c);
    assert_int_equal(cni_check(c, &err), -1);
    assert_non_null(strstr(err.text, "10.conflist: JSON at byte"));

    /* Somebody takes the folder away and makes a new one. */
    assert_int_equal(rename(conf, moved), 0);
    wait_for_change(c);
    assert_int_equal(cni_check(c, &err), -1);
    put("conf/10.conflist", CHAIN, 0644);
    wait_for_change(c);
    assert_int_equal(cni_check(c, &err), 0);
    cni_free(c);
}

static void test_status_is_asked_of_plugins_that_know_it(void **state)
{
    struct error err = {0};
    struct cni *c;
    (void)state;

    put("conf/10.conf", "{\"name\":\"n\",\"cniVersion\":\"1.1.0\",\"type\":\"one\"}", 0644);
    put("one.STATUS", "{\"code\":50,\"msg\":\"not ready\"}", 0644);
    put("one.STATUS.fails", "", 0644);
    c = start(1);
    assert_int_equal(cni_check(c, &err), -1);
    assert_string_equal(err.text, "plugin type=\"one\" name=\"n\" failed (status): not ready");
    drop("one.STATUS.fails");
    assert_int_equal(cni_check(c, &err), -1); /* the answer is some seconds old at most */
    cni_reload(c);
    assert_int_equal(cni_check(c, &err), 0);
    assert_int_equal(cni_check(c, &err), 0);
    AUTO_FREE char *log = get("log");
    assert_string_equal(log, "STATUS one  netns= {\"name\":\"n\",\"cniVersion\":\"1.1.0\","
                             "\"type\":\"one\"}\n"
                             "STATUS one  netns= {\"name\":\"n\",\"cniVersion\":\"1.1.0\","
                             "\"type\":\"one\"}\n");
    cni_free(c);
}

static void test_describe_shows_the_networks(void **state)
{
    struct error err = {0};
    struct cni *c;
    (void)state;

    put("conf/10.conflist", CHAIN, 0644);
    c = start(1);
    AUTO_FREE char *text = cni_describe(c);
    JSON_AUTO *tree = json_parse(text, strlen(text), &err);
    struct json_object *network = json_at(json_get(tree, "Networks"), 0);
    assert_string_equal(json_get_str(network, "IFName"), "eth0");
    assert_string_equal(json_get_str(json_get(network, "Config"), "Name"), "net");
    cni_free(c);
}

static int write_text(const char *path, const char *text)
{
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

    return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
}

/* The child's own network namespace plays the node, so that nothing of the real one is touched.
 * Returns what is wrong, for the parent to tell by the exit status. */
static int attach_for_real(void)
{
    static const char conf[] =
        "{\"name\":\"real\",\"cniVersion\":\"1.0.0\",\"plugins\":[{\"type\":\"bridge\","
        "\"bridge\":\"brtest0\",\"isGateway\":true,\"ipMasq\":false,\"ipam\":{\"type\":"
        "\"host-local\",\"dataDir\":\"%s/ipam\",\"ranges\":[[{\"subnet\":\"10.222.0.0/24\"}],"
        "[{\"subnet\":\"fd00:222::/64\"}]]}},{\"type\":\"bandwidth\",\"capabilities\":"
        "{\"bandwidth\":true}}]}";
    AUTO_FREE char *text = xasprintf(conf, dir);
    struct cni_pod pod = make_pod();
    struct cni_result result = {0};
    struct error err = {0};
    AUTO_CLOSE int host_ns = -1;
    struct cni *c;

    if (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return 77;
    host_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (unshare(CLONE_NEWNET) < 0 || mount("/proc/self/ns/net", netns, NULL, MS_BIND, NULL) < 0 ||
        setns(host_ns, CLONE_NEWNET) < 0)
        return 2;
    write_text("/proc/sys/net/ipv6/conf/default/accept_dad", "0");
    strv_add(&bin_dirs, "/usr/lib/cni");
    put("conf/10.conflist", text, 0644);
    c = start(1);
    if (cni_attach(c, &pod, &DEADLINE_NONE, &result, &err) < 0) {
        fprintf(stderr, "# attach: %s\n", err.text);
        return 3;
    }
    if (result.ips.len != 2 || strcmp(result.ips.items[0], "10.222.0.2") != 0 ||
        strcmp(result.ips.items[1], "fd00:222::2") != 0)
        return 4;
    for (int i = 0; i < 2; i++)
        if (cni_detach(c, &pod, result.record, &DEADLINE_NONE, &err) < 0) {
            fprintf(stderr, "# detach: %s\n", err.text);
            return 5;
        }
    if (umount2(netns, MNT_DETACH) < 0 || unlink(netns) < 0 ||
        cni_detach(c, &pod, result.record, &DEADLINE_NONE, &err) < 0) {
        fprintf(stderr, "# detach without a netns: %s\n", err.text);
        return 6;
    }
    AUTO_FREE char *lease = get("ipam/real/10.222.0.2");
    cni_result_fini(&result);
    cni_free(c);
    strv_fini(&bin_dirs);
    return *lease ? 7 : 0;
}

static void test_the_reference_plugins_attach_and_detach(void **state)
{
    int status = -1;
    pid_t pid;
    (void)state;

    if (geteuid() != 0 || !file_exists("/usr/lib/cni/bridge"))
        skip();
    pid = fork();
    if (pid == 0)
        _exit(attach_for_real());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(status, 0);
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        IN_DIR(test_attach_chains_and_detach_goes_back),
        IN_DIR(test_the_cache_is_libcnis),
        IN_DIR(test_several_networks_give_one_list_of_ips),
        IN_DIR(test_a_failed_add_says_who_and_why),
        IN_DIR(test_a_missing_netns_is_told_as_empty),
        IN_DIR(test_changes_of_the_folder_are_seen),
        IN_DIR(test_status_is_asked_of_plugins_that_know_it),
        IN_DIR(test_describe_shows_the_networks),
        IN_DIR(test_the_reference_plugins_attach_and_detach),
    };

    /* As in the daemon: a plugin need not read its input. */
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
