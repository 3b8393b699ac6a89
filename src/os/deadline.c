// SPDX-License-Identifier: Apache-2.0
#include "os/deadline.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <time.h>

#include "base/clock.h"

struct deadline deadline_in_ms(int64_t ms)
{
    return (struct deadline){.at_ns = clock_monotonic_ns() + ms * CLOCK_NS_PER_MS, .cancel_fd = -1};
}

struct deadline deadline_sooner(const struct deadline *by, int64_t ms)
{
    struct deadline sooner = deadline_in_ms(ms);

    sooner.cancel_fd = by->cancel_fd;
    if (by->at_ns && by->at_ns < sooner.at_ns)
        sooner.at_ns = by->at_ns;
    return sooner;
}

/* Returns 1 when fd is ready, 0 when only interrupted. */
static int wait_once(const struct deadline *by, int fd, short events, struct error *err)
{
    struct pollfd fds[2] = {{.fd = fd, .events = events}, {.fd = by->cancel_fd, .events = POLLIN}};
    struct timespec left, *timeout = NULL;
    int n;

    if (by->at_ns) {
        int64_t ns = by->at_ns - clock_monotonic_ns();

        if (ns < 0)
            ns = 0;
        left.tv_sec = ns / CLOCK_NS_PER_S;
        left.tv_nsec = ns % CLOCK_NS_PER_S;
        timeout = &left;
    }
    n = ppoll(fds, 2, timeout, NULL);
    if (n < 0 && errno == EINTR)
        return 0;
    if (n < 0)
        return error_errno(err, errno, "poll");
    if (fds[0].revents)
        return 1;
    if (fds[1].revents)
        return error_set(err, ERROR_CANCELLED, "called off by the client");
    return error_set(err, ERROR_DEADLINE, "deadline exceeded");
}

int deadline_wait(const struct deadline *by, int fd, short events, struct error *err)
{
    int ready = 0;

    while (ready == 0)
        ready = wait_once(by, fd, events, err);
    return ready < 0 ? -1 : 0;
}

int64_t deadline_left_ms(const struct deadline *by)
{
    int64_t ns = by->at_ns - clock_monotonic_ns();

    if (!by->at_ns)
        return INT64_MAX;
    return ns > 0 ? (ns + CLOCK_NS_PER_MS - 1) / CLOCK_NS_PER_MS : 0;
}

int deadline_check(const struct deadline *by, struct error *err)
{
    struct pollfd cancelled = {.fd = by->cancel_fd, .events = POLLIN};

    if (by->at_ns && clock_monotonic_ns() >= by->at_ns)
        return error_set(err, ERROR_DEADLINE, "deadline exceeded");
    if (by->cancel_fd >= 0 && poll(&cancelled, 1, 0) > 0)
        return error_set(err, ERROR_CANCELLED, "called off by the client");
    return 0;
}
