/* The checks before a run: which jobs, in which order, and whether what they read is there. */
#include <stdlib.h>
#include <string.h>

#include "orchestrate/engine_state.h"
#include "store/store_lake.h"

/* Does a dataset have a published snapshot? The first error is kept: it ends the planning. */
struct existence {
    struct db *db;
    status status;
    struct error *err;
};

static bool dataset_exists(void *self, const char *full)
{
    struct existence *e = self;
    char layer[16];
    const char *name;
    json_t *dataset = NULL;
    if (e->status != OK || !dataset_name_split(full, layer, &name))
        return false;
    e->status = dataset_find(e->db, layer, name, &dataset, e->err);
    bool exists = e->status == OK && json_is_integer(json_object_get(dataset, "current_snapshot"));
    json_decref(dataset);
    return exists;
}

/* A job as graph.h wants it; `produces` and the inputs' names are owned here. */
struct node {
    struct buf produces;
    const char **inputs;
};

static status fill_node(struct node *node, struct graph_job *job, const json_t *config, enum job_kind kind,
                        struct error *err)
{
    const json_t *inputs = kind == JOB_DATASET ? json_object_get(config, "inputs") : NULL;
    const char *layer = kind == JOB_INGEST ? "bronze" : json_text(config, "layer", "silver");
    size_t count = json_array_size(inputs);
    status s = buf_printf(&node->produces, err, "%s.%s", layer, json_text(config, "dataset", ""));
    if (s != OK)
        return s;
    node->inputs = calloc(count + 1, sizeof *node->inputs);
    if (!node->inputs)
        return error_no_memory(err, count * sizeof *node->inputs);
    for (size_t i = 0; i < count; i++)
        node->inputs[i] = json_text(json_array_get(inputs, i), "dataset", "");
    bool reference = json_flag(config, "is_reference", false);
    *job = (struct graph_job){.id = json_text(config, "id", ""),
                              .name = json_text(config, "name", ""),
                              .layer = kind == JOB_INGEST           ? (reference ? GRAPH_REFERENCE : GRAPH_INGEST)
                                       : strcmp(layer, "gold") == 0 ? GRAPH_GOLD
                                                                    : GRAPH_SILVER,
                              .produces = (const char *)node->produces.data,
                              .inputs = node->inputs,
                              .input_count = count};
    return OK;
}

static status make_graph(struct plan *plan, struct db *db, struct error *err)
{
    struct node *nodes = calloc(plan->count + 1, sizeof *nodes);
    struct graph_job *jobs = calloc(plan->count + 1, sizeof *jobs);
    struct existence existence = {db, OK, err};
    status s = nodes && jobs ? OK : error_no_memory(err, plan->count * sizeof *jobs);
    for (size_t i = 0; s == OK && i < plan->count; i++)
        s = fill_node(&nodes[i], &jobs[i], plan->configs[i], plan->kinds[i], err);
    if (s == OK)
        s = graph_make(&plan->graph, jobs, plan->count, dataset_exists, &existence, &plan->problems, err);
    if (s == OK)
        s = existence.status;
    for (size_t i = 0; nodes && i < plan->count; i++) {
        buf_release(&nodes[i].produces);
        free(nodes[i].inputs);
    }
    free(nodes);
    free(jobs);
    return s;
}

static status keep_job(struct plan *plan, enum job_kind kind, json_t *config, struct error *err)
{
    size_t n = plan->count + 1;
    if (!(n & (n - 1)) || n == 1) { /* room for the next power of two */
        json_t **configs = realloc(plan->configs, 2 * n * sizeof *configs);
        if (configs)
            plan->configs = configs;
        enum job_kind *kinds = realloc(plan->kinds, 2 * n * sizeof *kinds);
        if (kinds)
            plan->kinds = kinds;
        if (!configs || !kinds)
            return error_no_memory(err, 2 * n * sizeof *configs);
    }
    plan->configs[plan->count] = json_incref(config);
    plan->kinds[plan->count++] = kind;
    return OK;
}

static status load_jobs(struct plan *plan, struct db *db, const char *pipeline_id, struct error *err)
{
    static const enum job_kind kinds[] = {JOB_INGEST, JOB_DATASET};
    status s = OK;
    for (size_t k = 0; s == OK && k < ARRAY_LENGTH(kinds); k++) {
        json_t *rows = NULL;
        s = job_list(db, kinds[k], pipeline_id, &rows, err);
        for (size_t i = 0; s == OK && i < json_array_size(rows); i++)
            if (json_flag(json_array_get(rows, i), "enabled", true))
                s = keep_job(plan, kinds[k], json_array_get(rows, i), err);
        json_decref(rows);
    }
    return s;
}

