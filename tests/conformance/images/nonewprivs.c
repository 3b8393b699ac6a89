// Installed setuid root in the nonewprivs image: tells whether the setuid bit took effect.
#include <stdio.h>
#include <unistd.h>

int main(void)
{
    printf("Effective uid: %u\n", (unsigned)geteuid());
    return 0;
}
