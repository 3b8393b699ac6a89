// SPDX-License-Identifier: Apache-2.0
#include "imaged/stop.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* For the process, as signals are. */
static atomic_bool requested;
static int request_fd = -1; /* readable once requested */
static int signal_fd = -1;
static int reader_fd = -1;

void stop_request(void)
{
    uint64_t one = 1;

    atomic_store(&requested, true);
    if (request_fd >= 0 && write(request_fd, &one, sizeof one) < 0)
        return; /* it is readable already */
}

bool stop_is_requested(void)
{
    return atomic_load(&requested);
}

int stop_check(struct error *err)
{
    return stop_is_requested() ? error_set(err, ERROR_CANCELLED, "the run was called off") : 0;
}

void stop_sleep_ms(int ms)
{
    struct pollfd wait = {.fd = request_fd, .events = POLLIN};

    poll(&wait, 1, ms);
}

static void *watch(void *unused)
{
    struct pollfd fds[] = {{.fd = signal_fd, .events = POLLIN},
                           {.fd = reader_fd, .events = 0}, /* POLLERR: the reader has gone */
                           {.fd = request_fd, .events = POLLIN}};

    (void)unused;
    while (poll(fds, 3, -1) < 0 && errno == EINTR)
        ;
    stop_request();
    poll(NULL, 0, STOP_GRACE_MS);
    _exit(EXIT_FAILURE);
}

int stop_watch(int events_fd, struct error *err)
{
    pthread_t thread;
    sigset_t set;
    int code;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    reader_fd = events_fd;
    signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
    request_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (signal_fd < 0 || request_fd < 0)
        return error_errno(err, errno, "wait for signals");
    code = pthread_create(&thread, NULL, watch, NULL);
    if (code != 0)
        return error_errno(err, code, "start thread");
    pthread_detach(thread);
    return 0;
}
