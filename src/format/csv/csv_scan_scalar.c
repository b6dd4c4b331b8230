#include "format/csv/csv_scan_kernel.h"

const struct csv_scanner csv_scanner_scalar = {.name = "scalar", .index = kernel_index, .cut = kernel_cut};
