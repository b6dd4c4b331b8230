/* Counts of requests, kept in atomics, and the page for Prometheus (text format 0.0.4). */
#ifndef FF_API_METRICS_H
#define FF_API_METRICS_H

#include "api/route.h"

status api_metrics_create(struct api_metrics **metrics, struct error *err) MUST_USE;
void api_metrics_free(struct api_metrics *metrics);
/* `route` as api_route_find numbers it, SIZE_MAX: none fits. Any thread. `metrics` may be NULL. */
void api_metrics_request(struct api_metrics *metrics, size_t route, int http_status, double seconds);
/* Bytes of uploads received. Any thread. */
void api_metrics_upload(struct api_metrics *metrics, uint64_t bytes);
/* The whole page: requests, runs by state, rows and bytes written, queue. */
status api_metrics_write(struct api_context *context, struct buf *text, struct error *err) MUST_USE;

#endif
