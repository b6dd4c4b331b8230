#if defined(__x86_64__)
#define BLOCK64_AVX2
#include "format/csv/csv_scan_kernel.h"

const struct csv_scanner csv_scanner_avx2 = {.name = "avx2", .index = kernel_index, .cut = kernel_cut};
#else
typedef int csv_scan_avx2_is_not_for_this_cpu; /* a translation unit must not be empty */
#endif
