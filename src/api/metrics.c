#include "api/metrics.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sys/clock.h"

static const double bounds[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10};
#define BUCKETS (ARRAY_LENGTH(bounds) + 1)

struct route_counts {
    atomic_uint_fast64_t by_class[6]; /* of status / 100 */
    atomic_uint_fast64_t by_bucket[BUCKETS];
    atomic_uint_fast64_t micros;
};

struct api_metrics {
    struct route_counts *routes; /* one more than there are: what fits none */
    size_t count;
    atomic_uint_fast64_t upload_bytes;
    pthread_mutex_t lock; /* guards what follows */
    struct buf runs;      /* what write_runs made */
    double runs_until;    /* clock_seconds(): good until then */
    bool counting;        /* a thread makes the next one; others show the last one meanwhile */
    pthread_cond_t counted;
};

status api_metrics_create(struct api_metrics **metrics, struct error *err)
{
    struct api_metrics *made = calloc(1, sizeof *made);
    if (!made)
        return error_no_memory(err, sizeof *made);
    made->count = api_route_count() + 1;
    made->routes = calloc(made->count, sizeof *made->routes);
    if (!made->routes) {
        free(made);
        return error_no_memory(err, (api_route_count() + 1) * sizeof *made->routes);
    }
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->counted, NULL);
    *metrics = made;
    return OK;
}

void api_metrics_free(struct api_metrics *metrics)
{
    if (!metrics)
        return;
    pthread_cond_destroy(&metrics->counted);
    pthread_mutex_destroy(&metrics->lock);
    buf_release(&metrics->runs);
    free(metrics->routes);
    free(metrics);
}

