// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <openssl/ssl.h>

/* carrier: one client's connection: the handshake, and then bytes both ways between the client's
 * TLS and berthd's end of a socket pair, whoever is slow making the other wait. It ends when either
 * end does, and what was on its way by then arrives. */
enum {
    CARRIER_HANDSHAKE_MS = 10 * 1000,
    CARRIER_STALL_MS = 600 * 1000, /* for a client that has not yet taken berthd's last bytes */
    CARRIER_LINGER_MS = 2000,      /* for its end, after ours */
};

/* Takes all three; the descriptors do not block. On a thread of its own, until the end. */
void carrier_run(SSL *ssl, int client, int inside);
