#include "job/input_plan.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/csv/csv_cutter.h"
#include "format/csv/csv_decoder.h"
#include "format/json/json_decoder.h"
#include "job/header.h"
#include "source/chunk_reader.h"
#include "sql/parquet_source.h"
#include "sys/file.h"

static const char *const format_names[] = {
    [FORMAT_AUTO] = "auto", [FORMAT_CSV] = "csv",         [FORMAT_NDJSON] = "ndjson",
    [FORMAT_JSON] = "json", [FORMAT_PARQUET] = "parquet",
};

const char *file_format_name(enum file_format f)
{
    return format_names[f];
}

struct str input_plan_rename(const struct convert_options *options, struct str source)
{
    for (size_t i = 0; i < options->rename_count; i++)
        if (str_equal(options->renames[i].from, source))
            return options->renames[i].to;
    return source;
}

/* ---- looking at one input ---- */

#define HEADS_WHOLE 16         /* so many inputs keep their whole heads */
#define HEAD_LEAST (16u << 10) /* bytes of a head that tell enough */

static const enum file_format format_of_sniff[] = {
    [SNIFF_CSV] = FORMAT_CSV,
    [SNIFF_NDJSON] = FORMAT_NDJSON,
    [SNIFF_JSON_ARRAY] = FORMAT_JSON,
    [SNIFF_PARQUET] = FORMAT_PARQUET,
};

static struct text_input_options input_options(const struct convert_options *options)
{
    return (struct text_input_options){.encoding = options->encoding, .limits = {.max_ratio = options->max_ratio}};
}

/* Heads of very many inputs would not fit into memory: each keeps what its share is. */
static status trim_head(struct planned_input *in, const struct convert_options *options, struct error *err)
{
    size_t share = options->memory / 8 / options->input_count;
    size_t most = share < HEAD_LEAST ? HEAD_LEAST : share;
    if (in->head.len <= most || in->data_start > most / 2)
        return OK;
    struct buf kept = {0};
    status s = buf_append(&kept, in->head.data, most, err);
    if (s != OK)
        return s;
    buf_release(&in->head);
    in->head = kept;
    in->whole = false;
    return OK;
}

static status look_at(struct planned_input *in, const struct convert_options *options, struct error *err)
{
    struct text_input_options how = input_options(options);
    status s = text_input_look(in->path, &how, HEAD_BYTES, &in->facts, &in->head, &in->whole, err);
    if (s != OK)
        return s;
    size_t name = strlen(in->path);
    if (in->whole && in->head.len == 0 && name > 8 && strcasecmp(in->path + name - 8, ".parquet") == 0) {
        error_set(err, ERR_BAD_DATA, "%s is empty, which no Parquet file is", in->name);
        error_hint(err, "fetch it again");
        return ERR_BAD_DATA;
    }
    bool parquet = in->head.len >= 4 && memcmp(in->head.data, "PAR1", 4) == 0;
    if (options->from == FORMAT_PARQUET || (options->from == FORMAT_AUTO && parquet)) {
        in->format = FORMAT_PARQUET;
        return OK;
    }
    s = sniff_text(in->head.data, in->head.len, in->whole, &options->dialect, &in->text, err);
    if (s != OK)
        return s;
    in->format = options->from == FORMAT_AUTO ? format_of_sniff[in->text.format] : options->from;
    if (in->format == FORMAT_JSON && options->from == FORMAT_JSON && in->text.format == SNIFF_NDJSON)
        in->format = FORMAT_NDJSON; /* "json" by name, one record a line by content */
    return in->format == FORMAT_CSV ? header_read(in, err) : OK;
}

#define SPOOL_BYTES (1u << 20)
#define SPOOL_WAIT_MS 100 /* how long a request to stop may go unnoticed while nothing comes */

/* Wait for bytes from a pipe that may stay silent for ever, without being deaf to a request to stop. */
static status wait_for_bytes(int fd, const struct convert_options *options, struct error *err)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    do
        if (options->cancel && atomic_load_explicit(options->cancel, memory_order_relaxed))
            return error_set(err, ERR_CANCELLED, "cancelled");
    while (poll(&p, 1, SPOOL_WAIT_MS) <= 0);
    return OK;
}

