#include "job/field_rules.h"
#include "job/fields.h"

static const char *const orchestrators[] = {"auto", "inline", "prefect", NULL};
static const struct field_def tag_item = {.kind = FIELD_TEXT, .min = 1, .max = 100, .pattern = ONE_LINE_PATTERN};

static const struct field_def rows[] = {
    {.key = "id", .kind = FIELD_TEXT, .flags = FIELD_READ_ONLY},
    {.key = "name",
     .kind = FIELD_TEXT,
     .flags = FIELD_REQUIRED,
     .min = 1,
     .max = 200,
     .pattern = ONE_LINE_PATTERN,
     .label = "Name",
     .help = "A name for people, on one line, unique among the pipelines."},
    {.key = "slug", .kind = FIELD_TEXT, .flags = FIELD_READ_ONLY, .help = "The name in paths of the lake."},
    {.key = "description", .kind = FIELD_TEXT, .default_json = "\"\"", .label = "Description"},
    {.key = "environment",
     .kind = FIELD_TEXT,
     .default_json = "\"development\"",
     .min = 1,
     .max = 100,
     .pattern = ONE_LINE_PATTERN,
     .label = "Environment",
     .help = "Where this pipeline belongs, on one line: development, staging, production, ..."},
    {.key = "owner", .kind = FIELD_TEXT, .default_json = "\"\"", .max = 200, .label = "Owner"},
    {.key = "tags", .kind = FIELD_LIST, .item = &tag_item, .default_json = "[]", .max = 50, .label = "Tags"},
    {.key = "orchestrator",
     .kind = FIELD_ENUM,
     .flags = FIELD_ADVANCED,
     .choices = orchestrators,
     .default_json = "\"auto\"",
     .label = "Orchestrator",
     .help = "What runs the jobs."},
    {.key = "max_parallel_jobs",
     .kind = FIELD_INTEGER,
     .flags = FIELD_NULLABLE | FIELD_ADVANCED,
     .min = 1,
     .max = 64,
     .label = "Jobs at once",
     .help = "How many jobs of a run may run at once; null: as many as the server allows."},
    {.key = "created_at", .kind = FIELD_TIME, .flags = FIELD_READ_ONLY},
    {.key = "updated_at", .kind = FIELD_TIME, .flags = FIELD_READ_ONLY},
};

static status rules(const json_t *record, struct field_errors *errors, struct error *err)
{
    status s = rule_names(record, "tags", &(struct known_columns){0}, errors, err);
    if (s == OK && strcmp(json_text(record, "orchestrator", ""), "prefect") == 0)
        s = field_error_add(errors, err, "/orchestrator", "combination",
                            "this version of FlowForge cannot run jobs through Prefect: set orchestrator to auto or "
                            "inline");
    return s;
}

const struct field_table pipeline_fields = {
    .name = "pipeline", .title = "Pipeline", .fields = rows, .count = ARRAY_LENGTH(rows), .rules = rules};
