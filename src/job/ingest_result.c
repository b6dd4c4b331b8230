#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "job/ingest.h"
#include "job/ingest_landing.h"
#include "job/report_json.h"
#include "shape/watermark.h"

/* ---- counts ---- */

static uint64_t lost_of_new(const struct ingest *g)
{
    uint64_t lost = 0;
    for (size_t i = 0; g->merged && i < g->result.file_count; i++)
        lost += g->lost[i].lost;
    return lost;
}

static uint64_t replaced_rows(const struct ingest *g)
{
    uint64_t rows = 0;
    for (size_t i = 0; i < g->older_count; i++)
        rows += g->replaced[i] ? (uint64_t)json_int(g->older[i], "rows", 0) : g->merged ? g->rewritten[i].lost : 0;
    return rows;
}

static uint64_t bytes_out(const json_t *files, const char *layer)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < json_array_size(files); i++) {
        const json_t *item = json_array_get(files, i);
        if (strcmp(json_text(item, "layer", ""), layer) == 0)
            bytes += (uint64_t)json_int(item, "bytes", 0);
    }
    return bytes;
}

static status put_counts(const struct ingest *g, json_t *result, struct error *err)
{
    const struct convert_result *r = &g->result;
    uint64_t lost = lost_of_new(g);
    const struct {
        const char *key;
        uint64_t count;
    } counts[] = {
        {"read", r->rows_read},         {"written", r->rows_written - lost},
        {"rejected", r->rows_rejected}, {"deduped", r->rows_deduped + lost},
        {"filtered", r->rows_filtered}, {"replaced", replaced_rows(g)},
    };
    json_t *rows = json_object(), *codes = json_object();
    status s = json_put(result, "rows", rows, err);
    for (size_t i = 0; s == OK && i < ARRAY_LENGTH(counts); i++)
        s = json_put_int(rows, counts[i].key, (int64_t)counts[i].count, err);
    if (s == OK)
        s = json_put(result, "rejects_by_code", codes, err);
    else
        json_decref(codes);
    for (int code = 1; s == OK && code < REJECT_CODE_COUNT; code++)
        if (r->rejects_by_code[code])
            s = json_put_int(codes, reject_code_name((enum reject_code)code), (int64_t)r->rejects_by_code[code], err);
    if (s == OK)
        s = json_put_int(result, "bytes_in", (int64_t)g->files.bytes, err);
    if (s == OK)
        s = json_put_int(result, "bytes_out", (int64_t)bytes_out(json_object_get(result, "files"), g->options.layer),
                         err);
    if (s == OK)
        s = json_put_int(result, "skipped_files", (int64_t)g->files.skipped, err);
    if (s == OK)
        s = json_put_int(result, "waiting_files", (int64_t)g->files.waiting, err);
    return s;
}

/* ---- the dataset's columns afterwards ---- */

static json_t *column_json(const char *name, const char *source, const char *type, bool nullable)
{
    return json_pack("{s:s, s:s, s:s, s:b}", "name", name, "source_name", source, "type", type, "nullable", nullable);
}

static status add_field(json_t *list, const struct field *f, bool nullable, struct error *err)
{
    char type[TYPE_NAME_MAX];
    const char *source = str_is_utf8(str_of(f->source_name)) ? f->source_name : f->name;
    return json_add(list, column_json(f->name, source, type_name(f->type, type), nullable), err);
}

/* Columns are only ever added to a dataset: what older files lack is null in them, and what the new ones lack too. */
static status put_schema(const struct ingest *g, json_t *result, struct error *err)
{
    const struct schema *now = &g->result.schema;
    const json_t *before = g->options.incremental ? g->options.target_schema : NULL;
    json_t *list = json_array(), *known = json_object();
    status s = json_put(result, "schema", list, err);
    if (!known)
        s = s == OK ? error_no_memory(err, 64) : s;
    for (size_t i = 0; s == OK && i < json_array_size(before); i++) {
        const json_t *column = json_array_get(before, i);
        const char *name = json_text(column, "name", "");
        int at = schema_find(now, str_of(name));
        bool nullable = json_flag(column, "nullable", true) || at < 0 || !now->fields[at].not_null;
        if (at >= 0)
            s = json_put_bool(known, now->fields[at].name, true, err);
        if (s == OK)
            s = json_add(list,
                         column_json(name, json_text(column, "source_name", name), json_text(column, "type", "string"),
                                     nullable),
                         err);
    }
    for (size_t i = 0; s == OK && i < now->count; i++)
        if (!json_object_get(known, now->fields[i].name))
            s = add_field(list, &now->fields[i], !now->fields[i].not_null || json_array_size(before) > 0, err);
    json_decref(known);
    return s;
}

