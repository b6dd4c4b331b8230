/* One pass over all inputs, by all workers. */
#ifndef FF_JOB_CONVERT_PASS_H
#define FF_JOB_CONVERT_PASS_H

#include <pthread.h>

#include "job/column_types.h"
#include "job/input_plan.h"
#include "job/output.h"
#include "job/rejects.h"
#include "shape/dedupe.h"
#include "shape/watermark.h"
#include "source/chunk_reader.h"

enum pass_end {
    PASS_COMPLETE, /* everything is written (or, with dry_run, known) */
    PASS_AGAIN     /* run another one */
};

/* What a pass is for. Widening after rows were written turns WRITE into LOOK, and another WRITE follows. */
enum pass_purpose {
    PASS_COLLECT, /* keys for dedupe */
    PASS_WRITE,
    PASS_LOOK /* only types and bad rows matter */
};

struct conversion_worker {
    struct text_decoder decoder;
    size_t decoder_input;          /* SIZE_MAX: none yet */
    struct decode_target *targets; /* of the version and input at hand */
    size_t target_count;
    struct buf keep; /* rows that dedupe lets stand */
    struct output_worker output;
    double seconds[STAGE_COUNT];
};

/* One chunk on its way. */
struct conversion_slot {
    size_t input;
    size_t number; /* of the chunk, over all inputs of the pass */
    struct chunk_buffer buffer;
    struct text_chunk chunk;
    struct buf piece;   /* of a stream that is read and decoded in two steps */
    struct batch batch; /* when the input is a stream of batches */
    struct decoded decoded;
    const struct type_version *version; /* with which it was decoded */
    struct dedupe_rows keys;
    uint64_t filtered, deduped;
    struct watermark_top top;
    struct output_item item;
    bool encoded;
};

struct conversion {
    const struct convert_options *options;
    struct input_plan *plan;
    const struct output_plan *output_plan;
    struct convert_result *result;
    struct column_types types; /* guarded by types_lock while a pass runs */
    pthread_mutex_t types_lock;
    struct rejects *rejects;
    struct output *output;
    struct dedupe_index *dedupe;
    struct buf chunk_rows; /* uint64 a chunk: rows before it, from the collecting pass */
    int *key_columns;      /* of dedupe, in the schema: columns are only ever appended */
    bool duplicates_known;
    struct watermark_filter *filter; /* NULL: every row is new */
    int watermark_column;            /* in the schema, or -1 */
    struct watermark_top top;        /* of the rows written */
    size_t worker_count, slot_count, chunk_bytes;
    struct conversion_worker *workers;
    struct conversion_slot *slots;
    /* Of the pass under way: */
    enum pass_purpose purpose;          /* guarded by types_lock */
    const struct type_version *written; /* newest version with which rows were delivered */
    size_t input;                       /* being read */
    size_t claimed;                     /* chunks so far */
    struct chunk_reader reader;
    bool reading;
    struct batch_stream stream;    /* Parquet: of all inputs, or of `input` when they are told apart */
    bool stream_opened;            /* the one that can be opened once only */
    struct schema *stream_schemas; /* one an input, which batches under way may still point to */
    uint64_t delivered_rows, record_base, line_base;
    size_t base_input; /* the input that the bases count for */
};

status conversion_init(struct conversion *c, const struct convert_options *options, struct input_plan *plan,
                       const struct output_plan *output_plan, struct convert_result *result,
                       struct error *err) MUST_USE;
/* Steps of a pass's start. */
status conversion_reset_dedupe(struct conversion *c, struct error *err) MUST_USE;
status conversion_open_stream(struct conversion *c, size_t first, size_t count, struct error *err) MUST_USE;
/* Each input of a Parquet conversion is a stream of its own: which input a row is from matters. */
bool conversion_tells_inputs(const struct conversion *c);
status conversion_pass(struct conversion *c, enum pass_end *end, struct error *err) MUST_USE;
/* Columns without any value become string. */
status conversion_final_schema(const struct conversion *c, struct schema *schema, struct error *err) MUST_USE;
void conversion_release(struct conversion *c);

#endif
