#include "orchestrate/graph.h"

#include <stdlib.h>
#include <string.h>

#define NO_JOB SIZE_MAX

/* Who makes a dataset: (name, job) sorted by name. */
struct maker {
    const char *dataset;
    size_t job;
};

static int by_dataset(const void *a, const void *b)
{
    return strcmp(((const struct maker *)a)->dataset, ((const struct maker *)b)->dataset);
}

static int by_ends(const void *a, const void *b)
{
    const struct graph_edge *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return x->to < y->to ? -1 : x->to > y->to;
}

static size_t maker_of(const struct maker *makers, size_t count, const char *dataset)
{
    struct maker wanted = {dataset, 0};
    const struct maker *found = bsearch(&wanted, makers, count, sizeof *makers, by_dataset);
    return found ? found->job : NO_JOB;
}

static status add_problem(json_t *problems, const char *code, const char *pointer, const char *message,
                          struct error *err)
{
    json_t *problem = json_pack("{s:s, s:s, s:s}", "pointer", pointer, "code", code, "message", message);
    return problem ? json_add(problems, problem, err) : error_no_memory(err, strlen(message));
}

static status add_missing(json_t *problems, const struct graph_job *job, size_t input, struct error *err)
{
    struct buf pointer = {0}, message = {0};
    status s = buf_printf(&pointer, err, "/dataset_jobs/%s/inputs/%zu", job->id, input);
    if (s == OK)
        s = buf_printf(&message, err,
                       "job '%s' reads '%s', which does not exist and which no enabled job of this pipeline makes",
                       job->name, job->inputs[input]);
    if (s == OK)
        s = add_problem(problems, "missing_input", (const char *)pointer.data, (const char *)message.data, err);
    buf_release(&pointer);
    buf_release(&message);
    return s;
}

/* The edges of inputs, and the inputs that nobody has. */
static status add_input_edges(struct graph *g, const struct graph_job *jobs, const struct maker *makers,
                              graph_exists *exists, void *self, json_t *problems, struct error *err)
{
    for (size_t i = 0; i < g->job_count; i++)
        for (size_t k = 0; k < jobs[i].input_count; k++) {
            size_t from = maker_of(makers, g->job_count, jobs[i].inputs[k]);
            /* A job that reads what it makes itself (append, merge) reads the snapshot before. */
            if (from != NO_JOB && from != i) {
                g->edges[g->edge_count++] = (struct graph_edge){from, i, true};
            } else if (!exists(self, jobs[i].inputs[k])) {
                status s = add_missing(problems, &jobs[i], k, err);
                if (s != OK)
                    return s;
            }
        }
    return OK;
}

static void add_reference_edges(struct graph *g, const struct graph_job *jobs)
{
    for (size_t i = 0; i < g->job_count; i++)
        for (size_t k = 0; jobs[i].layer == GRAPH_REFERENCE && k < g->job_count; k++)
            if (jobs[k].layer == GRAPH_INGEST)
                g->edges[g->edge_count++] = (struct graph_edge){i, k, false};
}

static void sort_edges(struct graph *g)
{
    qsort(g->edges, g->edge_count, sizeof *g->edges, by_ends);
    size_t kept = 0;
    for (size_t i = 0; i < g->edge_count; i++)
        if (!kept || by_ends(&g->edges[kept - 1], &g->edges[i]) != 0)
            g->edges[kept++] = g->edges[i];
    g->edge_count = kept;
    for (size_t job = 0, e = 0; job <= g->job_count; job++) {
        while (e < kept && g->edges[e].from < job)
            e++;
        g->first_edge[job] = e;
    }
}

/* Stages in topological order; *left: jobs on or behind a cycle, whose `waits` stays above zero. */
static void find_stages(struct graph *g, size_t *waits, size_t *queue, size_t *left)
{
    size_t head = 0, tail = 0;
    memset(waits, 0, g->job_count * sizeof *waits);
    for (size_t e = 0; e < g->edge_count; e++)
        waits[g->edges[e].to]++;
    for (size_t i = 0; i < g->job_count; i++)
        if (!waits[i])
            queue[tail++] = i;
    while (head < tail) {
        size_t from = queue[head++];
        if (g->stage[from] + 1 > g->stage_count)
            g->stage_count = g->stage[from] + 1;
        for (size_t e = g->first_edge[from]; e < g->first_edge[from + 1]; e++) {
            size_t to = g->edges[e].to;
            if (g->stage[to] < g->stage[from] + 1)
                g->stage[to] = g->stage[from] + 1;
            if (--waits[to] == 0)
                queue[tail++] = to;
        }
    }
    *left = g->job_count - tail;
}

