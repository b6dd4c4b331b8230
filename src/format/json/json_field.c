#include "format/json/json_field.h"

#include <stdlib.h>

/* Chunks that a column stays in the plain form after its dictionary did not pay. */
#define MEMO_PAUSE 16
/* A dictionary pays if at most one value in so many is new. Numbers are quickly read, strings less so. */
#define SHARE_NUMBERS 8
#define SHARE_STRINGS 3

static bool is_var(const struct json_field *f)
{
    return type_is_var(f->column->type);
}

/* The op for the values that are expected: those of the kind met last. */
static enum json_op choose_op(const struct json_field *f)
{
    const struct decode_target *t = f->target;
    if (t->type.kind == TYPE_NULL)
        return OP_GENERAL;
    if (t->type.kind == TYPE_JSON)
        return OP_JSON;
    if (t->type.kind == TYPE_BOOLEAN)
        return OP_BOOLEAN;
    if (is_var(f) && f->numbers)
        return OP_NUMBER_TEXT;
    if (f->column->is_dict)
        return f->numbers ? OP_NUMBER_CODE : t->type.kind == TYPE_DATE ? OP_DATE_CODE : OP_STRING_CODE;
    if (is_var(f))
        return OP_STRING;
    if (!f->numbers)
        return OP_STRING_CAST;
    return t->type.kind == TYPE_BIGINT ? OP_I64 : t->type.kind == TYPE_DOUBLE ? OP_F64 : OP_NUMBER;
}

static bool usually_numbers(struct data_type type)
{
    switch (type.kind) {
    case TYPE_INTEGER:
    case TYPE_BIGINT:
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
    case TYPE_DECIMAL:
        return true;
    default:
        return false;
    }
}

static bool may_be_dictionary(const struct decode_target *t)
{
    enum value_layout layout = type_layout(t->type);
    return layout != LAYOUT_NONE && layout != LAYOUT_BOOL && t->type.kind != TYPE_JSON;
}

static status begin_days(struct json_field *f, struct error *err)
{
    if (!f->days)
        f->days = malloc(JSON_DAYS * sizeof *f->days);
    if (!f->days)
        return error_no_memory(err, JSON_DAYS * sizeof *f->days);
    memset(f->days, 0, JSON_DAYS * sizeof *f->days);
    return OK;
}

status json_field_begin(struct json_field *f, const struct decode_target *target, struct column *column, bool all_text,
                        struct error *err)
{
    status s = OK;
    if (!type_equal(f->type, target->type)) {
        f->type = target->type;
        f->numbers = usually_numbers(target->type);
        f->memo_wait = 0;
    }
    f->target = target;
    f->column = column;
    f->all_text = all_text;
    f->width = type_width(target->type);
    f->rows = f->null_count = f->capacity = 0;
    if (f->memo_wait)
        f->memo_wait--;
    column->is_dict = may_be_dictionary(target) && f->memo_wait == 0;
    if (column->is_dict)
        s = json_memo_begin(&f->memo, err);
    if (s == OK && column->is_dict && target->type.kind == TYPE_DATE)
        s = begin_days(f, err);
    f->op = choose_op(f);
    return s;
}

void json_field_release(struct json_field *f)
{
    json_memo_release(&f->memo);
    free(f->days);
    *f = (struct json_field){0};
}

static status reserve_validity(struct json_field *f, size_t capacity, struct error *err)
{
    size_t have = f->column->validity.len, wanted = (capacity + 7) / 8;
    if (wanted <= have)
        return OK;
    status s = buf_resize(&f->column->validity, wanted, err);
    if (s == OK)
        memset(f->column->validity.data + have, 0xFF, wanted - have);
    return s;
}

status json_field_reserve(struct json_field *f, size_t capacity, struct error *err)
{
    struct column *c = f->column;
    status s = OK;
    if (c->is_dict) {
        s = buf_resize(&c->codes, capacity * sizeof(uint32_t), err);
        f->indexes = (uint32_t *)c->codes.data;
    } else if (is_var(f)) {
        bool fresh = c->offsets.len == 0;
        s = buf_resize(&c->offsets, (capacity + 1) * sizeof(uint32_t), err);
        f->indexes = (uint32_t *)c->offsets.data;
        if (s == OK && fresh)
            f->indexes[0] = 0;
        f->data = c->data.data;
        f->data_room = c->data.cap;
    } else {
        s = buf_resize(&c->data, capacity * f->width, err);
        f->data = c->data.data;
    }
    if (s == OK && c->validity.len)
        s = reserve_validity(f, capacity, err);
    if (s == OK)
        f->capacity = capacity;
    return s;
}

