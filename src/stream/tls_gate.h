// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"
#include "os/deadline.h"
#include "os/loop.h"

/* tls_gate: berth-tls, the process that speaks TLS for the streaming server and alone has its key.
 *
 * berthd accepts and hands each connection over with one end of a socket pair; over the other it
 * reads and writes what is inside the encryption. So a connection looks the same with TLS and
 * without. When the process dies, its connections end, and the next one starts it again.
 *
 * Between the two: the process has a socket of messages as its standard input, on which it says
 * TLS_GATE_YES once it is ready. A message from berthd is one byte with the client's socket and an
 * end of the pair. On the pair it says TLS_GATE_YES when the client is let in, and from then on
 * carries bytes. Instead of each it may say TLS_GATE_NO and why, and ends. Any thread, but for new
 * and free: those of the loop. */
struct tls_gate;

enum { TLS_GATE_YES = '+', TLS_GATE_NO = '-', TLS_GATE_WORDS_MAX = 1000 };

struct tls_gate_options {
    struct loop *loop;       /* sees the end of the process */
    const char *helper;      /* path of berth-tls */
    const char *cert_file;   /* with key_file; both "": it makes a certificate of its own */
    const char *key_file;    /* */
    const char *client_ca;   /* "": clients need no certificate */
    const char *min_version; /* "1.2" or "1.3" */
};

/* Starts the process. ERROR_INVALID and so on tell what is wrong with the files. Copies options. */
MUST_CHECK struct tls_gate *tls_gate_new(const struct tls_gate_options *options, struct error *err);

/* After the last connection and the loop; waits for the end of the process. NULL is fine. */
void tls_gate_free(struct tls_gate *g);

/* *client becomes what is inside the encryption, a socket that does not block. On failure it is
 * closed, and the words are for the log. */
MUST_CHECK int tls_gate_pass(struct tls_gate *g, int *client, const struct deadline *by,
                             struct error *err);
