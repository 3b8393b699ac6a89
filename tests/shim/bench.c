// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/own.h"
#include "fixture.h"

/* Numbers about the shim: memory of many, the time that containers and execs take, and how fast
 * output gets into a log file. Not a test: nothing is judged. Arguments: an OCI
 * runtime, and letters: m memory, l latency, o output. */
enum { SHIMS = 20, ROUNDS = 50, LOG_MIB = 1024 };

static double ms_since(int64_t begun)
{
    return (double)(clock_monotonic_ns() - begun) / (double)CLOCK_NS_PER_MS;
}

static void show_memory(const char *when, struct fixture *shims)
{
    unsigned pss = 0, anonymous = 0;

    for (int i = 0; i < SHIMS; i++) {
        unsigned own;

        pss += fixture_pss_kib(&shims[i], &own);
        anonymous += own;
    }
    printf("%-34s PSS %6.1f KiB, of it anonymous %6.1f KiB\n", when, (double)pss / SHIMS,
           (double)anonymous / SHIMS);
}

static void measure_memory(const char *runtime)
{
    static struct fixture shims[SHIMS];
    struct error err;

    for (int i = 0; i < SHIMS; i++)
        fixture_start(&shims[i], runtime);
    usleep(200000);
    show_memory("20 shims, just started", shims);
    for (int i = 0; i < SHIMS; i++)
        assert_int_equal(
            fixture_create_pod(&shims[i], &(struct fixture_pod){.hostname = "a"}, &err), 0);
    show_memory("with a pod each", shims);
    for (int i = 0; i < SHIMS; i++)
        fixture_run(
            &shims[i], "c1",
            &(struct fixture_container){
                .args = FIXTURE_ARGS("sh", "-c", "while :; do echo hello; sleep 0.5; done")});
    usleep(300000);
    show_memory("and a container that says little", shims);
    for (int i = 0; i < SHIMS; i++)
        fixture_run(&shims[i], "c2",
                    &(struct fixture_container){
                        .args = FIXTURE_ARGS("sh", "-c", "yes | head -n 1000000; sleep 1000")});
    usleep(3500000);
    show_memory("and one that has said a lot", shims);
    for (int i = 0; i < SHIMS; i++)
        fixture_stop(&shims[i]);
}

static void measure_latency(const char *runtime)
{
    double created = 0, started = 0, ended = 0, pod = 0, execs = 0;
    struct error err;
    struct fixture f;
    int64_t begun;

    for (int i = 0; i < 10; i++) {
        fixture_start(&f, runtime);
        begun = clock_monotonic_ns();
        assert_int_equal(fixture_create_pod(&f, &(struct fixture_pod){.hostname = "a"}, &err), 0);
        pod += ms_since(begun);
        fixture_stop(&f);
    }
    fixture_start(&f, runtime);
    assert_int_equal(fixture_create_pod(&f, &(struct fixture_pod){.hostname = "a"}, &err), 0);
    for (int i = 0; i < ROUNDS; i++) {
        struct fixture_container c = {.args = FIXTURE_ARGS("sleep", "1000")};

        begun = clock_monotonic_ns();
        assert_int_equal(fixture_create(&f, "c1", &c, &err), 0);
        created += ms_since(begun);
        begun = clock_monotonic_ns();
        assert_int_equal(fixture_begin(&f, "c1", &err), 0);
        started += ms_since(begun);
        begun = clock_monotonic_ns();
        assert_int_equal(fixture_kill(&f, "c1", "", SIGKILL, &err), 0);
        assert_int_equal(fixture_wait(&f, "c1", ""), 137);
        ended += ms_since(begun);
        assert_int_equal(fixture_delete(&f, "c1", "", &err), 0);
    }
    fixture_run(&f, "c2", &(struct fixture_container){.args = FIXTURE_ARGS("sleep", "1000")});
    for (int i = 0; i < ROUNDS; i++) {
        begun = clock_monotonic_ns();
        assert_int_equal(
            fixture_exec(&f, "c2", "e", FIXTURE_ARGS("true"), (int[]){-1, -1, -1}, false, &err), 0);
        assert_int_equal(fixture_begin_exec(&f, "c2", "e", &err), 0);
        assert_int_equal(fixture_wait(&f, "c2", "e"), 0);
        assert_int_equal(fixture_delete(&f, "c2", "e", &err), 0);
        execs += ms_since(begun);
    }
    fixture_stop(&f);
    printf("CreateSandbox %.2f ms, Create %.2f ms, Start %.2f ms, Kill to Wait %.2f ms, "
           "Exec to its end %.2f ms\n",
           pod / 10, created / ROUNDS, started / ROUNDS, ended / ROUNDS, execs / ROUNDS);
}

