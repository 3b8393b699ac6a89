// SPDX-License-Identifier: Apache-2.0
#pragma once

/* service_manager: words for systemd, when it started us (NOTIFY_SOCKET, sd_notify(3)). */

/* Takes the socket's name out of the environment, since crun would make a socket of its own for a
 * container when it finds one. Before there are threads; once. */
void service_manager_find(void);

/* Such as "READY=1". Says nothing elsewhere. Any thread. */
void service_manager_tell(const char *state);
