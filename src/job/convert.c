#include "job/convert.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "job/convert_pass.h"
#include "job/convert_staged.h"
#include "job/input_plan.h"
#include "job/output.h"
#include "job/rejects.h"
#include "sys/clock.h"

const char *const convert_stage_names[STAGE_COUNT] = {
    [STAGE_READ] = "read",     [STAGE_DECODE] = "decode", [STAGE_DEDUPE] = "dedupe",
    [STAGE_ENCODE] = "encode", [STAGE_WRITE] = "write",   [STAGE_PUBLISH] = "publish",
};

status convert_result_warn(struct convert_result *result, struct error *err, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    char **warnings = realloc(result->warnings, (result->warning_count + 1) * sizeof *warnings);
    if (!warnings)
        return error_no_memory(err, (result->warning_count + 1) * sizeof *warnings);
    result->warnings = warnings;
    warnings[result->warning_count] = strdup(text);
    if (!warnings[result->warning_count])
        return error_no_memory(err, strlen(text));
    result->warning_count++;
    return OK;
}

const char *convert_input_name(const struct convert_options *options, size_t input)
{
    return options->input_names ? options->input_names[input] : options->inputs[input];
}

/* ---- what the inputs were, for the report ---- */

static status list_dropped(const struct planned_input *in, struct convert_input *out, struct error *err)
{
    out->dropped = calloc(in->name_count + 1, sizeof *out->dropped);
    if (!out->dropped)
        return error_no_memory(err, in->name_count * sizeof *out->dropped);
    for (size_t i = 0; i < in->name_count; i++) {
        if (!in->used || in->used[i])
            continue;
        out->dropped[out->dropped_count] = strdup(in->names[i]);
        if (!out->dropped[out->dropped_count])
            return error_no_memory(err, strlen(in->names[i]));
        out->dropped_count++;
    }
    return OK;
}

static status describe_inputs(const struct input_plan *plan, const struct convert_options *options,
                              struct convert_result *result, struct error *err)
{
    result->inputs = calloc(plan->count, sizeof *result->inputs);
    if (!result->inputs)
        return error_no_memory(err, plan->count * sizeof *result->inputs);
    result->input_count = plan->count;
    for (size_t i = 0; i < plan->count; i++) {
        const struct planned_input *in = &plan->inputs[i];
        struct convert_input *out = &result->inputs[i];
        *out = (struct convert_input){.format = in->format, .compression = in->facts.compression, .text = in->text};
        memcpy(out->encoding, in->facts.encoding, sizeof out->encoding);
        out->path = strdup(options->inputs[i]);
        if (!out->path)
            return error_no_memory(err, strlen(options->inputs[i]));
        if (in->facts.size != UINT64_MAX)
            result->bytes_in += in->facts.size;
        status s = list_dropped(in, out, err);
        if (s != OK)
            return s;
    }
    return OK;
}

/* ---- the sum that must hold ---- */

static status check_accounting(const struct convert_result *r, struct error *err)
{
    if (r->rows_read == r->rows_written + r->rows_rejected + r->rows_deduped + r->rows_filtered)
        return OK;
    status s = error_set(err, ERR_ACCOUNTING,
                         "the rows do not add up: %llu read, but %llu written + %llu rejected + %llu deduplicated + "
                         "%llu filtered",
                         (unsigned long long)r->rows_read, (unsigned long long)r->rows_written,
                         (unsigned long long)r->rows_rejected, (unsigned long long)r->rows_deduped,
                         (unsigned long long)r->rows_filtered);
    error_hint(err, "nothing was published; this is a defect of FlowForge, please report it with the input");
    return s;
}

static status check_unchanged(const struct input_plan *plan, struct error *err)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->inputs[i].facts.size == UINT64_MAX && plan->format == FORMAT_PARQUET)
            continue; /* no file */
        status s = text_input_check_unchanged(plan->inputs[i].path, &plan->inputs[i].facts, err);
        if (s != OK)
            return s;
    }
    return OK;
}

/* ---- passes ---- */

/* Passes until the column types hold for every value, then once more if duplicates have to be dropped. */
static status run_passes(struct conversion *c, struct error *err)
{
    status s;
    for (;;) {
        enum pass_end end;
        s = conversion_pass(c, &end, err);
        if (s != OK)
            return s;
        if (end == PASS_COMPLETE)
            return OK;
    }
}