static status spool_bytes(int from, int to, const char *name, const struct convert_options *options, struct error *err)
{
    uint8_t *bytes = malloc(SPOOL_BYTES);
    status s = bytes ? OK : error_no_memory(err, SPOOL_BYTES);
    while (s == OK) {
        s = wait_for_bytes(from, options, err);
        if (s != OK)
            break;
        ssize_t n = read(from, bytes, SPOOL_BYTES);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n < 0)
            s = error_set_errno(err, errno, "cannot read %s", name);
        if (n <= 0)
            break;
        s = file_write_all(to, bytes, (size_t)n, options->temp_dir, err);
        if (s != OK)
            error_prefix(err, "cannot keep a copy of %s in --temp-dir", name);
    }
    free(bytes);
    return s;
}

/* Standard input and pipes can be read only once, and the plan needs the head: keep a copy. */
static status spool(struct planned_input *in, const struct convert_options *options, struct error *err)
{
    bool standard = strcmp(in->path, "-") == 0;
    int from = standard ? STDIN_FILENO : file_open(in->path, O_RDONLY | O_NONBLOCK, 0);
    if (from < 0)
        return error_set_errno(err, errno, "cannot open %s", in->path);
    status s = file_open_anonymous(options->temp_dir, &in->spool, err);
    if (s == OK)
        s = spool_bytes(from, in->spool, standard ? "standard input" : in->path, options, err);
    if (!standard)
        file_close(from);
    if (s == OK) {
        snprintf(in->spool_path, sizeof in->spool_path, "/proc/self/fd/%d", in->spool);
        in->path = in->spool_path;
    }
    return s;
}

static bool is_read_once(const char *path)
{
    struct stat st;
    return strcmp(path, "-") == 0 || (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode));
}

/* ---- columns ---- */

static status add_column(struct input_plan *plan, const struct type_column *column, struct error *err)
{
    if ((plan->column_count & (plan->column_count - 1)) == 0) { /* grow at each power of two */
        size_t room = plan->column_count ? plan->column_count * 2 : 1;
        struct type_column *columns = realloc(plan->columns, room * sizeof *columns);
        if (!columns)
            return error_no_memory(err, room * sizeof *columns);
        plan->columns = columns;
    }
    plan->columns[plan->column_count++] = *column;
    return OK;
}

/* Names are looked up by the thousand for wide files, so by hash. */
struct name_index {
    uint32_t *slots; /* column + 1; 0: free */
    size_t mask;
};

static uint64_t folded_hash(struct str name)
{
    uint64_t h = 1469598103934665603u;
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];
        h = (h ^ (c >= 'A' && c <= 'Z' ? c + 32u : c)) * 1099511628211u;
    }
    return h ^ h >> 29;
}

static status name_index_build(struct name_index *index, const struct input_plan *plan, size_t room, struct error *err)
{
    size_t count = 64;
    while (count < 2 * room)
        count *= 2;
    free(index->slots);
    index->slots = calloc(count, sizeof *index->slots);
    index->mask = count - 1;
    if (!index->slots)
        return error_no_memory(err, count * sizeof *index->slots);
    for (size_t i = 0; i < plan->column_count; i++) {
        size_t at = folded_hash(plan->columns[i].name) & index->mask;
        while (index->slots[at])
            at = (at + 1) & index->mask;
        index->slots[at] = (uint32_t)i + 1;
    }
    return OK;
}

static int name_index_find(const struct name_index *index, const struct input_plan *plan, struct str name)
{
    for (size_t at = folded_hash(name) & index->mask; index->slots[at]; at = (at + 1) & index->mask)
        if (str_equal_nocase(plan->columns[index->slots[at] - 1].name, name))
            return (int)index->slots[at] - 1;
    return -1;
}