static status load_job(struct plan *plan, struct db *db, const struct plan_for *from, struct error *err)
{
    json_t *record = NULL;
    status s = job_get(db, from->kind, from->pipeline_id, from->job_id, &record, err);
    if (s == OK)
        s = keep_job(plan, from->kind, record, err);
    json_decref(record);
    return s;
}

/* Drop the jobs that are neither in `only` nor behind one that is; the graph is to be made again. */
static status keep_only(struct plan *plan, const json_t *only, struct error *err)
{
    bool *wanted = calloc(plan->count + 1, sizeof *wanted);
    if (!wanted)
        return error_no_memory(err, plan->count);
    for (size_t i = 0; i < plan->count; i++)
        wanted[i] = json_object_get(only, json_text(plan->configs[i], "id", "")) != NULL;
    const struct graph *g = &plan->graph;
    for (size_t stage = 0; stage < g->stage_count; stage++)
        for (size_t e = 0; e < g->edge_count; e++)
            if (g->stage[g->edges[e].from] == stage && g->edges[e].needed && wanted[g->edges[e].from])
                wanted[g->edges[e].to] = true;
    size_t kept = 0;
    for (size_t i = 0; i < plan->count; i++) {
        if (!wanted[i]) {
            json_decref(plan->configs[i]);
            continue;
        }
        plan->configs[kept] = plan->configs[i];
        plan->kinds[kept++] = plan->kinds[i];
    }
    plan->count = kept;
    free(wanted);
    return OK;
}

static status no_jobs(struct plan *plan, struct error *err)
{
    json_t *problem = json_pack("{s:s, s:s, s:s}", "pointer", "", "code", "no_jobs", "message",
                                "this pipeline has no enabled job; add one, or enable one");
    return json_add(plan->problems, problem, err);
}

status plan_make(struct plan *plan, struct db *db, const struct plan_for *from, struct error *err)
{
    struct plan made = {0};
    status s = record_get(db, &pipelines_table, from->pipeline_id, &made.pipeline, err);
    if (s == OK)
        s = from->job_id ? load_job(&made, db, from, err) : load_jobs(&made, db, from->pipeline_id, err);
    if (s == OK)
        s = make_graph(&made, db, err);
    if (s == OK && from->only && json_array_size(made.problems) == 0) {
        s = keep_only(&made, from->only, err);
        graph_release(&made.graph);
        json_decref(made.problems);
        made.problems = NULL;
        if (s == OK)
            s = make_graph(&made, db, err);
    }
    if (s == OK && !made.count)
        s = no_jobs(&made, err);
    if (s == OK)
        *plan = made;
    else
        plan_release(&made);
    return s;
}

void plan_release(struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        json_decref(plan->configs[i]);
    free(plan->configs);
    free(plan->kinds);
    graph_release(&plan->graph);
    json_decref(plan->problems);
    json_decref(plan->pipeline);
    *plan = (struct plan){0};
}

static status list_stages(const struct plan *plan, json_t **stages, struct error *err)
{
    json_t *list = json_array();
    status s = list ? OK : error_no_memory(err, 1);
    for (size_t stage = 0; s == OK && stage < plan->graph.stage_count; stage++)
        s = json_add(list, json_array(), err);
    for (size_t i = 0; s == OK && i < plan->count; i++)
        if (plan->graph.stage[i] < plan->graph.stage_count)
            s = json_add(json_array_get(list, plan->graph.stage[i]),
                         json_incref(json_object_get(plan->configs[i], "id")), err);
    if (s == OK)
        *stages = list;
    else
        json_decref(list);
    return s;
}

status engine_plan(struct engine *engine, const char *pipeline_id, json_t **stages, json_t **problems,
                   struct error *err)
{
    struct db *db = NULL;
    struct plan plan = {0};
    const struct plan_for from = {.pipeline_id = pipeline_id};
    status s = store_reader(engine->options.store, &db, err);
    if (s == OK)
        s = plan_make(&plan, db, &from, err);
    store_give_back(engine->options.store, db);
    if (s == OK)
        s = list_stages(&plan, stages, err);
    if (s == OK)
        *problems = json_incref(plan.problems);
    plan_release(&plan);
    return s;
}
