// SPDX-License-Identifier: Apache-2.0
#pragma once

/* service_manager: words for systemd, when it started us (NOTIFY_SOCKET, sd_notify(3)).
 * Says nothing elsewhere. Any thread. */
void service_manager_tell(const char *state); /* such as "READY=1" */
