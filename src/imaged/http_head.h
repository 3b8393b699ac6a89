// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>

#include "imaged/http.h"

/* http_head: the header lines of an answer. Only for http.c. */

/* Forgets what the head before it said: of an interim answer or a redirect. */
void http_head_reset(struct http_answer *a);

/* One line without its end. */
void http_head_line(struct http_answer *a, const char *line, size_t len);
