/* Step 2 of a commit: dataset, manifest and run row; the rest is in commit_check.c and commit_ledger.c. */
#include <stdio.h>
#include <stdlib.h>

#include "store/commit_parts.h"
#include "sys/id.h"

static status check_run(struct commit *c, struct error *err)
{
    static const char *const open_commit[] = {
        [JOB_INGEST] = "SELECT count(*) FROM layer_centric_ingest_runs WHERE id = ?1 "
                       "AND commit_state IN ('none', 'undone')",
        [JOB_DATASET] = "SELECT count(*) FROM dataset_runs WHERE id = ?1 AND commit_state IN ('none', 'undone')",
    };
    int64_t open;
    status s = db_integer(c->db, open_commit[c->kind], DB_BINDS(db_text(c->run_id)), 0, &open, err);
    if (s == OK && open == 0)
        s = error_set(err, ERR_CONFLICT, "the run '%.100s' does not exist or has committed already", c->run_id);
    return s;
}

struct target {
    bool there;
    int64_t current, next;
    char id[64];
};

static status read_target(void *self, const struct db_value *row, size_t columns, struct error *err)
{
    struct target *t = self;
    (void)columns;
    (void)err;
    t->there = true;
    snprintf(t->id, sizeof t->id, "%.*s", (int)row[0].length, (const char *)row[0].bytes);
    t->current = row[1].kind == DB_NULL ? SNAPSHOT_NONE : row[1].integer;
    t->next = row[2].integer;
    return OK;
}

static status check_target(struct commit *c, const struct target *t, struct error *err)
{
    int64_t waiting = 0;
    status s = OK;
    if (t->there)
        s = db_integer(c->db,
                       "SELECT (SELECT count(*) FROM layer_centric_ingest_runs WHERE commit_state = 'committed' AND "
                       "dataset_id = ?1) + (SELECT count(*) FROM dataset_runs WHERE commit_state = 'committed' AND "
                       "dataset_id = ?1)",
                       DB_BINDS(db_text(t->id)), 0, &waiting, err);
    if (s != OK || (waiting == 0 && t->current == c->base_snapshot))
        return s;
    if (waiting)
        s = error_set(err, ERR_CHANGED, "a commit of %s.%s is not published yet", c->layer, c->dataset);
    else
        s = error_set(err, ERR_CHANGED, "%s.%s was changed by another run while this one was at work", c->layer,
                      c->dataset);
    error_hint(err, "run the job again: it starts from what the dataset holds now");
    return s;
}

static status create_dataset(struct commit *c, struct error *err)
{
    char path[1100];
    id_make(c->dataset_id);
    snprintf(path, sizeof path, "%s/%s", c->layer, c->dataset);
    c->snapshot = 1;
    status s = undo_keep(c->db, c->run_id, UNDO_CATALOG_NEW, c->dataset_id, NULL, err);
    return s == OK
               ? db_run(c->db,
                        "INSERT INTO metadata_catalog (id, layer, name, path, format, pipeline_id, job_id, "
                        "next_snapshot, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, 'parquet', ?5, ?6, 2, ?7, ?7)",
                        DB_BINDS(db_text(c->dataset_id), db_text(c->layer), db_text(c->dataset), db_text(path),
                                 db_text(c->pipeline_id), db_text(c->job_id), db_int(c->now)),
                        NULL, err)
               : s;
}

/* The dataset's row, made if there is none, and the number of the snapshot to come. */
static status take_snapshot(struct commit *c, struct error *err)
{
    struct target t = {.current = SNAPSHOT_NONE};
    status s = db_each(c->db,
                       "SELECT id, current_snapshot, next_snapshot FROM metadata_catalog "
                       "WHERE layer = ?1 AND name = ?2",
                       DB_BINDS(db_text(c->layer), db_text(c->dataset)), read_target, &t, err);
    if (s == OK)
        s = check_target(c, &t, err);
    if (s != OK)
        return s;
    if (!t.there)
        return create_dataset(c, err);
    snprintf(c->dataset_id, sizeof c->dataset_id, "%s", t.id);
    c->snapshot = t.next;
    s = undo_keep(c->db, c->run_id, UNDO_CATALOG, c->dataset_id, NULL, err);
    return s == OK ? db_run(c->db, "UPDATE metadata_catalog SET next_snapshot = ?2 WHERE id = ?1",
                            DB_BINDS(db_text(c->dataset_id), db_int(c->snapshot + 1)), NULL, err)
                   : s;
}

