/* Errors as application/problem+json (RFC 9457). */
#ifndef FF_API_PROBLEM_H
#define FF_API_PROBLEM_H

#include "api/route.h"

/* The response becomes the problem; whatever it held goes. `errors` ([{pointer, code, message}], may be NULL) is
 * borrowed. Never fails: when memory runs out the response is the bare status. */
void api_problem(struct api_response *response, int http_status, const char *code, const char *detail, const char *hint,
                 const json_t *errors);
/* What an error value says; status and code come from base/error_codes.def. */
void api_problem_error(struct api_response *response, const struct error *err);
/* "Not Found" */
const char *http_reason(int http_status);

#endif
