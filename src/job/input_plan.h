/* What is known about the inputs before the first pass: format, dialect, names, and the first guess at the types from
 * their heads. */
#ifndef FF_JOB_INPUT_PLAN_H
#define FF_JOB_INPUT_PLAN_H

#include "job/column_types.h"
#include "job/convert.h"
#include "source/text_input.h"

/* Bytes of decoded text that are looked at. Names and first guesses come from it; types are never final by it. */
#define HEAD_BYTES (1u << 20)

struct planned_input {
    const char *path;
    const char *name; /* for messages */
    int spool;        /* descriptor of the copy of what can be read only once (standard input, a pipe), -1: none */
    char spool_path[40];
    enum file_format format;
    struct text_input_facts facts;
    struct sniff_text text;
    struct buf head;     /* decoded text from the start */
    bool whole;          /* head is all there is */
    size_t data_start;   /* decoded bytes before the first data record */
    uint64_t data_line;  /* physical lines before it */
    char **names;        /* source columns, cleaned (CSV): unique, never blank */
    char **source_names; /* as they stand in the header; NULL entry: no header */
    size_t name_count;
    int *source_of; /* per output column of the plan: index in names, or -1 */
    size_t source_of_count;
    bool *used; /* per source column: some output column takes it */
};

struct input_plan {
    struct planned_input *inputs;
    size_t count;
    enum file_format format;     /* of all of them */
    struct type_column *columns; /* output columns at the start */
    size_t column_count;
    struct buf names; /* memory of columns' texts that are not the user's or an input's */
};

/* Look at every input and lay out the columns: renames, user schema, dedupe keys, name collisions. */
status input_plan_make(struct input_plan *plan, const struct convert_options *options, struct convert_result *result,
                       struct error *err) MUST_USE;
/* The columns of typed input (Parquet), by its schema. */
status input_plan_from_schema(struct input_plan *plan, const struct schema *schema,
                              const struct convert_options *options, struct convert_result *result,
                              struct error *err) MUST_USE;
/* The output name of a source column. */
struct str input_plan_rename(const struct convert_options *options, struct str source);
/* Standard input and pipes can be read only once, and the plan needs the head: a copy takes their place, in an
 * anonymous file of options->temp_dir. A request to stop ends the waiting for bytes. */
bool input_is_read_once(const char *path);
status planned_input_spool(struct planned_input *input, const struct convert_options *options,
                           struct error *err) MUST_USE;
/* Read its head: format, encoding, dialect, and of csv the names. */
status planned_input_look(struct planned_input *input, const struct convert_options *options,
                          struct error *err) MUST_USE;
/* Heads of very many inputs would not fit into memory: this one keeps what its share is. */
status planned_input_trim(struct planned_input *input, const struct convert_options *options,
                          struct error *err) MUST_USE;
/* The names of JSON: its keys take the place of a header. */
status planned_input_keys(struct planned_input *input, const struct convert_options *options,
                          struct error *err) MUST_USE;
/* Options for its cutter and decoder, made from the plan. */
status planned_input_cutter(const struct planned_input *input, const struct convert_options *options,
                            struct text_cutter *cutter, struct error *err) MUST_USE;
status planned_input_decoder(const struct planned_input *input, const struct convert_options *options,
                             struct text_decoder *decoder, struct error *err) MUST_USE;
/* Decode the head's whole records, widening `types` until they fit. */
status planned_input_decode_head(const struct planned_input *input, const struct convert_options *options,
                                 struct column_types *types, struct decoded *decoded, struct error *err) MUST_USE;
/* Opened at its first data record. */
status planned_input_open(const struct planned_input *input, const struct convert_options *options,
                          atomic_ullong *progress, struct byte_source *source, struct error *err) MUST_USE;
void planned_input_release(struct planned_input *input);
void input_plan_release(struct input_plan *plan);

#endif