static status remove_one(struct commit *c, const json_t *id, struct error *err)
{
    int64_t changed = 0;
    if (!json_is_integer(id))
        return commit_refuse(err, ERR_INTERNAL, "what it removes is not a number");
    status s = db_run(c->db,
                      "UPDATE manifest_files SET removed_snapshot = ?3, removed_run_id = ?4, removed_at = ?5 "
                      "WHERE id = ?1 AND dataset_id = ?2 AND removed_snapshot IS NULL",
                      DB_BINDS(db_int(json_integer_value(id)), db_text(c->dataset_id), db_int(c->snapshot),
                               db_text(c->run_id), db_int(c->now)),
                      &changed, err);
    if (s == OK && changed != 1)
        s = commit_refuse(err, ERR_CHANGED, "file %lld, which it removes, is not one of %s.%s any more",
                          (long long)json_integer_value(id), c->layer, c->dataset);
    return s;
}

static status remove_files(struct commit *c, struct error *err)
{
    const json_t *removes = json_object_get(c->result, "removes"), *id;
    int64_t removed;
    size_t i;
    status s = OK;
    if (json_flag(c->result, "replace_all", false))
        return db_run(c->db,
                      "UPDATE manifest_files SET removed_snapshot = ?2, removed_run_id = ?3, removed_at = ?4 "
                      "WHERE dataset_id = ?1 AND removed_snapshot IS NULL",
                      DB_BINDS(db_text(c->dataset_id), db_int(c->snapshot), db_text(c->run_id), db_int(c->now)), NULL,
                      err);
    json_array_foreach(removes, i, id)
    {
        s = remove_one(c, id, err);
        if (s != OK)
            return s;
    }
    s = db_integer(c->db, "SELECT sum(rows) FROM manifest_files WHERE dataset_id = ?1 AND removed_snapshot = ?2",
                   DB_BINDS(db_text(c->dataset_id), db_int(c->snapshot)), 0, &removed, err);
    if (s == OK && removed - c->rows_rewritten != c->rows.replaced)
        s = commit_refuse(err, ERR_ACCOUNTING,
                          "it replaced %lld rows, but the files that it removes have %lld rows and those that carry on "
                          "what is left of them %lld",
                          (long long)c->rows.replaced, (long long)removed, (long long)c->rows_rewritten);
    return s;
}

/* A file that carries on what is left of an older one: that one has to go in the same commit. */
static status check_rewrite(struct commit *c, const json_t *file, struct error *err)
{
    const json_t *rewrites = json_object_get(file, "rewrites");
    int64_t gone = 0;
    if (!json_is_integer(rewrites))
        return OK;
    status s = db_integer(c->db,
                          "SELECT count(*) FROM manifest_files WHERE id = ?1 AND dataset_id = ?2 "
                          "AND removed_snapshot = ?3",
                          DB_BINDS(db_int(json_integer_value(rewrites)), db_text(c->dataset_id), db_int(c->snapshot)),
                          0, &gone, err);
    if (s == OK && gone != 1)
        s = commit_refuse(err, ERR_ACCOUNTING, "'%s' rewrites file %lld, which it does not remove",
                          json_text(file, "path", ""), (long long)json_integer_value(rewrites));
    return s;
}

