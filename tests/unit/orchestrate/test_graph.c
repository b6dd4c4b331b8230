/* Order, cycles and missing inputs of job graphs, without a database. */
#include "unit/cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "orchestrate/graph.h"

static bool known(void *self, const char *dataset)
{
    return self && strcmp(self, dataset) == 0;
}

static const char *const orders[] = {"bronze.orders"};
static const char *const joined_inputs[] = {"bronze.orders", "bronze.countries"};
static const char *const joined[] = {"silver.joined"};
static const char *const self_made[] = {"silver.log"};

static struct graph made;
static json_t *problems;

static void make(const struct graph_job *jobs, size_t count, const char *exists)
{
    struct error err;
    if (graph_make(&made, jobs, count, known, (void *)(uintptr_t)exists, &problems, &err) != OK)
        fail_msg("%s", err.message);
}

static void drop(void)
{
    graph_release(&made);
    json_decref(problems);
}

static bool has_edge(size_t from, size_t to, bool needed)
{
    for (size_t e = made.first_edge[from]; e < made.first_edge[from + 1]; e++)
        if (made.edges[e].from == from && made.edges[e].to == to && made.edges[e].needed == needed)
            return true;
    return false;
}

static void layers_come_in_order(void **state)
{
    (void)state;
    const struct graph_job jobs[] = {
        {"g", "g", GRAPH_GOLD, "gold.top", joined, 1},
        {"s", "s", GRAPH_SILVER, "silver.joined", joined_inputs, 2},
        {"o", "o", GRAPH_INGEST, "bronze.orders", NULL, 0},
        {"r", "r", GRAPH_REFERENCE, "bronze.countries", NULL, 0},
        {"x", "x", GRAPH_SILVER, "silver.alone", joined_inputs + 1, 1},
    };
    make(jobs, 5, NULL);
    assert_int_equal(json_array_size(problems), 0);
    assert_int_equal(made.stage_count, 4);
    assert_int_equal(made.edge_count, 5);
    assert_true(has_edge(3, 2, false)); /* only order: orders can be read without countries */
    assert_true(has_edge(3, 1, true));
    assert_true(has_edge(2, 1, true));
    assert_true(has_edge(1, 0, true));
    assert_true(has_edge(3, 4, true));
    const size_t stages[] = {3, 2, 1, 0, 1};
    assert_memory_equal(made.stage, stages, sizeof stages);
    drop();
}

static void inputs_must_exist_somewhere(void **state)
{
    (void)state;
    const struct graph_job jobs[] = {
        {"s", "Joined", GRAPH_SILVER, "silver.joined", joined_inputs, 2},
        {"l", "Log", GRAPH_SILVER, "silver.log", self_made, 1},
    };
    make(jobs, 2, "bronze.orders");
    assert_int_equal(json_array_size(problems), 2);
    const json_t *problem = json_array_get(problems, 0);
    assert_string_equal(json_text(problem, "code", ""), "missing_input");
    assert_string_equal(json_text(problem, "pointer", ""), "/dataset_jobs/s/inputs/1");
    assert_non_null(strstr(json_text(problem, "message", ""), "Joined"));
    assert_non_null(strstr(json_text(problem, "message", ""), "bronze.countries"));
    assert_string_equal(json_text(json_array_get(problems, 1), "pointer", ""), "/dataset_jobs/l/inputs/0");
    drop();
    /* A job that reads its own dataset needs the snapshot before, and is no cycle. */
    make(jobs + 1, 1, "silver.log");
    assert_int_equal(json_array_size(problems), 0);
    assert_int_equal(made.edge_count, 0);
    drop();
}

static void cycles_are_named_by_their_path(void **state)
{
    (void)state;
    static const char *const a[] = {"silver.c", "bronze.orders"}, *const b[] = {"silver.a"}, *const c[] = {"silver.b"},
                             *const behind[] = {"silver.c"};
    const struct graph_job jobs[] = {
        {"o", "o", GRAPH_INGEST, "bronze.orders", NULL, 0}, {"a", "A", GRAPH_SILVER, "silver.a", a, 2},
        {"b", "B", GRAPH_SILVER, "silver.b", b, 1},         {"c", "C", GRAPH_SILVER, "silver.c", c, 1},
        {"d", "D", GRAPH_GOLD, "gold.d", behind, 1},
    };
    make(jobs, 5, NULL);
    assert_int_equal(json_array_size(problems), 1);
    const json_t *problem = json_array_get(problems, 0);
    assert_string_equal(json_text(problem, "code", ""), "cycle");
    assert_string_equal(json_text(problem, "message", ""), "these jobs wait for each other: 'A' -> 'B' -> 'C' -> 'A'");
    drop();
}

static void an_input_twice_is_one_edge(void **state)
{
    (void)state;
    static const char *const twice[] = {"bronze.orders", "bronze.orders"};
    const struct graph_job jobs[] = {{"o", "o", GRAPH_INGEST, "bronze.orders", NULL, 0},
                                     {"s", "s", GRAPH_SILVER, "silver.s", twice, 2}};
    make(jobs, 2, NULL);
    assert_int_equal(made.edge_count, 1);
    drop();
    make(NULL, 0, NULL);
    assert_int_equal(made.stage_count, 0);
    drop();
}

static void a_long_chain_is_no_recursion(void **state)
{
    (void)state;
    enum { LENGTH = 20000 };
    static char names[LENGTH][24];
    static const char *inputs[LENGTH];
    static struct graph_job jobs[LENGTH];
    for (size_t i = 0; i < LENGTH; i++) {
        snprintf(names[i], sizeof names[i], "silver.s%zu", i);
        inputs[i] = names[i ? i - 1 : LENGTH - 1];
        jobs[i] = (struct graph_job){names[i], names[i], GRAPH_SILVER, names[i], &inputs[i], 1};
    }
    make(jobs, LENGTH, NULL);
    assert_int_equal(json_array_size(problems), 1);
    drop();
    jobs[0].inputs = orders;
    make(jobs, LENGTH, "bronze.orders");
    assert_int_equal(json_array_size(problems), 0);
    assert_int_equal(made.stage_count, LENGTH);
    drop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_come_in_order),           cmocka_unit_test(inputs_must_exist_somewhere),
        cmocka_unit_test(cycles_are_named_by_their_path), cmocka_unit_test(an_input_twice_is_one_edge),
        cmocka_unit_test(a_long_chain_is_no_recursion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
