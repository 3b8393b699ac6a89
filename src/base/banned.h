// SPDX-License-Identifier: Apache-2.0
#pragma once
/* banned: what must not compile. meson includes this file in front of every source of ours. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#undef sprintf
#undef vsprintf
#undef strcpy
#undef strcat
#undef strncpy
#undef strncat
#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok gets atoi atol atof
#undef alloca
#pragma GCC poison alloca popen tmpnam mktemp
