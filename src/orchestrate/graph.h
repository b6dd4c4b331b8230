/* In which order the jobs of a pipeline run. Pure: the caller says what jobs there are and which datasets exist. */
#ifndef FF_ORCHESTRATE_GRAPH_H
#define FF_ORCHESTRATE_GRAPH_H

#include "base/json.h"

/* In the order in which layers come; also that of jobs within a stage. */
enum graph_layer { GRAPH_REFERENCE, GRAPH_INGEST, GRAPH_SILVER, GRAPH_GOLD };

struct graph_job {
    const char *id, *name;
    enum graph_layer layer;
    const char *produces;      /* "bronze.orders" */
    const char *const *inputs; /* full names of datasets */
    size_t input_count;
};

/* `from` comes before `to`. needed: `to` cannot run when `from` did not complete; otherwise it only waits for its end
 * (ingests wait for reference ingests). */
struct graph_edge {
    size_t from, to;
    bool needed;
};

struct graph {
    size_t job_count;
    struct graph_edge *edges; /* sorted by `from`; no pair twice */
    size_t edge_count;
    size_t *first_edge; /* of job i: edges[first_edge[i]] up to first_edge[i + 1] */
    size_t *stage;      /* of job i: one more than the latest of what comes before it */
    size_t stage_count;
};

/* Is there a published snapshot of it? */
typedef bool graph_exists(void *self, const char *dataset);

/* *problems: [{pointer, code, message}], empty when the graph can run. "missing_input": neither made by a job of the
 * graph nor existing. "cycle": one for each cycle found, naming the jobs on it. The stages of jobs on or behind a cycle
 * mean nothing. *g is to be released. */
status graph_make(struct graph *g, const struct graph_job *jobs, size_t count, graph_exists *exists, void *self,
                  json_t **problems, struct error *err) MUST_USE;
void graph_release(struct graph *g);

#endif