status json_field_grow_text(struct json_field *f, size_t row, size_t n, struct error *err)
{
    f->column->data.len = f->indexes[row];
    status s = buf_reserve(&f->column->data, n + JSON_FIELD_SLACK, err);
    f->data = f->column->data.data;
    f->data_room = f->column->data.cap;
    return s;
}

/* The lengths that say how much of the column is in use, with `rows` rows. */
static void set_lengths(struct json_field *f, size_t rows)
{
    struct column *c = f->column;
    c->length = rows;
    c->null_count = f->null_count;
    c->validity.len = f->null_count ? (rows + 7) / 8 : 0;
    if (c->is_dict) {
        c->codes.len = rows * sizeof(uint32_t);
    } else if (is_var(f)) {
        c->data.len = rows ? f->indexes[rows] : 0;
        c->offsets.len = (rows + 1) * sizeof(uint32_t);
    } else {
        c->data.len = rows * f->width;
    }
}

/* The dictionary does not pay: go on in the plain form. Rows below `row` are complete. */
static status give_up_dictionary(struct json_field *f, size_t row, struct error *err)
{
    size_t capacity = f->capacity;
    set_lengths(f, row);
    status s = column_flatten(f->column, err);
    json_memo_release(&f->memo);
    free(f->days);
    f->days = NULL;
    f->memo_wait = MEMO_PAUSE;
    if (s == OK)
        s = json_field_reserve(f, capacity, err);
    f->op = choose_op(f);
    return s;
}

status json_field_finish(struct json_field *f, size_t rows, struct error *err)
{
    struct column *c = f->column;
    status s = json_field_fill(f, rows, err);
    if (s != OK)
        return s;
    set_lengths(f, rows);
    if (c->is_dict && rows == 0) {
        const uint32_t zero = 0;
        c->is_dict = false;
        return is_var(f) ? buf_append(&c->offsets, &zero, sizeof zero, err) : OK;
    }
    if (c->is_dict && c->dict_length == 0) /* no value at all: the codes of nulls would name an entry */
        return column_flatten(c, err);
    if (c->is_dict && c->dict_length > 16 && c->dict_length > rows / 2) {
        if (rows >= JSON_MEMO_WINDOW / 2)
            f->memo_wait = MEMO_PAUSE;
        s = column_flatten(c, err);
    }
    return s;
}

status json_field_fill(struct json_field *f, size_t row, struct error *err)
{
    while (f->rows < row) {
        status s = json_field_null(f, f->rows, err);
        if (s != OK)
            return s;
    }
    return OK;
}

status json_field_null(struct json_field *f, size_t row, struct error *err)
{
    struct column *c = f->column;
    if (c->validity.len == 0) {
        status s = reserve_validity(f, f->capacity, err);
        if (s != OK)
            return s;
    }
    c->validity.data[row >> 3] &= (uint8_t) ~(1u << (row & 7));
    f->null_count++;
    f->rows = row + 1;
    if (c->is_dict)
        f->indexes[row] = 0;
    else if (is_var(f))
        f->indexes[row + 1] = f->indexes[row];
    else if (f->width)
        memset(f->data + row * f->width, 0, f->width);
    return OK;
}

void json_field_undo(struct json_field *f, size_t row)
{
    if (f->rows <= row)
        return;
    f->rows = row;
    uint8_t *byte = f->column->validity.len ? f->column->validity.data + (row >> 3) : NULL;
    uint8_t bit = (uint8_t)(1u << (row & 7));
    if (byte && !(*byte & bit)) {
        *byte |= bit;
        f->null_count--;
    }
}

enum infer_class json_value_class(const struct json_value *v)
{
    switch (v->kind) {
    case JSON_NULL:
        return INFER_NULL;
    case JSON_BOOLEAN:
        return INFER_BOOLEAN;
    case JSON_INTEGER:
    case JSON_REAL:
        return infer_text(v->text.p, v->text.n);
    case JSON_STRING:
        return infer_json_string(v->text.p, v->text.n);
    case JSON_NESTED:
        break;
    }
    return INFER_JSON;
}

