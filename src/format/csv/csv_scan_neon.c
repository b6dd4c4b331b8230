#if defined(__aarch64__)
#define BLOCK64_NEON
#include "format/csv/csv_scan_kernel.h"

const struct csv_scanner csv_scanner_neon = {.name = "neon", .index = kernel_index, .cut = kernel_cut};
#else
typedef int csv_scan_neon_is_not_for_this_cpu; /* a translation unit must not be empty */
#endif
