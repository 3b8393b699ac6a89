// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>

/* seccomp_cache: what an OCI runtime has compiled seccomp profiles to, for the next containers.
 *
 * To compile the default profile is nearly as much work for crun as all the rest of a container. It
 * leaves the program in its folder for the container, and takes one that an annotation brings. So
 * what it made for the first container with a profile is given to those that follow. The profile
 * stays in the specification: its flags count, and other runtimes do not know the annotation. They
 * leave no program either, so that it is never set for them.
 *
 * A program is used for an hour and then made anew, in case the compiler was upgraded. Holds
 * SECCOMP_CACHE_MAX profiles. Any thread. */
enum { SECCOMP_CACHE_MAX = 16 };

struct seccomp_cache;
struct seccomp_cache *seccomp_cache_new(void);
void seccomp_cache_free(struct seccomp_cache *c);

/* Gives spec the program for its profile. Returns NULL, or when that is not known the profile, for
 * seccomp_cache_learn(); the caller frees. A spec that brings a program of somebody else is left
 * alone. */
char *seccomp_cache_apply(struct seccomp_cache *c, struct json_object *spec);

/* Remembers the program in the file that a runtime has left. No such file, or none of programs, is
 * nothing to learn from. */
void seccomp_cache_learn(struct seccomp_cache *c, const char *profile, const char *path);
