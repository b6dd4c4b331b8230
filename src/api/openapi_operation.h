/* Inside of api/openapi: one route. */
#ifndef FF_API_OPENAPI_OPERATION_H
#define FF_API_OPENAPI_OPERATION_H

#include "api/route.h"

/* What a route refuses with, beside 2xx. */
extern const int openapi_problem_codes[];
extern const size_t openapi_problem_code_count;

/* The operation object; a new reference. */
status openapi_operation(const struct route *route, json_t **operation, struct error *err) MUST_USE;

#endif