static status add_file(struct commit *c, const json_t *file, struct error *err)
{
    const char *layer = json_text(file, "layer", "");
    bool data = strcmp(layer, c->layer) == 0;
    status s = check_rewrite(c, file, err);
    return s == OK
               ? db_run(c->db,
                        "INSERT INTO manifest_files (dataset_id, layer, job_id, run_id, path, staged, partition, "
                        "rows, bytes, format, source_uri, added_snapshot, created_at) "
                        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
                        DB_BINDS(db_text(data ? c->dataset_id : NULL), db_text(layer), db_text(c->job_id),
                                 db_text(c->run_id), db_text(json_text(file, "path", "")),
                                 db_text(json_text(file, "staged", "")), db_text(json_text(file, "partition", "")),
                                 db_int(json_int(file, "rows", 0)), db_int(json_int(file, "bytes", 0)),
                                 db_text(json_text(file, "format", "")), db_text(json_text(file, "source_uri", NULL)),
                                 data ? db_int(c->snapshot) : (struct db_value){.kind = DB_NULL}, db_int(c->now)),
                        NULL, err)
               : s;
}

static status add_files(struct commit *c, struct error *err)
{
    const json_t *file;
    size_t i;
    json_array_foreach(json_object_get(c->result, "files"), i, file)
    {
        status s = add_file(c, file, err);
        if (s != OK)
            return s;
    }
    return OK;
}

/* Of the new data files; NULL when there are none. */
static const char *format_of(const struct commit *c)
{
    const json_t *file;
    size_t i;
    json_array_foreach(json_object_get(c->result, "files"), i, file)
    {
        if (strcmp(json_text(file, "layer", ""), c->layer) == 0)
            return json_text(file, "format", NULL);
    }
    return NULL;
}

/* ["bronze.orders", ...], each once, in the order of the job's inputs. */
static status parents_of(const struct commit *c, json_t **parents, struct error *err)
{
    const json_t *input;
    size_t i, k;
    json_t *names = json_array();
    status s = names ? OK : error_no_memory(err, sizeof *names);
    json_array_foreach(json_object_get(c->job, "inputs"), i, input)
    {
        const char *name = json_text(input, "dataset", "");
        for (k = 0; k < json_array_size(names); k++)
            if (strcmp(json_string_value(json_array_get(names, k)), name) == 0)
                break;
        if (s == OK && *name && k == json_array_size(names))
            s = json_add(names, json_string(name), err);
    }
    if (s == OK)
        *parents = names;
    else
        json_decref(names);
    return s;
}

/* The description of the coming snapshot; what the result does not say stays as it is. */
static status add_schema(struct commit *c, struct error *err)
{
    const json_t *schema = json_object_get(c->result, "schema");
    json_t *parents = NULL;
    struct buf schema_text = {0}, parents_text = {0};
    status s = parents_of(c, &parents, err);
    if (s == OK)
        s = json_write(parents, &parents_text, err);
    if (s == OK && json_is_array(schema))
        s = json_write(schema, &schema_text, err);
    if (s == OK)
        s = db_run(c->db,
                   "INSERT INTO catalog_schemas (dataset_id, snapshot, run_id, schema, format, parent_tables, "
                   "created_at) SELECT ?1, ?2, ?3, coalesce(?4, schema), coalesce(?5, format), ?6, ?7 "
                   "FROM metadata_catalog WHERE id = ?1",
                   DB_BINDS(db_text(c->dataset_id), db_int(c->snapshot), db_text(c->run_id),
                            (struct db_value){.kind = schema_text.len ? DB_TEXT : DB_NULL,
                                              .bytes = schema_text.data,
                                              .length = schema_text.len},
                            db_text(format_of(c)),
                            (struct db_value){.kind = DB_TEXT, .bytes = parents_text.data, .length = parents_text.len},
                            db_int(c->now)),
                   NULL, err);
    json_decref(parents);
    buf_release(&schema_text);
    buf_release(&parents_text);
    return s;
}

/* Paths of the data files. */
static status output_keys(const struct commit *c, json_t **keys, struct error *err)
{
    const json_t *file;
    size_t i;
    json_t *paths = json_array();
    status s = paths ? OK : error_no_memory(err, sizeof *paths);
    json_array_foreach(json_object_get(c->result, "files"), i, file)
    {
        if (s == OK && strcmp(json_text(file, "layer", ""), c->layer) == 0)
            s = json_add(paths, json_string(json_text(file, "path", "")), err);
    }
    if (s == OK)
        *keys = paths;
    else
        json_decref(paths);
    return s;
}

