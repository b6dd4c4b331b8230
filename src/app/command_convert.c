#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "app/command.h"
#include "app/input_options.h"
#include "app/progress.h"
#include "base/civil.h"
#include "job/convert_report.h"
#include "sys/file.h"

struct convert_settings {
    struct input_settings input;
    int to, compression, on_error;
    struct text_list dedupe, partition_by;
    const char *order_by, *filename_pattern, *quarantine, *report, *temp_dir, *max_rejects;
    uint64_t level, threads, memory;
    bool overwrite, sync, dry_run, quiet, help;
};

static const char *const output_formats[] = {"auto", "csv", "ndjson", "json", "parquet", NULL};
static const char *const compressions[] = {"auto", "none", "gzip", "snappy", "zstd", NULL};
static const char *const error_handling[] = {"fail", "quarantine", NULL};

#define AT(field) offsetof(struct convert_settings, field)

static const struct option table[] = {
    INPUT_OPTIONS(struct convert_settings, input),
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL, "Rows:"},
    {"dedupe", 0, OPTION_LIST, AT(dedupe), "K1,K2", NULL,
     "keep one row for each value of these columns: the highest --order-by, then the last in input order"},
    {"order-by", 0, OPTION_TEXT, AT(order_by), "COLUMN", NULL, "which of several rows with one key is kept"},
    {"on-error", 0, OPTION_CHOICE, AT(on_error), "HOW", error_handling,
     "fail (default): a bad row fails the run and nothing is published; quarantine: bad rows go to --quarantine"},
    {"quarantine", 0, OPTION_TEXT, AT(quarantine), "DIR", NULL,
     "folder for bad rows, as Parquet with position, reason and raw text"},
    {"max-rejects", 0, OPTION_TEXT, AT(max_rejects), "N", NULL,
     "with quarantine: fail when more rows than this are bad (default: any number)"},
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL, "Writing:"},
    {"to", 0, OPTION_CHOICE, AT(to), "FORMAT", output_formats,
     "parquet, csv or ndjson; auto tells by OUTPUT's ending, parquet for a folder"},
    {"compression", 'c', OPTION_CHOICE, AT(compression), "CODEC", compressions,
     "none, gzip, snappy or zstd. Parquet: snappy if not given; csv and ndjson: by the ending, else none"},
    {"level", 0, OPTION_COUNT, AT(level), "N", NULL, "compression level of gzip (1 to 9) or zstd (1 to 19)"},
    {"partition-by", 0, OPTION_LIST, AT(partition_by), "COLS", NULL,
     "columns: folders name=value/ below OUTPUT; or date:PATTERN: the run's UTC date, for example date:yyyy/MM/dd"},
    {"filename-pattern", 0, OPTION_TEXT, AT(filename_pattern), "TEXT", NULL,
     "names of files in a folder (default {timestamp}_{filename}); tokens {timestamp} {filename} {run_id} {job} "
     "{date} {seq}"},
    {"overwrite", 0, OPTION_FLAG, AT(overwrite), NULL, NULL, "replace OUTPUT, at once and only when all went well"},
    {"sync", 0, OPTION_FLAG, AT(sync), NULL, NULL, "flush files and folders to disk before they are published"},
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL, "Running:"},
    {"threads", 'j', OPTION_COUNT, AT(threads), "N", NULL, "threads (default: one a core, at most 16)"},
    {"memory", 'm', OPTION_BYTES, AT(memory), "SIZE", NULL, "memory for the whole run (default 256M, least 64M)"},
    {"temp-dir", 0, OPTION_TEXT, AT(temp_dir), "DIR", NULL,
     "for what does not fit in memory (default $TMPDIR or /tmp)"},
    {"report", 0, OPTION_TEXT, AT(report), "FILE", NULL,
     "write schema, row counts, files, bad rows and timings as JSON; - is standard output"},
    {"dry-run", 'n', OPTION_FLAG, AT(dry_run), NULL, NULL, "read and check everything, write nothing"},
    {"quiet", 'q', OPTION_FLAG, AT(quiet), NULL, NULL, "no summary and no progress"},
    {"help", 'h', OPTION_FLAG, AT(help), NULL, NULL, "show this text"},
};

