// SPDX-License-Identifier: Apache-2.0
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/own.h"
#include "cri/services.h"
#include "daemon/config.h"
#include "daemon/service_manager.h"
#include "daemon/setup.h"
#include "net/watch.h"
#include "pod/cgroup_driver.h"
#include "pod/exit_monitor.h"
#include "pod/left_network.h"
#include "pod/recovery.h"
#include "stream/stream_server.h"

/* berthd: options, wiring and the main loop. */

enum { THREADS_MAX = 512, DRAIN_MS = 10 * 1000, JOBS_MS = 2 * 1000, SOCKET_MODE = 0660 };

static const char default_config[] = "/etc/berth/config.yaml";
static const char default_folder[] = "/etc/berth/conf.d";

struct daemon {
    struct config config;
    struct loop *loop;
    struct pool *pool;
    struct node node;
    struct rpc_server *server;
    int signals;
    int offline_watch;
    bool stopping;
};

static void observe(void *data, const char *method, const struct error *outcome,
                    int64_t duration_ns)
{
    double ms = (double)duration_ns / 1e6;

    (void)data;
    if (outcome && outcome->code != ERROR_OK)
        log_info("%s: %s: %s (%.1f ms)", method, error_code_name(outcome->code), outcome->text, ms);
    else
        log_debug("%s (%.1f ms)", method, ms);
}

static void on_drained(void *data)
{
    struct daemon *d = data;

    loop_stop(d->loop);
}

static void on_signal(void *data, uint32_t events)
{
    struct daemon *d = data;
    struct signalfd_siginfo info;

    (void)events;
    if (read(d->signals, &info, sizeof info) != sizeof info)
        return;
    if (d->stopping) { /* asked twice: at once */
        loop_stop(d->loop);
        return;
    }
    d->stopping = true;
    log_info("stopping; pods go on");
    service_manager_tell("STOPPING=1");
    offline_stop(d->node.offline);
    stream_server_stop(d->node.streams);
    rpc_server_drain(d->server, DRAIN_MS, on_drained, d);
}

static int watch_signals(struct daemon *d, struct error *err)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    d->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (d->signals < 0)
        return error_set(err, ERROR_INTERNAL, "signalfd");
    return loop_add(d->loop, d->signals, EPOLLIN, on_signal, d, err) ? 0 : -1;
}

static void retry_networks(void *data)
{
    left_network_retry(data);
}

/* Whoever writes there may have installed plugins too. */
static void on_networks_changed(void *data, uint32_t events)
{
    struct daemon *d = data;

    (void)events;
    cni_changed(d->node.cni);
    pool_submit(d->pool, retry_networks, &d->node);
}

static int watch_networks(struct daemon *d, struct error *err)
{
    int fd = cni_watch_fd(d->node.cni);

    if (fd < 0) {
        log_warn("%s cannot be watched for changes", d->config.cni_conf_dir);
        return 0;
    }
    return loop_add(d->loop, fd, EPOLLIN, on_networks_changed, d, err) ? 0 : -1;
}

static void scan_offline(void *data)
{
    offline_scan(data);
}

static void on_offline_changed(void *data, uint32_t events)
{
    struct daemon *d = data;

    (void)events;
    if (watch_take(d->offline_watch, d->config.image_offline_dir) &&
        offline_want_scan(d->node.offline))
        pool_submit(d->pool, scan_offline, d->node.offline);
}

/* Where it cannot be watched, it is looked through at the start and for pulls. */
static int watch_offline(struct daemon *d, struct error *err)
{
    const char *folder = d->config.image_offline_dir;

    if (!folder || !*folder)
        return 0;
    d->offline_watch = watch_open(folder);
    if (d->offline_watch < 0) {
        log_warn("%s cannot be watched for changes", folder);
        return 0;
    }
    return loop_add(d->loop, d->offline_watch, EPOLLIN, on_offline_changed, d, err) ? 0 : -1;
}

static void finish_recovery(void *data)
{
    struct node *n = data;

    recovery_finish(n);
    offline_scan(n->offline);
}

static void ask_features(void *data)
{
    node_ask_features(data);
}

