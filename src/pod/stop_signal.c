// SPDX-License-Identifier: Apache-2.0
#include "pod/stop_signal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Named here: the C library keeps 32 and 33 for itself and moves SIGRTMIN. */
enum { FIRST_REALTIME = 34, LAST_REALTIME = 64 };

static const struct {
    const char *name;
    int number;
} names[] = {
    {"ABRT", SIGABRT},
    {"ALRM", SIGALRM},
    {"BUS", SIGBUS},
    {"CHLD", SIGCHLD},
    {"CLD", SIGCHLD},
    {"CONT", SIGCONT},
    {"FPE", SIGFPE},
    {"HUP", SIGHUP},
    {"ILL", SIGILL},
    {"INT", SIGINT},
    {"IO", SIGIO},
    {"IOT", SIGABRT},
    {"KILL", SIGKILL},
    {"PIPE", SIGPIPE},
    {"POLL", SIGIO},
    {"PROF", SIGPROF},
    {"PWR", SIGPWR},
    {"QUIT", SIGQUIT},
    {"SEGV", SIGSEGV},
    {"STKFLT", SIGSTKFLT},
    {"STOP", SIGSTOP},
    {"SYS", SIGSYS},
    {"TERM", SIGTERM},
    {"TRAP", SIGTRAP},
    {"TSTP", SIGTSTP},
    {"TTIN", SIGTTIN},
    {"TTOU", SIGTTOU},
    {"URG", SIGURG},
    {"USR1", SIGUSR1},
    {"USR2", SIGUSR2},
    {"VTALRM", SIGVTALRM},
    {"WINCH", SIGWINCH},
    {"XCPU", SIGXCPU},
    {"XFSZ", SIGXFSZ},
    {"RTMIN", FIRST_REALTIME},
    {"RTMAX", LAST_REALTIME},
};

/* The digits of text as a number up to 64; -1. */
static int parse_number(const char *text)
{
    char *end;
    long n = strtol(text, &end, 10);

    if (*text < '0' || *text > '9' || *end || n > LAST_REALTIME)
        return -1;
    return (int)n;
}

static int parse_name(const char *text)
{
    int n = -1;

    if (strncasecmp(text, "SIG", 3) == 0)
        text += 3;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strcasecmp(text, names[i].name) == 0)
            return names[i].number;
    if (strncasecmp(text, "RTMIN+", 6) == 0 && (n = parse_number(text + 6)) >= 0)
        n = n <= LAST_REALTIME - FIRST_REALTIME ? FIRST_REALTIME + n : -1;
    else if (strncasecmp(text, "RTMAX-", 6) == 0 && (n = parse_number(text + 6)) >= 0)
        n = n <= LAST_REALTIME - FIRST_REALTIME ? LAST_REALTIME - n : -1;
    return n;
}

int stop_signal_parse(const char *text, int *out, struct error *err)
{
    int n = *text >= '0' && *text <= '9' ? parse_number(text) : parse_name(text);

    if (n <= 0)
        return error_set(err, ERROR_INVALID, "\"%s\" is no signal", text);
    *out = n;
    return 0;
}

/* "SIGNAL_SIGTERM" and "SIGNAL_SIGRTMINPLUS3" are the enum's spellings. */
static int number_of_value(const char *name)
{
    char text[32];
    const char *plus = strstr(name, "PLUS"), *minus = strstr(name, "MINUS");
    const char *sign = plus ? plus : minus;
    struct error ignored;
    int number = 0;

    if (strncmp(name, "SIGNAL_", 7) != 0 || strcmp(name, "SIGNAL_RUNTIME_DEFAULT") == 0)
        return 0;
    name += 7;
    if (sign)
        snprintf(text, sizeof text, "%.*s%c%s", (int)(sign - name), name, plus ? '+' : '-',
                 sign + (plus ? 4 : 5));
    else
        snprintf(text, sizeof text, "%s", name);
    return stop_signal_parse(text, &number, &ignored) == 0 ? number : 0;
}

int stop_signal_of_enum(Runtime__V1__Signal signal)
{
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(&runtime__v1__signal__descriptor, (int)signal);

    return value ? number_of_value(value->name) : 0;
}

int stop_signal_for(const struct container *c, int *out, struct error *err)
{
    *out = stop_signal_of_enum(c->config->stop_signal);
    if (*out)
        return 0;
    if (*c->stop_signal)
        return stop_signal_parse(c->stop_signal, out, err);
    *out = SIGTERM;
    return 0;
}

Runtime__V1__Signal stop_signal_enum(const struct container *c)
{
    const ProtobufCEnumDescriptor *d = &runtime__v1__signal__descriptor;
    const char *text = *c->stop_signal ? c->stop_signal : "SIGTERM";
    struct error ignored;
    int number = 0;

    if (c->config->stop_signal)
        return c->config->stop_signal;
    /* Only the spelling that the enum has counts, as clients compare names. */
    if (strncmp(text, "SIG", 3) != 0 || stop_signal_parse(text, &number, &ignored) < 0)
        return (Runtime__V1__Signal)0;
    for (unsigned i = 0; i < d->n_values; i++)
        if (number_of_value(d->values[i].name) == number)
            return (Runtime__V1__Signal)d->values[i].value;
    return (Runtime__V1__Signal)0;
}