static status check_reject_ratio(const struct convert_options *options, const struct convert_result *r,
                                 struct error *err)
{
    if (!options->limit_reject_ratio || (double)r->rows_rejected <= options->max_reject_ratio * (double)r->rows_read)
        return OK;
    status s =
        error_set(err, ERR_BAD_ROWS, "%llu of %llu rows are bad, more than the share of %g that is allowed",
                  (unsigned long long)r->rows_rejected, (unsigned long long)r->rows_read, options->max_reject_ratio);
    error_hint(err, "nothing was published; mend the input, or raise max_reject_ratio");
    return s;
}

static status report_watermark(struct conversion *c, struct error *err)
{
    struct convert_result *r = c->result;
    const struct watermark_top *top = &c->top;
    if (!top->any)
        return OK;
    r->watermark_type = top->type;
    r->watermark_ties_exceeded = top->too_many;
    r->watermark = malloc(top->text.len + 1);
    if (!r->watermark)
        return error_no_memory(err, top->text.len + 1);
    if (top->text.len)
        memcpy(r->watermark, top->text.data, top->text.len);
    r->watermark[top->text.len] = '\0';
    if (top->too_many || top->hashes.len == 0)
        return OK;
    r->watermark_ties = malloc(top->hashes.len);
    if (!r->watermark_ties)
        return error_no_memory(err, top->hashes.len);
    memcpy(r->watermark_ties, top->hashes.data, top->hashes.len);
    r->watermark_tie_count = top->hashes.len / sizeof(struct key_hash);
    return OK;
}

static status finish(struct conversion *c, struct error *err)
{
    struct convert_result *r = c->result;
    double start = clock_seconds();
    status s = check_unchanged(c->plan, err);
    if (s == OK)
        s = conversion_final_schema(c, &r->schema, err);
    if (s == OK)
        s = rejects_check(c->rejects, err);
    if (s == OK)
        s = check_reject_ratio(c->options, r, err);
    if (s == OK)
        s = report_watermark(c, err);
    if (s == OK && !c->options->dry_run)
        s = output_finish(c->output, &c->workers[0].output, &r->schema, r, err);
    if (s == OK && c->options->dry_run)
        r->rows_written = r->rows_read - r->rows_rejected - r->rows_deduped - r->rows_filtered;
    if (s == OK)
        s = check_accounting(r, err);
    if (s == OK && !c->options->dry_run)
        s = rejects_publish(c->rejects, r, err);
    if (s == OK && !c->options->dry_run)
        s = output_publish(c->output, err);
    if (s != OK && !output_is_published(c->output))
        rejects_withdraw(c->rejects);
    r->stage_seconds[STAGE_PUBLISH] += clock_seconds() - start;
    return s;
}

status convert_run(const struct convert_options *options, struct convert_result *result, struct error *err)
{
    if (options->open_stream && options->dedupe_key_count && !options->keep_duplicates)
        return convert_staged(options, result, err);
    double start = clock_seconds();
    struct input_plan plan = {0};
    struct output_plan output = {0};
    struct conversion c = {0};
    *result = (struct convert_result){0};
    status s = output_plan_make(&output, options, err);
    if (s == OK)
        s = input_plan_make(&plan, options, result, err);
    if (s == OK)
        s = describe_inputs(&plan, options, result, err);
    if (s == OK)
        s = conversion_init(&c, options, &plan, &output, result, err);
    if (s == OK)
        s = run_passes(&c, err);
    if (s == OK)
        s = finish(&c, err);
    if (s != OK && result->schema.count == 0 && c.types.newest &&
        conversion_final_schema(&c, &result->schema, NULL) != OK)
        schema_release(&result->schema); /* the report of a failed run does without */
    conversion_release(&c);
    input_plan_release(&plan);
    result->seconds = clock_seconds() - start;
    return s;
}

void convert_result_release(struct convert_result *r)
{
    schema_release(&r->schema);
    reject_release(&r->first_rejects);
    free(r->reject_inputs);
    for (size_t i = 0; i < r->input_count; i++) {
        free(r->inputs[i].path);
        for (size_t k = 0; k < r->inputs[i].dropped_count; k++)
            free(r->inputs[i].dropped[k]);
        free(r->inputs[i].dropped);
    }
    free(r->inputs);
    for (size_t i = 0; i < r->file_count; i++) {
        free(r->files[i].path);
        free(r->files[i].partition);
    }
    free(r->files);
    free(r->quarantine_path);
    free(r->watermark);
    free(r->watermark_ties);
    for (size_t i = 0; i < r->warning_count; i++)
        free(r->warnings[i]);
    free(r->warnings);
    *r = (struct convert_result){0};
}
