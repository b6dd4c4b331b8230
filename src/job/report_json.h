/* Parts of reports as JSON values: what a conversion's report and a preview have in common. Where memory runs out a
 * member is left out of the document. */
#ifndef FF_JOB_REPORT_JSON_H
#define FF_JOB_REPORT_JSON_H

#include <jansson.h>

#include "job/convert.h"

json_t *report_text(const char *s);
/* Bytes that are not UTF-8 are shown as replacement characters. */
json_t *report_safe_text(struct str s);
json_t *report_number(uint64_t n);
void report_put(json_t *object, const char *key, json_t *value);
/* {"code", "message", "hint"} */
json_t *report_error(const struct error *failure);
json_t *report_schema(const struct schema *schema);
json_t *report_input(const struct convert_input *input);
json_t *report_reject(const struct reject_list *list, size_t at, const char *input, const struct schema *schema);

#endif
