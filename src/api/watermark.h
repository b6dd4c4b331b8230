/* The routes of an ingest job's watermark: shown, set and forgotten. Setting and forgetting are audited resets, the
 * only way by which a watermark goes back (DESIGN 3.7). */
#ifndef FF_API_WATERMARK_H
#define FF_API_WATERMARK_H

#include "api/route.h"

extern const struct field_table watermark_set_fields, watermark_reset_fields;

#define WATERMARK_HANDLER(name)                                                                                        \
    status name(struct api_context *context, const struct api_request *request, struct api_response *response,         \
                struct error *err) MUST_USE

WATERMARK_HANDLER(watermark_handle_get);
WATERMARK_HANDLER(watermark_handle_put);
WATERMARK_HANDLER(watermark_handle_delete);

#endif