/* ---- watermark and ledger ---- */

static status add_ties(json_t *ties, const struct key_hash *hashes, size_t count, struct error *err)
{
    char text[WATERMARK_HASH_TEXT + 1];
    status s = OK;
    for (size_t i = 0; s == OK && i < count; i++) {
        row_hash_text(hashes[i], text);
        s = json_add(ties, json_string(text), err);
    }
    return s;
}

/* The highest value that was ever committed, and the rows that have it. */
static status make_watermark(const struct ingest *g, json_t **watermark, struct error *err)
{
    const struct convert_watermark *w = &g->convert.watermark;
    const struct convert_result *r = &g->result;
    int order = 1;
    char type[TYPE_NAME_MAX];
    status s = OK;
    *watermark = NULL;
    if (!w->column.n || (!r->watermark && !w->last.p))
        return OK;
    if (w->last.p && r->watermark)
        s = watermark_compare(w->column, r->watermark_type, str_of(r->watermark), w->last, &order, err);
    else if (w->last.p)
        order = -1;
    if (s != OK)
        return s;
    json_t *ties = json_array();
    struct data_type of = order >= 0 ? r->watermark_type : w->last_type;
    const char *value = order > 0 ? r->watermark : w->last.p;
    *watermark = json_pack("{s:s%, s:s, s:s, s:o}", "column", w->column.p, w->column.n, "type", type_name(of, type),
                           "value", value, "ties", ties);
    if (!*watermark)
        return error_no_memory(err, 64);
    if (order <= 0)
        s = add_ties(ties, w->ties, w->tie_count, err);
    if (s == OK && order >= 0)
        s = add_ties(ties, r->watermark_ties, r->watermark_tie_count, err);
    if (s == OK && json_array_size(ties) > WATERMARK_TIES_MOST && w->want_ties) {
        s = error_set(err, ERR_LIMIT, "more than %d rows have the highest value of watermark column '%.*s'",
                      WATERMARK_TIES_MOST, (int)w->column.n, w->column.p);
        error_hint(err, "name dedupe_keys, by which rows are told apart without remembering each of them, or choose a "
                        "finer watermark_column");
    }
    if (s != OK) {
        json_decref(*watermark);
        *watermark = NULL;
    }
    return s;
}

static status put_watermark(const struct ingest *g, json_t *result, struct error *err)
{
    json_t *watermark = NULL;
    const json_t *mark = json_object_get(g->task->payload, "watermark");
    if (g->options.range_from) /* it stays what it is */
        return json_put(result, "watermark", mark ? json_deep_copy(mark) : json_null(), err);
    if (g->options.database && !g->options.incremental && g->options.safety_lag > 0)
        return json_put(result, "watermark", json_null(), err);
    if (g->result.watermark_ties_exceeded && !g->options.incremental) /* a full run does not need it */
        return json_put(result, "watermark", json_null(), err);
    status s = make_watermark(g, &watermark, err);
    return s == OK ? json_put(result, "watermark", watermark ? watermark : json_null(), err) : s;
}

static status put_ledger(const struct ingest *g, json_t *result, struct error *err)
{
    json_t *ledger = json_array();
    status s = json_put(result, "ledger", ledger, err);
    for (size_t i = 0; s == OK && !g->options.database && i < g->files.count; i++) {
        const struct ingest_file *f = &g->files.items[i];
        s = json_add(ledger,
                     json_pack("{s:s, s:I, s:I, s:s?, s:s?, s:I, s:s}", "uri", f->uri, "size", (json_int_t)f->size,
                               "mtime_ns", (json_int_t)(f->upload ? 0 : f->mtime_ns), "etag", f->etag, "hash",
                               f->hash[0] ? f->hash : NULL, "rows", (json_int_t)g->result.inputs[i].records, "change",
                               f->change == INGEST_CHANGED ? "changed" : "new"),
                     err);
    }
    return s;
}

