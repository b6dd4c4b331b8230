/* The OpenAPI 3.1 document, made from the route tables and the field tables that they name. */
#ifndef FF_API_OPENAPI_H
#define FF_API_OPENAPI_H

#include "api/route.h"

/* *document is a new reference. Without layer_centric the routes that need the feature are left out. */
status openapi_document(const struct route_table *const *tables, size_t count, bool layer_centric, json_t **document,
                        struct error *err) MUST_USE;

#endif