static status add_cycle(json_t *problems, const struct graph_job *jobs, const size_t *path, size_t length,
                        struct error *err)
{
    struct buf message = {0}, pointer = {0};
    status s = buf_printf(&message, err, "these jobs wait for each other: ");
    for (size_t i = 0; s == OK && i <= length; i++)
        s = buf_printf(&message, err, "%s'%s'", i ? " -> " : "", jobs[path[i % length]].name);
    if (s == OK)
        s = buf_printf(&pointer, err, "/dataset_jobs/%s/inputs", jobs[path[0]].id);
    if (s == OK)
        s = add_problem(problems, "cycle", (const char *)pointer.data, (const char *)message.data, err);
    buf_release(&message);
    buf_release(&pointer);
    return s;
}

/* Walks depth-first through jobs that wait; an edge back to the path is a cycle. path is the walk's stack, at[] the
 * next edge of each job on it. */
static status find_cycles(const struct graph *g, const struct graph_job *jobs, size_t *waits, size_t *path, size_t *at,
                          json_t *problems, struct error *err)
{
    enum { FRESH = 1, ON_PATH = 2, DONE = 0 };
    for (size_t i = 0; i < g->job_count; i++)
        waits[i] = waits[i] ? FRESH : DONE;
    for (size_t root = 0; root < g->job_count; root++) {
        size_t depth = 0;
        if (waits[root] == FRESH) {
            waits[root] = ON_PATH;
            at[root] = g->first_edge[root];
            path[depth++] = root;
        }
        while (depth) {
            size_t job = path[depth - 1];
            if (at[job] == g->first_edge[job + 1]) {
                waits[job] = DONE;
                depth--;
                continue;
            }
            size_t to = g->edges[at[job]++].to;
            if (waits[to] == ON_PATH) {
                size_t begin = depth - 1;
                while (path[begin] != to)
                    begin--;
                status s = add_cycle(problems, jobs, path + begin, depth - begin, err);
                if (s != OK)
                    return s;
            } else if (waits[to] == FRESH) {
                waits[to] = ON_PATH;
                at[to] = g->first_edge[to];
                path[depth++] = to;
            }
        }
    }
    return OK;
}

static size_t count_edges(const struct graph_job *jobs, size_t count)
{
    size_t inputs = 0, references = 0, ingests = 0;
    for (size_t i = 0; i < count; i++) {
        inputs += jobs[i].input_count;
        references += jobs[i].layer == GRAPH_REFERENCE;
        ingests += jobs[i].layer == GRAPH_INGEST;
    }
    return inputs + references * ingests;
}

status graph_make(struct graph *g, const struct graph_job *jobs, size_t count, graph_exists *exists, void *self,
                  json_t **problems, struct error *err)
{
    size_t edges = count_edges(jobs, count), left = 0;
    struct graph made = {.job_count = count};
    json_t *found = json_array();
    struct maker *makers = calloc(count + 1, sizeof *makers);
    size_t *work = calloc(count + 1, 3 * sizeof *work);
    made.edges = calloc(edges + 1, sizeof *made.edges);
    made.first_edge = calloc(count + 1, sizeof *made.first_edge);
    made.stage = calloc(count + 1, sizeof *made.stage);
    status s = OK;
    if (!found || !makers || !work || !made.edges || !made.first_edge || !made.stage) {
        s = error_no_memory(err, edges * sizeof *made.edges);
        goto out;
    }
    for (size_t i = 0; i < count; i++)
        makers[i] = (struct maker){jobs[i].produces, i};
    qsort(makers, count, sizeof *makers, by_dataset);
    s = add_input_edges(&made, jobs, makers, exists, self, found, err);
    if (s != OK)
        goto out;
    add_reference_edges(&made, jobs);
    sort_edges(&made);
    size_t *waits = work, *queue = work + count + 1, *at = work + 2 * (count + 1);
    find_stages(&made, waits, queue, &left);
    if (left)
        s = find_cycles(&made, jobs, waits, queue, at, found, err);
    if (s == OK) {
        *g = made;
        *problems = found;
        made = (struct graph){0};
        found = NULL;
    }
out:
    graph_release(&made);
    json_decref(found);
    free(makers);
    free(work);
    return s;
}

void graph_release(struct graph *g)
{
    free(g->edges);
    free(g->first_edge);
    free(g->stage);
    *g = (struct graph){0};
}