static void print_help(void)
{
    puts("Usage: flowforge convert [OPTION]... INPUT... OUTPUT\n\n"
         "Turn CSV, NDJSON, JSON or Parquet files (plain, .gz or .zst; - is standard input) into one Parquet, CSV or\n"
         "NDJSON file, or into a folder of them. Several inputs are read one after another into the same columns, by\n"
         "name. Types are inferred from every value. Nothing appears under OUTPUT before all of it is complete.\n\n"
         "Examples:\n"
         "  flowforge convert orders.csv orders.parquet\n"
         "  flowforge convert --delimiter ';' --encoding windows-1252 --null-values NA export.csv.gz export.parquet\n"
         "  flowforge convert --dedupe id --order-by updated_at --compression zstd events-*.ndjson events.parquet\n"
         "  flowforge convert --partition-by country,year --on-error quarantine --quarantine bad sales.csv sales/\n"
         "  flowforge convert --schema schema.json --report - feed.csv feed.parquet");
    options_print(table, ARRAY_LENGTH(table));
}

/* 26 characters that sort by time: milliseconds and randomness, Crockford's base 32. */
static void make_run_id(int64_t micros, char id[27])
{
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    uint64_t ms = (uint64_t)(micros / 1000);
    uint8_t random[16];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        for (size_t i = 0; i < sizeof random; i++)
            random[i] = (uint8_t)((uint64_t)micros >> (i * 3)) ^ (uint8_t)getpid();
    for (int i = 9; i >= 0; i--, ms >>= 5)
        id[i] = digits[ms & 31];
    for (int i = 0; i < 16; i++)
        id[10 + i] = digits[random[i] & 31];
    id[26] = '\0';
}

static size_t default_threads(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > 16 ? 16 : (size_t)n;
}

static status apply_partitions(const struct convert_settings *settings, struct convert_options *options,
                               struct error *err)
{
    const struct text_list *by = &settings->partition_by;
    if (by->count > 0 && by->items[0].n > 5 && memcmp(by->items[0].p, "date:", 5) == 0) {
        if (by->count > 1)
            return error_set(err, ERR_USAGE, "--partition-by takes columns or one date:PATTERN, not both");
        options->partition_date = (struct str){by->items[0].p + 5, by->items[0].n - 5};
        return OK;
    }
    options->partition_columns = by->items;
    options->partition_column_count = by->count;
    return OK;
}

