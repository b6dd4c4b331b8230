/* The conversion of files: what a user asks for, and what came out. */
#ifndef FF_JOB_CONVERT_H
#define FF_JOB_CONVERT_H

#include <stdatomic.h>

#include "base/error.h"
#include "batch/batch.h"
#include "format/reject.h"
#include "format/sniff/sniff.h"
#include "shape/key_hash.h"

enum file_format { FORMAT_AUTO, FORMAT_CSV, FORMAT_NDJSON, FORMAT_JSON, FORMAT_PARQUET };
enum convert_compression { COMPRESSION_AUTO, COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_SNAPPY, COMPRESSION_ZSTD };

const char *file_format_name(enum file_format f);
const char *convert_compression_name(enum convert_compression c);

/* A declared column. */
struct user_column {
    struct str name; /* after rename */
    struct data_type type;
    bool not_null;
};

struct rename_pair {
    struct str from, to; /* source name, new name */
};

/* Which rows are new by the value of one column, and up to where that column came (docs/pipelines.md 6). */
struct convert_watermark {
    struct str column;           /* after rename; empty: no watermark */
    struct str last;             /* as text of the column's type; p NULL: there is none, every row counts as new */
    struct data_type last_type;  /* what the column is declared as if it would have to be inferred */
    const struct key_hash *ties; /* row_hash_rows of the rows at `last` that were taken already */
    size_t tie_count;
    const bool *applies; /* parallel to inputs: whose rows are filtered; NULL: of all */
    bool want_ties;      /* the result needs the hashes of the rows at the new value */
};

/* All strings are borrowed for the run. */
struct convert_options {
    /* Typed input instead of files: opened by this, once only. inputs holds one name for it then, which nobody opens.
     * With dedupe_keys the rows are staged in temp_dir and deduplicated from there. NULL: the inputs are files. */
    status (*open_stream)(void *self, struct batch_stream *stream, struct error *err);
    void *stream_self;
    bool keep_duplicates; /* dedupe_keys are held to be not null, and that is all */
    const char *const *inputs;
    size_t input_count;
    const char *const *input_names; /* what messages, {filename} and quarantine call them; NULL: as `inputs` */
    const char *output;             /* file, or directory when it ends in '/' or partitioning asks for one */
    enum file_format from, to;      /* AUTO: from by content, to by the output's extension (else parquet) */
    struct sniff_given dialect;
    const char *encoding;             /* NULL: told from the head */
    const struct user_column *schema; /* NULL: infer */
    size_t schema_count;
    bool schema_open; /* further source columns are inferred and added at the end, instead of dropped */
    bool all_text;
    const struct rename_pair *renames;
    size_t rename_count;
    const struct str *dedupe_keys;
    size_t dedupe_key_count;
    struct str order_by; /* empty: input order */
    const struct str *partition_columns;
    size_t partition_column_count;
    struct str partition_date;   /* pattern; empty: none */
    struct str filename_pattern; /* empty: {timestamp}_{filename} */
    enum convert_compression compression;
    int level;       /* 0: the codec's default */
    bool quarantine; /* error_handling=quarantine, else fail */
    const char *quarantine_dir;
    struct str quarantine_job; /* what "job=" says there; empty: `job` */
    uint64_t max_rejects;      /* UINT64_MAX: any number */
    bool limit_reject_ratio;
    double max_reject_ratio; /* of rows read, 0 to 1; when limit_reject_ratio */
    struct convert_watermark watermark;
    bool split_inputs; /* the output is a directory with files of its own for each input */
    const struct str *null_values;
    size_t null_value_count;
    size_t threads;     /* >= 1 */
    size_t memory;      /* bytes for the whole process */
    size_t max_record;  /* bytes of the longest record */
    uint32_t max_ratio; /* of decompression; 0: no limit */
    bool overwrite, sync, dry_run;
    const char *temp_dir;
    struct str job, run_id;
    int64_t run_micros; /* the run's start, UTC */
    const atomic_bool *cancel;
    struct convert_progress *progress; /* may be NULL */
};

/* Read by another thread while the run goes on. */
struct convert_progress {
    atomic_ullong bytes_read;  /* from disk, of all passes */
    atomic_ullong bytes_total; /* of all passes known so far; 0: unknown */
    atomic_ullong rows;        /* delivered in this pass */
    atomic_int pass;           /* 1, 2, ... */
};

enum convert_stage { STAGE_READ, STAGE_DECODE, STAGE_DEDUPE, STAGE_ENCODE, STAGE_WRITE, STAGE_PUBLISH, STAGE_COUNT };

struct convert_file {
    char *path; /* final path */
    uint64_t rows, bytes;
    size_t input;    /* with split_inputs: whose rows it holds */
    char *partition; /* its folder below the output, "a=1/b=2"; "" when there is none */
};

/* How one input was understood. */
struct convert_input {
    char *path;
    enum file_format format;
    enum sniff_compression compression;
    char encoding[32];
    struct sniff_text text; /* of text formats */
    uint64_t records;
    char **dropped; /* names of source columns that the user schema does not have */
    size_t dropped_count;
};

struct convert_result {
    struct schema schema;
    uint64_t rows_read, rows_written, rows_rejected, rows_deduped, rows_filtered;
    uint64_t bytes_in, bytes_out;
    uint64_t rejects_by_code[REJECT_CODE_COUNT];
    struct reject_list first_rejects; /* the first 100 */
    size_t *reject_inputs;            /* parallel: which input each came from */
    struct convert_input *inputs;
    size_t input_count;
    struct convert_file *files;
    size_t file_count;
    char *watermark; /* highest value of the written rows, as text in full precision; NULL: no row has one */
    struct data_type watermark_type;
    struct key_hash *watermark_ties; /* hashes of the written rows at it, when wanted */
    size_t watermark_tie_count;
    bool watermark_ties_exceeded; /* more than WATERMARK_TIES_MOST: none are kept */
    char *quarantine_path;        /* of the rejects file, if one was written */
    char **warnings;
    size_t warning_count;
    unsigned passes;
    double seconds;
    double stage_seconds[STAGE_COUNT]; /* CPU time, summed over threads */
    uint64_t stage_bytes[STAGE_COUNT];
};

/* What to call an input. */
const char *convert_input_name(const struct convert_options *options, size_t input);

extern const char *const convert_stage_names[STAGE_COUNT];

/* Run it. On failure nothing is published, and *result still tells what was found until then (rejects, counts). */
status convert_run(const struct convert_options *options, struct convert_result *result, struct error *err) MUST_USE;
void convert_result_release(struct convert_result *result);
status convert_result_warn(struct convert_result *result, struct error *err, const char *format, ...)
    PRINTF_LIKE(3, 4) MUST_USE;

#endif