static status name_collision(const struct planned_input *in, struct str a, struct str b, struct str name,
                             struct error *err)
{
    status s = error_set(err, ERR_INVALID, "%s: columns '%.*s' and '%.*s' would both be named '%.*s'", in->name,
                         (int)a.n, a.p, (int)b.n, b.p, (int)name.n, name.p);
    error_hint(err, "give one of them another name with --rename source=name (names differ by more than case)");
    return s;
}

/* Output names of one input's source columns, and that no two are the same. */
static status map_input(struct input_plan *plan, struct planned_input *in, const struct convert_options *options,
                        struct name_index *index, struct error *err)
{
    size_t room = plan->column_count + in->name_count;
    status s = name_index_build(index, plan, room, err);
    if (s != OK)
        return s;
    int *column_source = malloc((room + 1) * sizeof *column_source);
    if (!column_source)
        return error_no_memory(err, room * sizeof *column_source);
    for (size_t i = 0; i < room; i++)
        column_source[i] = -1;
    in->used = calloc(in->name_count ? in->name_count : 1, sizeof *in->used);
    if (!in->used)
        s = error_no_memory(err, in->name_count);
    for (size_t i = 0; s == OK && i < in->name_count; i++) {
        struct str source = str_of(in->source_names[i] ? in->source_names[i] : in->names[i]);
        struct str name = input_plan_rename(options, source);
        if (name.p == source.p)
            name = input_plan_rename(options, str_of(in->names[i]));
        int at = name_index_find(index, plan, name);
        if (at >= 0 && column_source[at] >= 0) {
            int other = column_source[at];
            s = name_collision(in, str_of(in->names[other]), str_of(in->names[i]), name, err);
        } else if (at < 0 && (!options->schema || options->schema_open)) {
            at = (int)plan->column_count;
            struct type_column column = {.name = name, .source = source, .infer = !options->all_text};
            column.type.kind = options->all_text ? TYPE_STRING : TYPE_NULL;
            s = add_column(plan, &column, err);
            size_t slot = folded_hash(name) & index->mask;
            while (index->slots[slot])
                slot = (slot + 1) & index->mask;
            index->slots[slot] = (uint32_t)at + 1;
        }
        if (s == OK && at >= 0) {
            column_source[at] = (int)i;
            in->used[i] = true;
        }
    }
    in->source_of = column_source;
    in->source_of_count = room;
    return s;
}

/* JSON keys take the place of a header. */
static status discover_keys(struct planned_input *in, const struct convert_options *options, struct error *err)
{
    struct json_options how = {.array = in->format == FORMAT_JSON,
                               .all_text = options->all_text,
                               .null_values = options->null_values,
                               .null_value_count = options->null_value_count,
                               .max_record_bytes = options->max_record};
    struct buf keys = {0};
    enum infer_class *classes = NULL;
    size_t count = 0;
    status s = json_discover(in->head.data, in->head.len, in->whole, &how, &keys, &classes, &count, err);
    if (s == OK) {
        in->names = calloc(count + 1, sizeof *in->names);
        in->source_names = calloc(count + 1, sizeof *in->source_names);
        if (!in->names || !in->source_names)
            s = error_no_memory(err, count * sizeof *in->names);
    }
    const uint8_t *at = keys.data;
    for (size_t i = 0; s == OK && i < count; i++) {
        uint32_t n;
        memcpy(&n, at, sizeof n);
        char *copy = malloc((size_t)n + 1);
        if (!copy) {
            s = error_no_memory(err, n);
            break;
        }
        memcpy(copy, at + sizeof n, n);
        copy[n] = '\0';
        at += sizeof n + n;
        in->names[i] = copy;
        in->name_count = i + 1;
    }
    free(classes);
    buf_release(&keys);
    return s;
}