/* ---- the rest ---- */

status ingest_rejects(const struct ingest *g, json_t **rejects, struct error *err)
{
    const struct convert_result *r = &g->result;
    json_t *list = json_array();
    status s = list ? OK : error_no_memory(err, 64);
    for (size_t i = 0; s == OK && i < r->first_rejects.count; i++)
        s = json_add(list, report_reject(&r->first_rejects, i, g->files.items[r->reject_inputs[i]].uri, &r->schema),
                     err);
    if (s == OK)
        *rejects = list;
    else
        json_decref(list);
    return s;
}

static status put_warnings(const struct ingest *g, json_t *result, struct error *err)
{
    const struct convert_result *r = &g->result;
    json_t *warnings = json_array();
    status s = json_put(result, "warnings", warnings, err);
    for (size_t i = 0; s == OK && i < r->warning_count; i++)
        s = json_add(warnings, report_safe_text(str_of(r->warnings[i])), err);
    for (size_t i = 0; s == OK && i < r->input_count; i++)
        if (r->inputs[i].dropped_count)
            s = json_add(warnings,
                         json_sprintf("%s: %zu source columns are not in the schema and were left out",
                                      g->files.items[i].name, r->inputs[i].dropped_count),
                         err);
    if (s == OK && g->files.waiting)
        s = json_add(warnings,
                     json_sprintf("%zu files are still being written to: a later run takes them", g->files.waiting),
                     err);
    return s;
}

static status put_stages(const struct ingest *g, json_t *result, struct error *err)
{
    json_t *stages = json_array();
    status s = json_put(result, "seconds", json_real(g->result.seconds), err);
    if (s == OK)
        s = json_put(result, "stages", stages, err);
    else
        json_decref(stages);
    for (int i = 0; s == OK && i < STAGE_COUNT; i++)
        s = json_add(stages,
                     json_pack("{s:s, s:f, s:I}", "name", convert_stage_names[i], "seconds", g->result.stage_seconds[i],
                               "bytes", (json_int_t)g->result.stage_bytes[i]),
                     err);
    return s;
}

static status put_rejects(const struct ingest *g, json_t *result, struct error *err)
{
    json_t *rejects = NULL;
    status s = ingest_rejects(g, &rejects, err);
    return s == OK ? json_put(result, "rejects", rejects, err) : s;
}

typedef status part(const struct ingest *g, json_t *result, struct error *err);

static status make_result(const struct ingest *g, part *const *parts, size_t count, json_t **result, struct error *err)
{
    json_t *r = json_object();
    status s = r ? OK : error_no_memory(err, 64);
    for (size_t i = 0; s == OK && i < count; i++)
        s = parts[i](g, r, err);
    if (s == OK)
        *result = r;
    else
        json_decref(r);
    return s;
}

status ingest_result(const struct ingest *g, json_t **result, struct error *err)
{
    static part *const parts[] = {ingest_put_files, ingest_put_removes, put_counts, put_schema, put_watermark,
                                  put_ledger,       put_warnings,       put_stages, put_rejects};
    return make_result(g, parts, ARRAY_LENGTH(parts), result, err);
}

/* Nothing changes: the watermark stays what it is, and so does the schema. */
static status put_unchanged(const struct ingest *g, json_t *result, struct error *err)
{
    const json_t *schema = g->options.target_schema, *mark = json_object_get(g->task->payload, "watermark");
    status s = json_put(result, "schema", schema ? json_deep_copy(schema) : json_array(), err);
    if (s == OK)
        s = json_put(result, "watermark", mark ? json_deep_copy(mark) : json_null(), err);
    if (s == OK)
        s = json_put(result, "files", json_array(), err);
    if (s == OK)
        s = json_put(result, "removes", json_array(), err);
    return s == OK ? json_put_bool(result, "replace_all", false, err) : s;
}

status ingest_result_skipped(const struct ingest *g, json_t **result, struct error *err)
{
    static part *const parts[] = {put_unchanged, put_counts, put_ledger, put_warnings, put_stages, put_rejects};
    return make_result(g, parts, ARRAY_LENGTH(parts), result, err);
}