static status apply(const struct convert_settings *settings, struct convert_options *options, struct error *err)
{
    options->to = (enum file_format)settings->to;
    options->compression = (enum convert_compression)settings->compression;
    options->level = (int)(settings->level > 1000 ? 1000 : settings->level);
    options->dedupe_keys = settings->dedupe.items;
    options->dedupe_key_count = settings->dedupe.count;
    if (settings->order_by)
        options->order_by = str_of(settings->order_by);
    if (settings->filename_pattern)
        options->filename_pattern = str_of(settings->filename_pattern);
    options->quarantine = settings->on_error == 1;
    options->quarantine_dir = settings->quarantine;
    options->max_rejects = UINT64_MAX;
    options->threads = settings->threads ? settings->threads : default_threads();
    options->memory = settings->memory;
    options->overwrite = settings->overwrite;
    options->sync = settings->sync;
    options->dry_run = settings->dry_run;
    options->temp_dir = settings->temp_dir;
    if (options->threads > 256)
        return error_set(err, ERR_USAGE, "--threads %zu: 1 to 256 are possible", options->threads);
    if (options->memory < (64u << 20))
        return error_set(err, ERR_USAGE, "--memory: 64M is the least");
    if (settings->order_by && !settings->dedupe.count)
        return error_set(err, ERR_USAGE, "--order-by says which duplicate is kept: it needs --dedupe");
    if (options->quarantine && !settings->quarantine)
        return error_set(err, ERR_USAGE, "--on-error quarantine needs --quarantine DIR");
    if (!options->quarantine && settings->quarantine)
        return error_set(err, ERR_USAGE, "--quarantine needs --on-error quarantine");
    if (!options->quarantine && settings->max_rejects)
        return error_set(err, ERR_USAGE, "--max-rejects needs --on-error quarantine");
    if (settings->max_rejects && !str_parse_u64(str_of(settings->max_rejects), UINT64_MAX >> 1, &options->max_rejects))
        return error_set(err, ERR_USAGE, "--max-rejects %s: not a whole number from 0", settings->max_rejects);
    enum convert_compression c = options->compression;
    if (settings->level &&
        ((c == COMPRESSION_GZIP && settings->level > 9) || (c == COMPRESSION_ZSTD && settings->level > 19) ||
         c == COMPRESSION_SNAPPY || c == COMPRESSION_NONE || c == COMPRESSION_AUTO))
        return error_set(err, ERR_USAGE, "--level: 1 to 9 with --compression gzip, 1 to 19 with zstd");
    return apply_partitions(settings, options, err);
}

static void print_bad_rows(const struct convert_options *options, const struct convert_result *r)
{
    for (size_t i = 0; i < r->first_rejects.count; i++) {
        const struct reject *one = &r->first_rejects.items[i];
        struct str message = reject_message(&r->first_rejects, one);
        fprintf(stderr, "  %s:%llu: record %llu, byte %llu: %s: ", options->inputs[r->reject_inputs[i]],
                (unsigned long long)one->line, (unsigned long long)one->record, (unsigned long long)one->byte_offset,
                reject_code_name(one->code));
        for (size_t k = 0; k < message.n; k++) /* cells may hold control bytes */
            fputc((unsigned char)message.p[k] < 0x20 || message.p[k] == 0x7F ? ' ' : message.p[k], stderr);
        fputc('\n', stderr);
    }
}

static void print_summary(const struct convert_options *options, const struct convert_result *r)
{
    char a[32], b[32], c[32];
    double megabytes = (double)r->bytes_in / 1e6;
    fprintf(stderr, "%s rows read", count_text(r->rows_read, a));
    fprintf(stderr, options->dry_run ? ", %s good" : ", %s written", count_text(r->rows_written, a));
    if (r->rows_rejected)
        fprintf(stderr, ", %s rejected", count_text(r->rows_rejected, a));
    if (r->rows_deduped)
        fprintf(stderr, ", %s duplicates dropped", count_text(r->rows_deduped, a));
    fprintf(stderr, "; %s -> %s", bytes_text((double)r->bytes_in, b), bytes_text((double)r->bytes_out, c));
    fprintf(stderr, " in %.2f s (%.0f MB/s)\n", r->seconds, r->seconds > 0 ? megabytes / r->seconds : 0);
    if (r->file_count == 1)
        fprintf(stderr, "%s\n", r->files[0].path);
    else if (r->file_count > 1)
        fprintf(stderr, "%zu files below %s\n", r->file_count, options->output);
    if (r->quarantine_path)
        fprintf(stderr, "bad rows: %s\n", r->quarantine_path);
    for (size_t i = 0; i < r->warning_count; i++)
        fprintf(stderr, "warning: %s\n", r->warnings[i]);
    for (size_t i = 0; i < r->input_count; i++)
        if (r->inputs[i].dropped_count)
            fprintf(stderr, "warning: %s: %zu source columns are not in the schema and were left out\n",
                    r->inputs[i].path, r->inputs[i].dropped_count);
}