/* A file of lines of 100 bytes, in the layer that all containers see. */
static void make_lines(struct fixture *f)
{
    AUTO_CLOSE int fd = open(fixture_path(f, "layer/lines"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    char mib[100 * 10486];
    struct error err;

    memset(mib, 'x', sizeof mib);
    for (size_t i = 99; i < sizeof mib; i += 100)
        mib[i] = '\n';
    for (int i = 0; i < 64; i++)
        assert_int_equal(fd_write_all(fd, mib, sizeof mib, &err), 0);
}

/* What the shim has used of a processor. */
static double cpu_ms(const struct fixture *f)
{
    char path[64], text[512] = "";
    unsigned long user = 0, system = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", f->shim);
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0 && read(fd, text, sizeof text - 1) > 0);
    sscanf(strrchr(text, ')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
           &system);
    return (double)(user + system) * 1000 / (double)sysconf(_SC_CLK_TCK);
}

static long long size_of(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (long long)st.st_size : -1;
}

static void measure_log(const char *runtime, const char *where)
{
    struct fixture f;
    struct error err;
    char command[128];
    int64_t begun;
    double ms;

    fixture_start(&f, runtime);
    assert_int_equal(fixture_create_pod(&f, &(struct fixture_pod){.hostname = "a"}, &err), 0);
    make_lines(&f);
    if (where)
        assert_int_equal(symlink(where, fixture_path(&f, "logs")), 0);
    snprintf(command, sizeof command,
             "cat /lines >/dev/null; i=0; while [ $i -lt %d ]; do "
             "dd if=/lines bs=64k 2>/dev/null; i=$((i+1)); done",
             LOG_MIB / 64);
    begun = clock_monotonic_ns();
    fixture_run(&f, "c1", &(struct fixture_container){.args = FIXTURE_ARGS("sh", "-c", command)});
    assert_int_equal(fixture_wait(&f, "c1", ""), 0);
    ms = ms_since(begun);
    printf("log of 100-byte lines to %s: %.0f MB/s of content, %.0f MB/s of the shim's processor "
           "time (%lld bytes of log)\n",
           where ? where : "disk", LOG_MIB * 1048.6 / ms, LOG_MIB * 1048.6 / cpu_ms(&f),
           size_of(fixture_path(&f, "logs/c1/0.log")));
    if (where) {
        unlink(fixture_path(&f, "logs/c1/0.log"));
        rmdir(fixture_path(&f, "logs/c1"));
    }
    fixture_stop(&f);
}

int main(int argc, char **argv)
{
    const char *runtime = argc > 1 ? argv[1] : "/usr/sbin/runc";

    if (!fixture_can_use(runtime))
        return 77;
    if (argc < 3 || strchr(argv[2], 'm'))
        measure_memory(runtime);
    if (argc < 3 || strchr(argv[2], 'l'))
        measure_latency(runtime);
    if (argc < 3 || strchr(argv[2], 'o')) {
        measure_log(runtime, "/dev/shm");
        measure_log(runtime, NULL);
    }
    return 0;
}
