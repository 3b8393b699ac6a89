// SPDX-License-Identifier: Apache-2.0
#include "image/cpu_level.h"

#if defined __x86_64__

#    include <cpuid.h>
#    include <stdbool.h>
#    include <stddef.h>
#    include <stdint.h>

#    include "base/own.h"

/* Bits that a level wants, in the registers of three leaves of CPUID. */
struct wanted {
    unsigned c1;         /* leaf 1, ECX */
    unsigned b7;         /* leaf 7, EBX */
    unsigned c80000001;  /* leaf 0x80000001, ECX */
    unsigned kept_by_os; /* XCR0: registers that survive a switch of tasks */
};

static const struct wanted levels[] = {
    /* CX16, POPCNT, SSE3, SSE4.1, SSE4.2, SSSE3; LAHF */
    {bit_CMPXCHG16B | bit_POPCNT | bit_SSE3 | bit_SSE4_1 | bit_SSE4_2 | bit_SSSE3, 0, bit_LAHF_LM,
     0},
    /* AVX, F16C, FMA, MOVBE, OSXSAVE; AVX2, BMI1, BMI2; LZCNT */
    {bit_AVX | bit_F16C | bit_FMA | bit_MOVBE | bit_OSXSAVE, bit_AVX2 | bit_BMI | bit_BMI2,
     bit_LZCNT, 0x06},
    {0, bit_AVX512F | bit_AVX512BW | bit_AVX512CD | bit_AVX512DQ | bit_AVX512VL, 0, 0xe6},
};

static unsigned read_xcr0(void)
{
    uint32_t low, high;

    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static bool has(const struct wanted *have, const struct wanted *w)
{
    return (have->c1 & w->c1) == w->c1 && (have->b7 & w->b7) == w->b7 &&
           (have->c80000001 & w->c80000001) == w->c80000001 &&
           (have->kept_by_os & w->kept_by_os) == w->kept_by_os;
}

int cpu_level(void)
{
    struct wanted have = {0};
    unsigned a, b, c, d;
    size_t level = 0;

    if (__get_cpuid(1, &a, &b, &c, &d))
        have.c1 = c;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d))
        have.b7 = b;
    if (__get_cpuid(0x80000001, &a, &b, &c, &d))
        have.c80000001 = c;
    if (have.c1 & bit_OSXSAVE)
        have.kept_by_os = read_xcr0();
    while (level < COUNT_OF(levels) && has(&have, &levels[level]))
        level++;
    return (int)level + 1;
}

#else

int cpu_level(void)
{
    return 1;
}

#endif
