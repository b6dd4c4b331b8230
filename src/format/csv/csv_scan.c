#include "format/csv/csv_scan.h"

const struct csv_scanner *csv_scanner_best(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("bmi"))
        return &csv_scanner_avx2;
    return &csv_scanner_sse2;
#elif defined(__aarch64__)
    return &csv_scanner_neon;
#else
    return &csv_scanner_scalar;
#endif
}
