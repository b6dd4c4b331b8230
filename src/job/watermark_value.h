/* Values of a watermark that people give. */
#ifndef FF_JOB_WATERMARK_VALUE_H
#define FF_JOB_WATERMARK_VALUE_H

#include "base/error.h"

/* ERR_INVALID, with a hint, when `value` is no text of the type, which is named as in the API ("decimal(18,2)"). */
status watermark_value_check(const char *column, const char *type, const char *value, struct error *err) MUST_USE;

#endif