/* A copy of the head's whole records, padded, as one chunk; chunk->len 0: there is none. */
static status cut_head(const struct planned_input *in, const struct convert_options *options, struct buf *text,
                       struct text_chunk *chunk, struct error *err)
{
    struct text_cutter cutter = {0};
    size_t n = in->head.len - in->data_start, cut = 0;
    *chunk = (struct text_chunk){.last = in->whole};
    if (n == 0)
        return OK;
    status s = buf_resize(text, n + 2 * TEXT_PAD, err);
    if (s == OK)
        s = planned_input_cutter(in, options, &cutter, err);
    if (s == OK) {
        memset(text->data, 0, text->len);
        chunk->data = text->data + TEXT_PAD;
        memcpy(chunk->data, in->head.data + in->data_start, n);
        s = cutter.ops->cut(cutter.self, chunk->data, n, 0, in->whole, &cut, chunk, err);
    }
    text_cutter_free(&cutter);
    if (s != OK)
        return s;
    chunk->len = cut;
    chunk->last = in->whole && cut == n;
    if (chunk->last && chunk->data[cut - 1] != '\r') /* a CR must stay alone: CR LF would be one line end */
        chunk->data[cut] = '\n';
    return OK;
}

status planned_input_decode_head(const struct planned_input *in, const struct convert_options *options,
                                 struct column_types *types, struct decoded *decoded, struct error *err)
{
    struct text_decoder decoder = {0};
    struct buf text = {0};
    struct text_chunk chunk;
    struct decode_target *targets = NULL;
    bool changed = true;
    status s = cut_head(in, options, &text, &chunk, err);
    if (s == OK)
        s = planned_input_decoder(in, options, &decoder, err);
    while (s == OK && changed) {
        const struct type_version *v = types->newest;
        size_t count = v->schema.count;
        free(targets);
        targets = malloc((count ? count : 1) * sizeof *targets);
        if (!targets) {
            s = error_no_memory(err, count * sizeof *targets);
            break;
        }
        if (count)
            memcpy(targets, v->targets, count * sizeof *targets);
        for (size_t i = 0; i < count && in->format == FORMAT_CSV; i++)
            targets[i].source_index = i < in->source_of_count ? in->source_of[i] : -1;
        if (chunk.len == 0) {
            s = decoded_reset(decoded, &v->schema, count, err);
            break;
        }
        s = decoder.ops->decode(decoder.self, &chunk, targets, &v->schema, decoded, err);
        bool widened = decoded->widened;
        if (s == OK)
            s = column_types_join(types, v, decoded->observed, NULL, 0, &changed, err);
        changed &= widened;
    }
    free(targets);
    text_decoder_free(&decoder);
    buf_release(&text);
    return s;
}

/* What the head's records show is the first guess at the types. */
static status guess_from_head(struct input_plan *plan, struct planned_input *in, const struct convert_options *options,
                              struct error *err)
{
    struct column_types types = {0};
    struct decoded decoded = {0};
    status s = column_types_init(&types, plan->columns, plan->column_count, err);
    if (s == OK)
        s = planned_input_decode_head(in, options, &types, &decoded, err);
    for (size_t i = 0; s == OK && i < plan->column_count; i++)
        if (plan->columns[i].infer)
            plan->columns[i].class_ = types.newest->targets[i].class_;
    decoded_release(&decoded);
    column_types_release(&types);
    return s == ERR_BAD_DATA ? OK : s; /* the first pass meets it again and tells where it is */
}

/* ---- the whole plan ---- */

static status apply_user_schema(struct input_plan *plan, const struct convert_options *options, struct error *err)
{
    status s = OK;
    for (size_t i = 0; s == OK && i < options->schema_count; i++) {
        const struct user_column *c = &options->schema[i];
        struct type_column column = {.name = c->name, .source = c->name, .type = c->type, .not_null = c->not_null};
        column.on_null = c->not_null ? REJECT_NULL_VALUE : REJECT_NONE;
        for (size_t r = 0; r < options->rename_count; r++)
            if (str_equal(options->renames[r].to, c->name))
                column.source = options->renames[r].from;
        s = add_column(plan, &column, err);
    }
    return s;
}

static status unknown_column(const struct input_plan *plan, struct str name, const char *option, struct error *err)
{
    char known[320];
    size_t used = 0;
    for (size_t i = 0; i < plan->column_count && used < sizeof known - 64; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%.*s", i ? ", " : "",
                                 (int)(plan->columns[i].name.n < 60 ? plan->columns[i].name.n : 60),
                                 plan->columns[i].name.p);
    status s = error_set(err, ERR_INVALID, "%s: there is no column '%.*s'", option, (int)name.n, name.p);
    error_hint(err, "columns (after --rename): %s", plan->column_count ? known : "none");
    return s;
}

