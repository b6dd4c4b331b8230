#include "api/route_tables.h"

/* Every resource's routes; the order only shows in the OpenAPI document. */
const struct route_table *const api_route_tables[] = {
    &system_routes,     &access_routes, &pipeline_routes, &ingest_job_routes, &dataset_job_routes, &document_routes,
    &connection_routes, &run_routes,    &event_routes,    &preview_routes,    &catalog_routes,     &upload_routes,
};
const size_t api_route_table_count = ARRAY_LENGTH(api_route_tables);
