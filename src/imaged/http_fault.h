// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>

#include "imaged/http.h"

/* http_fault: what the words of libcurl and libssl mean for who has to mend it. Only for http.c. */

/* What comes may be no TLS, as a plain HTTP server's answer is none. */
enum http_fault http_fault_of_handshake(const char *text);

/* The same in words. That somebody ended a handshake can have other reasons too. */
const char *http_fault_words_of_handshake(const char *text);

/* What is wrong with a server's certificate, to stand behind "has a certificate". */
const char *http_fault_of_certificate(const char *text);

/* Whom curl could not connect to when that was not the host itself: a proxy, of which it says no
 * more than this. False when it was the host. */
enum { HTTP_FAULT_PEER_SIZE = 272 };
bool http_fault_find_proxy(const char *text, const char *host,
                           char out[static HTTP_FAULT_PEER_SIZE]);
