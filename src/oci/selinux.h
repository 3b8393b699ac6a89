// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"
#include "cri.pb-c.h"

/* selinux: the label of a process, user:role:type:level, and that of the files it may touch. */

/* options may be NULL. The error names the field and the value. Any thread. */
MUST_CHECK int oci_selinux_check(const Runtime__V1__SELinuxOption *options, struct error *err);
