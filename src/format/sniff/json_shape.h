/* Tells JSON from other text by its beginning. */
#ifndef FF_FORMAT_SNIFF_JSON_SHAPE_H
#define FF_FORMAT_SNIFF_JSON_SHAPE_H

#include <stddef.h>

#include "format/sniff/sniff.h"

/* True and *format if the text is JSON: objects by line, one array, or one object written over several lines. */
bool sniff_json(const char *text, size_t n, enum sniff_format *format, double *sure);

#endif