static int find_column(const struct input_plan *plan, struct str name)
{
    for (size_t i = 0; i < plan->column_count; i++)
        if (str_equal(plan->columns[i].name, name))
            return (int)i;
    for (size_t i = 0; i < plan->column_count; i++)
        if (str_equal_nocase(plan->columns[i].name, name))
            return (int)i;
    return -1;
}

/* Columns that options name must exist; keys must not be null. */
static status check_named_columns(struct input_plan *plan, const struct convert_options *options, struct error *err)
{
    for (size_t i = 0; i < options->dedupe_key_count; i++) {
        int at = find_column(plan, options->dedupe_keys[i]);
        if (at < 0)
            return unknown_column(plan, options->dedupe_keys[i], "--dedupe", err);
        plan->columns[at].on_null = REJECT_NULL_KEY;
    }
    if (options->watermark.column.n) {
        int at = find_column(plan, options->watermark.column);
        if (at < 0)
            return unknown_column(plan, options->watermark.column, "watermark_column", err);
        struct type_column *column = &plan->columns[at];
        if (!column->on_null)
            column->on_null = REJECT_NULL_WATERMARK;
        if (column->infer && options->watermark.last.p) { /* values compare with the last one in its type only */
            column->infer = false;
            column->type = options->watermark.last_type;
        }
    }
    if (options->order_by.n && find_column(plan, options->order_by) < 0)
        return unknown_column(plan, options->order_by, "--order-by", err);
    for (size_t i = 0; i < options->partition_column_count; i++)
        if (find_column(plan, options->partition_columns[i]) < 0)
            return unknown_column(plan, options->partition_columns[i], "--partition-by", err);
    return OK;
}

static status warn_missing(const struct input_plan *plan, const struct convert_options *options,
                           struct convert_result *result, struct error *err)
{
    status s = OK;
    for (size_t c = 0; s == OK && options->schema && c < plan->column_count; c++)
        for (size_t i = 0; s == OK && i < plan->count; i++) {
            const struct planned_input *in = &plan->inputs[i];
            if (in->source_of[c] >= 0 || in->format != FORMAT_CSV)
                continue;
            struct str name = plan->columns[c].name;
            if (plan->columns[c].not_null) {
                s = error_set(err, ERR_INVALID, "%s has no column '%.*s', which the schema declares not nullable",
                              in->name, (int)name.n, name.p);
                error_hint(err, "use --rename if it has another name in the source, or make it nullable");
            } else {
                s = convert_result_warn(result, err, "%s has no column '%.*s': it is null in every row", in->name,
                                        (int)name.n, name.p);
            }
        }
    return s;
}

/* What a guess left out of the data is never left out silently. */
static status warn_guesses(const struct input_plan *plan, const struct convert_options *options,
                           struct convert_result *result, struct error *err)
{
    status s = OK;
    for (size_t i = 0; s == OK && i < plan->count; i++) {
        const struct planned_input *in = &plan->inputs[i];
        const struct csv_dialect *d = &in->text.dialect;
        if (in->format != FORMAT_CSV)
            continue;
        if (options->dialect.skip_lines < 0 && d->skip_lines > 0)
            s = convert_result_warn(
                result, err,
                "%s: the first %llu lines look like no records and were skipped (--skip-lines 0 reads "
                "them, --skip-lines %llu is the same without this warning)",
                in->name, (unsigned long long)d->skip_lines, (unsigned long long)d->skip_lines);
        if (s == OK && options->dialect.header < 0 && d->header && d->header_lines > 1)
            s = convert_result_warn(
                result, err,
                "%s: the first %u records look like one header and were joined to the names (--header: "
                "only the first is)",
                in->name, d->header_lines);
    }
    return s;
}

