// SPDX-License-Identifier: Apache-2.0
#pragma once

/* cpu_level: which of the levels of x86-64 this processor has, as its ABI numbers them: 2 is with
 * SSE 4.2, 3 with AVX2, 4 with AVX-512, also as far as the kernel keeps these registers. Images may
 * be built for one of them. Any thread. */

/* 1 to 4; 1 on other architectures. */
int cpu_level(void);
