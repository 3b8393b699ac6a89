// The whole of the pause image: waits until it is told to stop, reaping what it is given as pid 1.
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

static void on_child(int signal)
{
    (void)signal;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
}

static void on_stop(int signal)
{
    (void)signal;
    _exit(0);
}

int main(void)
{
    struct sigaction child = {.sa_handler = on_child, .sa_flags = SA_NOCLDSTOP | SA_RESTART};
    struct sigaction stop = {.sa_handler = on_stop};

    if (sigaction(SIGCHLD, &child, NULL) || sigaction(SIGTERM, &stop, NULL) ||
        sigaction(SIGINT, &stop, NULL))
        return 1;
    for (;;)
        pause();
}