/* What the run row has no column for. */
static status report_of(const struct commit *c, json_t **report, struct error *err)
{
    static const char *const members[] = {"rejects",       "rejects_by_code", "warnings", "schema",
                                          "skipped_files", "seconds",         "stages",   "replace_all"};
    json_t *made = json_object();
    status s = made ? OK : error_no_memory(err, sizeof *made);
    for (size_t i = 0; s == OK && i < ARRAY_LENGTH(members); i++) {
        json_t *member = json_object_get(c->result, members[i]);
        if (member)
            s = json_put(made, members[i], json_incref(member), err);
    }
    if (s == OK)
        *report = made;
    else
        json_decref(made);
    return s;
}

static status update_run(struct commit *c, struct error *err)
{
    json_t *row = json_object(), *part = NULL;
    const json_t *watermark = json_object_get(c->result, "watermark");
    const char *after = json_is_object(watermark)                    ? json_text(watermark, "value", NULL)
                        : json_flag(c->result, "replace_all", false) ? NULL
                                                                     : c->watermark_before;
    const struct {
        const char *key;
        int64_t value;
    } counts[] = {{"snapshot", c->snapshot},
                  {"rows_read", c->rows.read},
                  {"rows_written", c->rows.written},
                  {"rows_rejected", c->rows.rejected},
                  {"rows_deduped", c->rows.deduped},
                  {"rows_filtered", c->rows.filtered},
                  {"rows_replaced", c->rows.replaced},
                  {"bytes_in", json_int(c->result, "bytes_in", 0)},
                  {"bytes_out", json_int(c->result, "bytes_out", 0)}};
    status s = row ? json_put_text(row, "commit_state", "committed", err) : error_no_memory(err, sizeof *row);
    for (size_t i = 0; s == OK && i < ARRAY_LENGTH(counts); i++)
        s = json_put_int(row, counts[i].key, counts[i].value, err);
    if (s == OK)
        s = json_put_text(row, "dataset_id", c->dataset_id, err);
    if (s == OK)
        s = json_put_text(row, "watermark_before", c->watermark_before, err);
    if (s == OK)
        s = json_put_text(row, "watermark_after", after, err);
    if (s == OK)
        s = output_keys(c, &part, err);
    if (s == OK)
        s = json_put(row, "output_keys", part, err);
    if (s == OK)
        s = report_of(c, &part, err);
    if (s == OK)
        s = json_put(row, "report", part, err);
    if (s == OK)
        s = record_update(c->db, run_table(c->kind), c->run_id, row, err);
    json_decref(row);
    return s;
}

status commit_record(struct db *db, enum job_kind kind, const json_t *run, const json_t *job, int64_t base_snapshot,
                     const json_t *result, int64_t now, struct error *err)
{
    static status (*const steps[])(struct commit *, struct error *) = {check_run,     commit_check,     take_snapshot,
                                                                       remove_files,  add_files,        add_schema,
                                                                       commit_ledger, commit_watermark, update_run};
    struct commit c = {
        .db = db,
        .kind = kind,
        .job = job,
        .result = result,
        .run_id = json_text(run, "id", ""),
        .job_id = json_text(job, "id", ""),
        .pipeline_id = json_text(run, "pipeline_id", ""),
        .layer = kind == JOB_INGEST ? "bronze" : json_text(job, "layer", ""),
        .dataset = json_text(job, "dataset", ""),
        .base_snapshot = base_snapshot,
        .now = now,
    };
    status s = OK;
    for (size_t i = 0; s == OK && i < ARRAY_LENGTH(steps); i++)
        if (kind == JOB_INGEST || (steps[i] != commit_ledger && steps[i] != commit_watermark))
            s = steps[i](&c, err);
    free(c.watermark_before);
    return s;
}