static bool infers(const struct json_field *f, const struct json_value *v, union value *value, enum infer_class *class_)
{
    const struct decode_target *t = f->target;
    const char *why;
    if (t->class_ == INFER_STRING && (v->kind != JSON_NESTED || f->all_text)) {
        *class_ = INFER_STRING; /* the join is the same whatever the value's own class is */
        return true;
    }
    if (t->class_ == INFER_JSON) {
        *class_ = INFER_JSON;
        return true;
    }
    *class_ = json_value_class(v);
    struct data_type joined = infer_type(infer_join(t->class_, *class_));
    return type_equal(joined, t->type) && cast_text(t->type, v->text.p, v->text.n, value, &why);
}

bool json_field_takes(const struct json_field *f, const struct json_value *v, union value *value,
                      enum infer_class *class_, const char **why)
{
    const struct decode_target *t = f->target;
    if (t->infer)
        return infers(f, v, value, class_);
    *class_ = INFER_NULL; /* nothing is inferred */
    if (t->type.kind == TYPE_JSON)
        return true;
    if (v->kind == JSON_NESTED && !(f->all_text && is_var(f))) {
        *why = v->raw.p[0] == '{' ? "an object" : "an array";
        return false;
    }
    return is_var(f) || cast_text(t->type, v->text.p, v->text.n, value, why);
}

static unsigned memo_tag(const struct json_field *f, const struct json_value *v)
{
    return !is_var(f) && v->kind != JSON_STRING;
}

static bool memo_find(const struct json_field *f, const struct json_value *v, uint32_t *code)
{
    const uint8_t *text = (const uint8_t *)v->text.p;
    return v->text.n <= 16 ? json_memo_find16(&f->memo, text, v->text.n, memo_tag(f, v), code)
                           : json_memo_find_long(&f->memo, text, v->text.n, memo_tag(f, v), code);
}

static void put_code(struct json_field *f, size_t row, const union value *value, uint32_t code)
{
    f->indexes[row] = code;
    if (f->type.kind == TYPE_DATE)
        f->days[(uint32_t)value->i32 % JSON_DAYS] = (struct json_day){value->i32, code + 1};
}

/* A value whose text is new to the memo. */
static status put_new_code(struct json_field *f, size_t row, const struct json_value *v, const union value *value,
                           struct error *err)
{
    bool full;
    uint32_t code;
    status s = json_memo_add(&f->memo, f->column, (const uint8_t *)v->text.p, v->text.n, memo_tag(f, v),
                             is_var(f) ? NULL : value, &code, &full, err);
    if (s != OK)
        return s;
    if (full || !json_memo_pays(&f->memo, row, f->numbers ? SHARE_NUMBERS : SHARE_STRINGS)) {
        s = give_up_dictionary(f, row, err);
        return s == OK ? json_field_put(f, row, v, value, err) : s;
    }
    put_code(f, row, value, code);
    return OK;
}

status json_field_put(struct json_field *f, size_t row, const struct json_value *v, const union value *value,
                      struct error *err)
{
    bool numbers = v->kind != JSON_STRING;
    if (numbers != f->numbers && v->kind != JSON_NESTED) {
        f->numbers = numbers;
        f->op = choose_op(f);
    }
    if (f->column->is_dict) {
        uint32_t code;
        if (!memo_find(f, v, &code))
            return put_new_code(f, row, v, value, err);
        put_code(f, row, value, code);
        return OK;
    }
    if (is_var(f)) {
        struct str text = f->target->type.kind == TYPE_JSON ? v->raw : v->text;
        return json_field_put_text(f, row, (const uint8_t *)text.p, text.n, err);
    }
    memcpy(f->data + row * f->width, value, f->width);
    return OK;
}

status json_field_learn(struct json_field *f, size_t row, const struct json_value *v, bool *taken, struct error *err)
{
    union value value;
    enum infer_class class_;
    const char *why;
    *taken =
        json_field_takes(f, v, &value, &class_, &why) && (class_ != INFER_INT64 || f->target->class_ == INFER_INT64);
    /* The first integer beyond 2^53 has to be put on record, which the general path does. */
    return *taken ? json_field_put(f, row, v, &value, err) : OK;
}
