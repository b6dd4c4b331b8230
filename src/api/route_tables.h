/* The route table of each routes_<resource>.c. */
#ifndef FF_API_ROUTE_TABLES_H
#define FF_API_ROUTE_TABLES_H

#include "api/route.h"

extern const struct route_table system_routes, access_routes, event_routes, upload_routes;
extern const struct route_table pipeline_routes, ingest_job_routes, dataset_job_routes, run_routes, preview_routes,
    catalog_routes, document_routes, connection_routes;

#endif