void api_metrics_request(struct api_metrics *metrics, size_t route, int http_status, double seconds)
{
    if (!metrics)
        return;
    struct route_counts *counts = &metrics->routes[route < metrics->count ? route : metrics->count - 1];
    size_t bucket = 0;
    while (bucket < ARRAY_LENGTH(bounds) && seconds > bounds[bucket])
        bucket++;
    atomic_fetch_add_explicit(&counts->by_class[http_status / 100 % 6], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&counts->by_bucket[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&counts->micros, (uint64_t)(seconds * 1e6), memory_order_relaxed);
}

void api_metrics_upload(struct api_metrics *metrics, uint64_t bytes)
{
    if (metrics)
        atomic_fetch_add_explicit(&metrics->upload_bytes, bytes, memory_order_relaxed);
}

static uint64_t value_of(atomic_uint_fast64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static status write_head(struct buf *text, const char *name, const char *type, const char *help, struct error *err)
{
    return buf_printf(text, err, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A label's value: backslash, quote and line feed are escaped. */
static status write_label(struct buf *text, const char *value, struct error *err)
{
    status s = OK;
    for (; *value && s == OK; value++) {
        if (*value == '\n')
            s = buf_append(text, "\\n", 2, err);
        else if (*value == '"' || *value == '\\')
            s = buf_printf(text, err, "\\%c", *value);
        else
            s = buf_append(text, value, 1, err);
    }
    return s;
}

/* name{method="GET",route="/x" -- the closing brace is the caller's. */
static status write_route(struct buf *text, const char *name, const struct route *route, struct error *err)
{
    status s = buf_printf(text, err, "%s{method=\"%s\",route=\"", name, route ? route->method : "");
    if (s == OK)
        s = write_label(text, route ? route->pattern : "none", err);
    return s == OK ? buf_append(text, "\"", 1, err) : s;
}

typedef status route_writer(struct buf *text, const struct route *route, struct route_counts *counts,
                            struct error *err);

static status write_totals(struct buf *text, const struct route *route, struct route_counts *counts, struct error *err)
{
    status s = OK;
    for (size_t c = 1; c < ARRAY_LENGTH(counts->by_class) && s == OK; c++) {
        uint64_t n = value_of(&counts->by_class[c]);
        if (n == 0)
            continue;
        s = write_route(text, "flowforge_http_requests_total", route, err);
        if (s == OK)
            s = buf_printf(text, err, ",status=\"%zuxx\"} %" PRIu64 "\n", c, n);
    }
    return s;
}

static status write_histogram(struct buf *text, const struct route *route, struct route_counts *counts,
                              struct error *err)
{
    uint64_t below = 0, each[BUCKETS], total = 0;
    for (size_t b = 0; b < BUCKETS; b++)
        total += each[b] = value_of(&counts->by_bucket[b]);
    if (total == 0)
        return OK;
    status s = OK;
    for (size_t b = 0; b < BUCKETS && s == OK; b++) {
        below += each[b];
        s = write_route(text, "flowforge_http_request_duration_seconds_bucket", route, err);
        if (s == OK && b < ARRAY_LENGTH(bounds))
            s = buf_printf(text, err, ",le=\"%g\"} %" PRIu64 "\n", bounds[b], below);
        else if (s == OK)
            s = buf_printf(text, err, ",le=\"+Inf\"} %" PRIu64 "\n", below);
    }
    if (s == OK)
        s = write_route(text, "flowforge_http_request_duration_seconds_sum", route, err);
    if (s == OK)
        s = buf_printf(text, err, "} %.6f\n", (double)value_of(&counts->micros) / 1e6);
    if (s == OK)
        s = write_route(text, "flowforge_http_request_duration_seconds_count", route, err);
    return s == OK ? buf_printf(text, err, "} %" PRIu64 "\n", total) : s;
}

static status each_route(struct api_metrics *metrics, struct buf *text, route_writer *write, struct error *err)
{
    size_t index = 0;
    status s = OK;
    for (size_t t = 0; t < api_route_table_count; t++)
        for (size_t r = 0; r < api_route_tables[t]->count && s == OK; r++, index++)
            s = write(text, &api_route_tables[t]->routes[r], &metrics->routes[index], err);
    return s == OK ? write(text, NULL, &metrics->routes[metrics->count - 1], err) : s;
}

static status write_requests(struct api_metrics *metrics, struct buf *text, struct error *err)
{
    status s = write_head(text, "flowforge_http_requests_total", "counter", "HTTP requests answered.", err);
    if (s == OK)
        s = each_route(metrics, text, write_totals, err);
    if (s == OK)
        s = write_head(text, "flowforge_http_request_duration_seconds", "histogram",
                       "Time from a complete request to its answer.", err);
    if (s == OK)
        s = each_route(metrics, text, write_histogram, err);
    if (s == OK)
        s = write_head(text, "flowforge_upload_bytes_total", "counter", "Bytes of uploads received.", err);
    return s == OK
               ? buf_printf(text, err, "flowforge_upload_bytes_total %" PRIu64 "\n", value_of(&metrics->upload_bytes))
               : s;
}

static status write_resident(struct buf *text, struct error *err)
{
    unsigned long long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "re");
    if (!statm)
        return OK; /* no /proc: the line is left out */
    int got = fscanf(statm, "%*u %llu", &pages);
    fclose(statm);
    if (got != 1)
        return OK;
    status s = write_head(text, "process_resident_memory_bytes", "gauge", "Resident memory of the server.", err);
    return s == OK ? buf_printf(text, err, "process_resident_memory_bytes %llu\n",
                                pages * (unsigned long long)sysconf(_SC_PAGESIZE))
                   : s;
}

static status write_engine(struct engine *engine, struct buf *text, struct error *err)
{
    json_t *stats = NULL;
    if (!engine)
        return OK;
    status s = engine_stats(engine, &stats, err);
    static const struct {
        const char *member, *name, *help;
    } gauges[] = {
        {"running", "flowforge_jobs_running", "Jobs that run now."},
        {"queued", "flowforge_jobs_queued", "Jobs that wait."},
        {"max_parallel_jobs", "flowforge_jobs_parallel_most", "Jobs that may run at once."},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(gauges) && s == OK; i++) {
        s = write_head(text, gauges[i].name, "gauge", gauges[i].help, err);
        if (s == OK)
            s = buf_printf(text, err, "%s %lld\n", gauges[i].name, (long long)json_int(stats, gauges[i].member, 0));
    }
    json_decref(stats);
    return s;
}

struct run_totals {
    struct buf *text;
    const char *kind;
    int64_t rows, rejected, bytes;
};

static status visit_state(void *self, const struct db_value *row, size_t columns, struct error *err)
{
    struct run_totals *totals = self;
    if (columns < 5)
        return error_set(err, ERR_INTERNAL, "the query for run totals gives %zu columns", columns);
    totals->rows += row[2].integer;
    totals->rejected += row[3].integer;
    totals->bytes += row[4].integer;
    return buf_printf(totals->text, err, "flowforge_job_runs{kind=\"%s\",state=\"%.*s\"} %" PRId64 "\n", totals->kind,
                      (int)row[0].length, (const char *)row[0].bytes, row[1].integer);
}

static status write_runs(struct store *store, struct buf *text, struct error *err)
{
    if (!store)
        return OK;
    struct db *db = NULL;
    struct run_totals ingest = {text, "ingest", 0, 0, 0}, dataset = {text, "dataset", 0, 0, 0};
    status s = store_reader(store, &db, err);
    if (s == OK)
        s = write_head(text, "flowforge_job_runs", "gauge", "Runs of jobs that are stored, by state.", err);
    if (s == OK)
        s = db_each(db,
                    "SELECT state_type, count(*), sum(rows_written), sum(rows_rejected), sum(bytes_out)"
                    " FROM layer_centric_ingest_runs GROUP BY state_type",
                    DB_NO_BINDS, visit_state, &ingest, err);
    if (s == OK)
        s = db_each(db,
                    "SELECT state_type, count(*), sum(rows_written), sum(rows_rejected), sum(bytes_out)"
                    " FROM dataset_runs GROUP BY state_type",
                    DB_NO_BINDS, visit_state, &dataset, err);
    store_give_back(store, db);
    const struct {
        const char *name, *help;
        int64_t ingest, dataset;
    } sums[] = {
        {"flowforge_rows_written", "Rows written by the runs that are stored.", ingest.rows, dataset.rows},
        {"flowforge_rows_rejected", "Bad rows of the runs that are stored.", ingest.rejected, dataset.rejected},
        {"flowforge_bytes_written", "Bytes written by the runs that are stored.", ingest.bytes, dataset.bytes},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(sums) && s == OK; i++) {
        s = write_head(text, sums[i].name, "gauge", sums[i].help, err);
        if (s == OK)
            s = buf_printf(text, err, "%s{kind=\"ingest\"} %" PRId64 "\n%s{kind=\"dataset\"} %" PRId64 "\n",
                           sums[i].name, sums[i].ingest, sums[i].name, sums[i].dataset);
    }
    return s;
}

/* With the lock held, which it leaves meanwhile. */
static status count_again(struct api_context *context, struct api_metrics *metrics, struct error *err)
{
    struct buf made = {0};
    metrics->counting = true;
    pthread_mutex_unlock(&metrics->lock);
    double begun = clock_seconds();
    status s = write_runs(context->store, &made, err);
    double ended = clock_seconds();
    pthread_mutex_lock(&metrics->lock);
    metrics->counting = false;
    pthread_cond_broadcast(&metrics->counted);
    if (s != OK) {
        buf_release(&made);
        return s;
    }
    buf_release(&metrics->runs);
    metrics->runs = made;
    metrics->runs_until = ended + 20 * (ended - begun);
    return OK;
}

/* Counting a million runs takes a while: what it gave is shown again for twenty times as long as it took. */
static status write_runs_kept(struct api_context *context, struct buf *text, struct error *err)
{
    struct api_metrics *metrics = context->metrics;
    if (!metrics)
        return write_runs(context->store, text, err);
    status s = OK;
    pthread_mutex_lock(&metrics->lock);
    while (metrics->counting && !metrics->runs.len)
        pthread_cond_wait(&metrics->counted, &metrics->lock);
    if (!metrics->counting && clock_seconds() >= metrics->runs_until)
        s = count_again(context, metrics, err);
    if (s == OK)
        s = buf_append_str(text, buf_str(&metrics->runs), err);
    pthread_mutex_unlock(&metrics->lock);
    return s;
}

status api_metrics_write(struct api_context *context, struct buf *text, struct error *err)
{
    status s = context->metrics ? write_requests(context->metrics, text, err) : OK;
    if (s == OK)
        s = write_engine(context->engine, text, err);
    if (s == OK)
        s = write_runs_kept(context, text, err);
    return s == OK ? write_resident(text, err) : s;
}