static int serve(struct daemon *d, struct error *err)
{
    struct rpc_server_options options = {.loop = d->loop, .pool = d->pool, .observe = observe};
    const struct tls_gate_options tls = {.loop = d->loop,
                                         .helper = d->config.stream_tls_helper,
                                         .cert_file = d->config.stream_cert_file,
                                         .key_file = d->config.stream_key_file,
                                         .client_ca = d->config.stream_client_ca_file,
                                         .min_version = d->config.stream_tls_min_version};
    struct stream_server_options streams = {.loop = d->loop,
                                            .node = &d->node,
                                            .address = d->config.stream_address,
                                            .port = (uint16_t)d->config.stream_port,
                                            .tls = d->config.stream_tls ? &tls : NULL};

    d->node.streams = stream_server_new(&streams, err);
    if (!d->node.streams)
        return -1;
    d->server = rpc_server_new(&options, err);
    if (!d->server)
        return -1;
    services_add(d->server, &d->node);
    if (rpc_server_listen(d->server, d->config.socket, SOCKET_MODE, err) < 0)
        return -1;
    log_info("berthd " BERTH_VERSION " serves CRI on %s: %zu pods, %zu containers",
             d->config.socket, d->node.sandboxes.len, d->node.containers.len);
    service_manager_tell("READY=1");
    pool_submit(d->pool, ask_features, &d->node); /* before the requests that wait for it */
    pool_submit(d->pool, finish_recovery, &d->node);
    return loop_run(d->loop, err);
}

static int run(struct daemon *d, struct error *err)
{
    d->loop = loop_new(err);
    d->pool = d->loop ? pool_new(THREADS_MAX, err) : NULL;
    if (!d->pool || setup_node(&d->node, &d->config, d->loop, d->pool, err) < 0 ||
        watch_signals(d, err) < 0 || watch_networks(d, err) < 0 || watch_offline(d, err) < 0 ||
        exit_monitor_start(&d->node, err) < 0 || recovery_load(&d->node, err) < 0)
        return -1;
    cgroup_driver_settle(&d->node, d->config.cgroup_driver);
    return serve(d, err);
}

static int load_config(struct config *c, const char *path, struct error *err)
{
    config_init(c);
    if (path) {
        if (config_load(c, path, err) < 0)
            return -1;
    } else if ((config_load(c, default_config, err) < 0 && err->code != ERROR_NOT_FOUND) ||
               config_load_folder(c, default_folder, err) < 0) {
        return -1;
    }
    return config_finish(c, err);
}

static int usage(FILE *to, int status)
{
    fputs("usage: berthd [--config FILE] [--check] [--version] [--help]\n"
          "  --config FILE  read only FILE, not /etc/berth/config.yaml and /etc/berth/conf.d\n"
          "  --check        read the configuration, say whether it is right, and end\n",
          to);
    return status;
}

/* What is still blocked somewhere ends with us; records are made to bear that. */
static void leave_the_rest(void)
{
    log_info("work that is still under way is left to the next berthd");
    _exit(0);
}

static int start(const char *path, bool check_only)
{
    static struct daemon d = {.signals = -1, .offline_watch = -1};
    struct error err = {0};
    enum log_level level;

    if (load_config(&d.config, path, &err) < 0 ||
        log_parse_level(d.config.log_level, &level, &err) < 0) {
        log_error("configuration: %s", err.text);
        return 2;
    }
    if (check_only)
        return 0;
    log_set_level(level);
    if (run(&d, &err) < 0) {
        log_error("%s", err.text);
        return 1;
    }
    if (rpc_server_is_busy(d.server))
        leave_the_rest();
    rpc_server_free(d.server);
    stream_server_free(d.node.streams);
    if (!pool_close(d.pool, JOBS_MS))
        leave_the_rest();
    pool_free(d.pool);
    setup_fini(&d.node);
    loop_free(d.loop);
    fd_close(&d.signals);
    fd_close(&d.offline_watch);
    config_fini(&d.config);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"check", no_argument, NULL, 'k'},
                                            {"version", no_argument, NULL, 'v'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *config = NULL;
    bool check_only = false;

    for (int option; (option = getopt_long(argc, argv, "c:kvh", options, NULL)) >= 0;) {
        if (option == 'c')
            config = optarg;
        else if (option == 'k')
            check_only = true;
        else if (option == 'v')
            return puts("berthd " BERTH_VERSION) < 0;
        else
            return option == 'h' ? usage(stdout, 0) : usage(stderr, 2);
    }
    if (optind < argc)
        return usage(stderr, 2);
    umask(022);
    signal(SIGPIPE, SIG_IGN);
    service_manager_find();
    /* Many threads do little: two heaps are enough, and what is free goes back. */
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_TRIM_THRESHOLD, 128 * 1024);
    mallopt(M_MMAP_THRESHOLD, 256 * 1024);
    return start(config, check_only);
}