static status plan_text(struct input_plan *plan, const struct convert_options *options, struct convert_result *result,
                        struct error *err)
{
    struct name_index index = {0};
    status s = options->schema ? apply_user_schema(plan, options, err) : OK;
    for (size_t i = 0; s == OK && i < plan->count; i++) {
        struct planned_input *in = &plan->inputs[i];
        if (in->format != FORMAT_CSV) {
            s = discover_keys(in, options, err);
            for (size_t k = 0; s == OK && k < in->name_count; k++) {
                in->source_names[k] = strdup(in->names[k]);
                if (!in->source_names[k])
                    s = error_no_memory(err, strlen(in->names[k]));
            }
        }
        if (s == OK)
            s = map_input(plan, in, options, &index, err);
    }
    free(index.slots);
    if (s == OK)
        s = check_named_columns(plan, options, err);
    if (s == OK)
        s = warn_missing(plan, options, result, err);
    if (s == OK)
        s = warn_guesses(plan, options, result, err);
    for (size_t i = 0; s == OK && i < plan->count && (!options->schema || options->schema_open) && !options->all_text;
         i++)
        s = guess_from_head(plan, &plan->inputs[i], options, err);
    return s;
}

static bool is_taken(const struct input_plan *plan, size_t declared, struct str source)
{
    for (size_t i = 0; i < declared; i++)
        if (str_equal_nocase(plan->columns[i].source, source))
            return true;
    return false;
}

/* The columns of typed input that none of the declared ones takes. */
static status add_stream_columns(struct input_plan *plan, const struct schema *schema,
                                 const struct convert_options *options, struct error *err)
{
    size_t declared = plan->column_count;
    status s = OK;
    for (size_t i = 0; s == OK && i < schema->count; i++) {
        struct str source = str_of(schema->fields[i].name);
        struct type_column column = {
            .name = input_plan_rename(options, source), .source = source, .type = schema->fields[i].type};
        if (is_taken(plan, declared, source))
            continue;
        if (options->all_text)
            column.type = (struct data_type){.kind = TYPE_STRING};
        int clash = find_column(plan, column.name);
        s = clash >= 0 ? name_collision(&plan->inputs[0], plan->columns[clash].source, source, column.name, err)
                       : add_column(plan, &column, err);
    }
    return s;
}

status input_plan_from_schema(struct input_plan *plan, const struct schema *schema,
                              const struct convert_options *options, struct convert_result *result, struct error *err)
{
    if (options->schema) {
        status s = apply_user_schema(plan, options, err);
        for (size_t i = 0; s == OK && i < plan->column_count; i++) {
            struct str name = plan->columns[i].name;
            if (schema_find(schema, plan->columns[i].source) >= 0)
                continue;
            if (plan->columns[i].not_null) {
                s = error_set(err, ERR_INVALID,
                              "the input has no column '%.*s', which the schema declares not nullable", (int)name.n,
                              name.p);
                error_hint(err, "use --rename if it has another name in the source, or make it nullable");
            } else {
                s = convert_result_warn(result, err, "the input has no column '%.*s': it is null in every row",
                                        (int)name.n, name.p);
            }
        }
        if (s == OK && options->schema_open)
            s = add_stream_columns(plan, schema, options, err);
        return s == OK ? check_named_columns(plan, options, err) : s;
    }
    status s = add_stream_columns(plan, schema, options, err);
    return s == OK ? check_named_columns(plan, options, err) : s;
}