static status write_report(const char *path, const struct convert_options *options, const struct convert_result *result,
                           const struct error *failure, struct error *err)
{
    struct buf json = {0};
    status s = convert_report_write(options, result, failure, &json, err);
    if (s == OK && strcmp(path, "-") == 0) {
        s = file_write_all(1, json.data, json.len, "standard output", err);
    } else if (s == OK) {
        struct byte_sink sink = {0};
        s = file_sink_create(&sink, path, 0, err);
        if (s == OK)
            s = byte_sink_write(&sink, json.data, json.len, err);
        if (s == OK)
            s = byte_sink_finish(&sink, err);
        byte_sink_close(&sink);
    }
    buf_release(&json);
    return s;
}

static int convert(const struct app *app, struct convert_settings *settings, const struct text_list *operands)
{
    struct error err = {0};
    struct input_work work = {0};
    struct convert_options options = {0};
    struct convert_result result = {0};
    struct convert_progress progress = {0};
    struct progress_line line;
    char run_id[27];
    const char **inputs = calloc(operands->count, sizeof *inputs);
    if (!inputs)
        return command_failed((error_no_memory(&err, operands->count * sizeof *inputs), &err));
    for (size_t i = 0; i + 1 < operands->count; i++)
        inputs[i] = operands->items[i].p; /* words of argv: NUL-terminated */
    options.inputs = inputs;
    options.input_count = operands->count - 1;
    options.output = operands->items[operands->count - 1].p;
    options.run_micros = civil_micros_now();
    make_run_id(options.run_micros, run_id);
    options.run_id = str_of(run_id);
    options.job = STR("convert");
    options.cancel = app->cancel;
    options.progress = &progress;
    status s = input_settings_apply(&settings->input, &work, &options, &err);
    if (s == OK)
        s = apply(settings, &options, &err);
    if (s == OK) {
        if (!settings->quiet)
            progress_line_start(&line, &progress);
        s = convert_run(&options, &result, &err);
        if (!settings->quiet)
            progress_line_stop(&line);
        struct error report_error;
        if (settings->report &&
            write_report(settings->report, &options, &result, s == OK ? NULL : &err, &report_error) != OK) {
            if (s == OK) {
                s = report_error.code;
                err = report_error;
                error_hint(&err, "the data itself was published: %s", options.output);
            }
        }
        if (s == OK && !settings->quiet)
            print_summary(&options, &result);
    }
    int code = s == OK ? 0 : command_failed(&err);
    if (s == ERR_BAD_ROWS)
        print_bad_rows(&options, &result);
    convert_result_release(&result);
    input_settings_release(&settings->input, &work);
    free(inputs);
    return code;
}

int command_convert(const struct app *app, int argc, char **argv)
{
    struct error err = {0};
    struct text_list operands = {0};
    const char *tmp = getenv("TMPDIR");
    struct convert_settings settings = {
        .input = INPUT_DEFAULTS, .memory = 256u << 20, .temp_dir = tmp && tmp[0] ? tmp : "/tmp"};
    int code;
    status s = options_parse(table, ARRAY_LENGTH(table), argc, argv, &settings, &operands, &err);
    if (s == OK && settings.help) {
        print_help();
        code = 0;
    } else if (s == OK && operands.count < 2) {
        error_set(&err, ERR_USAGE, "an input and an output are needed: flowforge convert INPUT... OUTPUT");
        error_hint(&err, "flowforge convert --help shows examples");
        code = command_failed(&err);
    } else if (s == OK && str_equal(operands.items[operands.count - 1], STR("-"))) {
        error_set(&err, ERR_USAGE, "the output cannot be standard output: a result is published as a whole, by name");
        error_hint(&err, "write to a file, then print it");
        code = command_failed(&err);
    } else {
        code = s == OK ? convert(app, &settings, &operands) : command_failed(&err);
    }
    text_list_release(&operands);
    text_list_release(&settings.dedupe);
    text_list_release(&settings.partition_by);
    return code;
}