status input_plan_make(struct input_plan *plan, const struct convert_options *options, struct convert_result *result,
                       struct error *err)
{
    bool named_standard_input = false;
    *plan = (struct input_plan){0};
    plan->inputs = calloc(options->input_count, sizeof *plan->inputs);
    if (!plan->inputs)
        return error_no_memory(err, options->input_count * sizeof *plan->inputs);
    plan->count = options->input_count;
    for (size_t i = 0; i < plan->count; i++)
        plan->inputs[i].spool = -1;
    if (options->open_stream) {
        plan->inputs[0].path = plan->inputs[0].name = convert_input_name(options, 0);
        plan->inputs[0].facts.size = UINT64_MAX;
        plan->format = plan->inputs[0].format = FORMAT_PARQUET;
        return OK;
    }
    for (size_t i = 0; i < plan->count; i++) {
        struct planned_input *in = &plan->inputs[i];
        in->path = options->inputs[i];
        in->name = convert_input_name(options, i);
        bool standard = strcmp(in->path, "-") == 0;
        if (standard && named_standard_input)
            return error_set(err, ERR_USAGE, "standard input (-) can be named only once");
        named_standard_input |= standard;
        status s = is_read_once(in->path) ? spool(in, options, err) : OK;
        if (s == OK)
            s = look_at(in, options, err);
        if (s == OK && plan->count > HEADS_WHOLE)
            s = trim_head(in, options, err);
        if (s != OK)
            return s;
        if (i > 0 && in->format != plan->format) {
            s = error_set(err, ERR_INVALID, "%s is %s but %s is %s: the inputs of one conversion have one format",
                          plan->inputs[0].name, file_format_name(plan->format), in->name, file_format_name(in->format));
            error_hint(err, "convert them one by one, or say --from csv|ndjson|json|parquet if one was misread");
            return s;
        }
        plan->format = in->format;
    }
    return plan->format == FORMAT_PARQUET ? OK : plan_text(plan, options, result, err);
}

status planned_input_cutter(const struct planned_input *in, const struct convert_options *options,
                            struct text_cutter *cutter, struct error *err)
{
    if (in->format == FORMAT_CSV) {
        struct csv_cutter_options how = {in->text.dialect, in->name_count == 1, options->max_record};
        return csv_cutter_create(cutter, &how, err);
    }
    struct json_options how = {.array = in->format == FORMAT_JSON, .max_record_bytes = options->max_record};
    return json_cutter_create(cutter, &how, err);
}

status planned_input_decoder(const struct planned_input *in, const struct convert_options *options,
                             struct text_decoder *decoder, struct error *err)
{
    if (in->format == FORMAT_CSV) {
        struct csv_decoder_options how = {
            .dialect = in->text.dialect,
            .source_columns = in->name_count,
            .null_values = options->null_values,
            .null_value_count = options->null_value_count,
            .max_record_bytes = options->max_record,
        };
        return csv_decoder_create(decoder, &how, err);
    }
    struct json_options how = {
        .array = in->format == FORMAT_JSON,
        .all_text = options->all_text,
        .null_values = options->null_values,
        .null_value_count = options->null_value_count,
        .max_record_bytes = options->max_record,
    };
    return json_decoder_create(decoder, &how, err);
}

status planned_input_open(const struct planned_input *in, const struct convert_options *options,
                          atomic_ullong *progress, struct byte_source *source, struct error *err)
{
    struct text_input_options how = input_options(options);
    status s = text_input_open(in->path, &how, &in->facts, progress, source, err);
    uint8_t *bytes = s == OK ? malloc(65536) : NULL;
    if (s == OK && !bytes)
        s = error_no_memory(err, 65536);
    for (size_t left = in->data_start; s == OK && left > 0;) {
        size_t got;
        s = byte_source_read(source, bytes, left < 65536 ? left : 65536, &got, err);
        if (s == OK && got == 0) {
            s = error_set(err, ERR_CHANGED, "%s became shorter while it was read", in->name);
            error_hint(err, "run again when nothing writes to it any more");
        }
        left -= s == OK ? got : 0;
    }
    free(bytes);
    if (s != OK)
        byte_source_close(source);
    return s;
}

void input_plan_release(struct input_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        struct planned_input *in = &plan->inputs[i];
        for (size_t k = 0; k < in->name_count; k++) {
            if (in->names)
                free(in->names[k]);
            if (in->source_names)
                free(in->source_names[k]);
        }
        free(in->names);
        free(in->source_names);
        free(in->source_of);
        free(in->used);
        buf_release(&in->head);
        if (in->spool >= 0)
            file_close(in->spool);
    }
    free(plan->inputs);
    free(plan->columns);
    buf_release(&plan->names);
    *plan = (struct input_plan){0};
}
