#include "format/sniff/header.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#define PROFILE_ROWS 200
#define REPEAT_ROWS 60 /* rows searched for a header's cell among the values */

/* What headers of any language say; compared without case, as a whole cell or as a word of it. */
static const char *const header_words[] = {
    "id",       "name",     "date",        "time",     "type",        "code",      "city",      "country",
    "state",    "value",    "amount",      "price",    "total",       "count",     "number",    "no",
    "nr",       "year",     "month",       "day",      "email",       "phone",     "address",   "zip",
    "status",   "category", "description", "comment",  "comments",    "note",      "notes",     "title",
    "first",    "last",     "gender",      "age",      "sex",         "region",    "product",   "customer",
    "order",    "quantity", "qty",         "unit",     "units",       "currency",  "url",       "user",
    "created",  "updated",  "timestamp",   "latitude", "longitude",   "lat",       "lon",       "lng",
    "key",      "label",    "group",       "class",    "department",  "company",   "firstname", "lastname",
    "surname",  "postcode", "language",    "model",    "brand",       "color",     "colour",    "size",
    "weight",   "height",   "rate",        "score",    "rank",        "index",     "percent",   "text",
    "message",  "event",    "source",      "target",   "from",        "to",        "start",     "end",
    "level",    "datum",    "nom",         "prenom",   "prénom",      "ville",     "pays",      "prix",
    "quantité", "montant",  "libellé",     "adresse",  "téléphone",   "vorname",   "nachname",  "ort",
    "stadt",    "land",     "preis",       "menge",    "betrag",      "straße",    "plz",       "artikel",
    "kunde",    "nummer",   "bezeichnung", "fecha",    "nombre",      "apellido",  "ciudad",    "país",
    "precio",   "cantidad", "importe",     "código",   "descripción", "dirección", "imię",      "nazwisko",
    "miasto",   "nazwa",    "cena",        "ilość",    "data",        "jméno",     "město",     "cognome",
    "nome",     "città",    "prezzo",      "quantità", "cidade",      "preço",     "имя",       "город",
    "дата",     "цена",     "фамилия",     "название", "адрес",       "名前",      "氏名",      "都市",
    "日付",     "価格",     "住所",        "商品",     "金額",        "数量",      "姓名",      "城市",
    "日期",     "价格",     "备注",        "備考",     "名称",        "地址",      "电话",      "naam",
    "stad",     "ville",    "remarque",
};

static enum look kind_of(enum look look)
{
    if (look_is_number(look))
        return LOOK_DECIMAL;
    if (look == LOOK_WORD || look == LOOK_CODE || look == LOOK_LIST || look == LOOK_ODD)
        return LOOK_TEXT;
    return look;
}

static const struct sniff_cell *cell_of(const struct sniff_table *t, size_t row, uint32_t column)
{
    return column < t->rows[row].fields ? &t->cells[t->rows[row].first_cell + column] : NULL;
}

static struct str trimmed(const char *text, const struct sniff_cell *cell)
{
    struct str s = {text + cell->at, cell->length};
    while (s.n && (*s.p == ' ' || *s.p == '\t'))
        s.p++, s.n--;
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

static bool has_digit(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (isdigit((unsigned char)s.p[i]))
            return true;
    return false;
}

static bool starts_with_capital(struct str s)
{
    return s.n && isupper((unsigned char)s.p[0]);
}

static void learn_column(const char *text, const struct sniff_table *t, const struct sniff_body *b, size_t first_row,
                         uint32_t column, struct column_profile *p)
{
    uint32_t kinds[LOOK_COUNT] = {0};
    double sum = 0, squares = 0, digits = 0, capitals = 0, blanks = 0;
    *p = (struct column_profile){.kind = LOOK_EMPTY};
    size_t rows = 0;
    for (size_t i = first_row; i <= b->last && rows < PROFILE_ROWS; i++) {
        if (t->rows[i].kind != ROW_RECORD || t->rows[i].fields != b->width)
            continue;
        rows++;
        struct str s = trimmed(text, cell_of(t, i, column));
        enum look look = look_of(s.p, s.n);
        if (look == LOOK_EMPTY || look == LOOK_MISSING)
            continue;
        p->filled++;
        kinds[kind_of(look)]++;
        sum += (double)s.n;
        squares += (double)s.n * (double)s.n;
        digits += has_digit(s);
        capitals += starts_with_capital(s);
        blanks += memchr(s.p, ' ', s.n) != NULL;
    }
    if (p->filled == 0)
        return;
    double n = p->filled;
    for (int k = 0; k < LOOK_COUNT; k++)
        if (kinds[k] > kinds[p->kind])
            p->kind = (enum look)k;
    p->kind_share = kinds[p->kind] / n;
    p->length_mean = sum / n;
    p->length_spread = sqrt(fmax(0, squares / n - p->length_mean * p->length_mean));
    p->digit_share = digits / n;
    p->capital_share = capitals / n;
    p->blank_share = blanks / n;
}

void column_profiles_learn(const char *text, const struct sniff_table *t, const struct sniff_body *b, size_t first_row,
                           struct column_profiles *profiles)
{
    profiles->count = b->width < HEADER_COLUMNS ? b->width : HEADER_COLUMNS;
    profiles->rows = 0;
    for (size_t i = first_row; i <= b->last && profiles->rows < PROFILE_ROWS; i++)
        profiles->rows += t->rows[i].kind == ROW_RECORD && t->rows[i].fields == b->width;
    for (uint32_t c = 0; c < profiles->count; c++)
        learn_column(text, t, b, first_row, c, &profiles->columns[c]);
}

static bool is_header_word(struct str s)
{
    for (size_t i = 0; i < ARRAY_LENGTH(header_words); i++)
        if (s.n && ((s.p[0] ^ header_words[i][0]) & 0xdf) == 0 && s.n == strlen(header_words[i]) &&
            strncasecmp(s.p, header_words[i], s.n) == 0)
            return true;
    return false;
}

/* 1: the cell is a usual name; 0.6: one of its words is, or it is written as programs write names. */
static double name_likeness(struct str s)
{
    if (is_header_word(s))
        return 1;
    size_t start = 0;
    bool underscore = false, inner_capital = false, odd = false;
    for (size_t i = 0; i <= s.n; i++) {
        bool part = i < s.n && (isalnum((unsigned char)s.p[i]) || (uint8_t)s.p[i] >= 0x80);
        if (i < s.n) {
            underscore |= s.p[i] == '_';
            inner_capital |= i > 0 && isupper((unsigned char)s.p[i]) && islower((unsigned char)s.p[i - 1]);
            odd |= !part && strchr("_ -./()#%", s.p[i]) == NULL;
        }
        bool camel = inner_capital && i > start && i < s.n && isupper((unsigned char)s.p[i]) &&
                     islower((unsigned char)s.p[i - 1]);
        if (part && !camel)
            continue;
        if (i > start && is_header_word((struct str){s.p + start, i - start}))
            return 0.6;
        start = camel ? i : i + 1;
    }
    return !odd && (underscore || inner_capital) && !memchr(s.p, ' ', s.n) ? 0.6 : 0;
}

static bool repeats_below(const char *text, const struct sniff_table *t, const struct sniff_body *b, size_t row,
                          uint32_t column, struct str s)
{
    for (size_t i = row + 1, seen = 0; i <= b->last && seen < REPEAT_ROWS; i++) {
        if (t->rows[i].kind != ROW_RECORD || t->rows[i].fields != b->width)
            continue;
        seen++;
        if (str_equal(trimmed(text, cell_of(t, i, column)), s))
            return true;
    }
    return false;
}

/* A text cell over a text column. */
static double text_evidence(struct str s, const struct column_profile *p)
{
    double e = 0.9 * name_likeness(s);
    double length = (double)s.n;
    if (p->filled >= 4 && p->length_spread < 0.8)
        e += fabs(length - p->length_mean) > 1.5 ? 0.6 : -0.3;
    else if (p->length_mean > 25 && length < p->length_mean / 2)
        e += 0.3;
    if (p->digit_share > 0.8)
        e += has_digit(s) ? -0.3 : 0.7;
    else if (p->digit_share < 0.05 && has_digit(s))
        e -= 0.1;
    if (p->capital_share > 0.8 && !starts_with_capital(s) && islower((unsigned char)s.p[0]))
        e += 0.7;
    else if (p->capital_share < 0.1 && starts_with_capital(s))
        e += 0.4;
    if (p->blank_share > 0.7)
        e += memchr(s.p, ' ', s.n) ? -0.2 : 0.2;
    if (s.n > 60)
        e -= 0.6;
    return e;
}

/* 0 or more: how far the row's numbers are names, such as years or months in a row. */
static double running_numbers(const char *text, const struct sniff_table *t, size_t row, uint32_t width)
{
    long before = 0;
    unsigned run = 0, longest = 0, years = 0;
    for (uint32_t c = 0; c < width; c++) {
        const struct sniff_cell *cell = cell_of(t, row, c);
        struct str s = cell ? trimmed(text, cell) : (struct str){0};
        long value = 0;
        bool number = s.n > 0 && s.n <= 4;
        for (size_t i = 0; i < s.n && number; i++) {
            number = isdigit((unsigned char)s.p[i]);
            value = value * 10 + (s.p[i] - '0');
        }
        bool year = number && value >= 1800 && value <= 2100;
        run = number && run && (value == before + 1 || value == before - 1 || (year && value == before + 5)) ? run + 1
              : number                                                                                       ? 1
                                                                                                             : 0;
        years += year;
        before = value;
        if (run > longest && (year || value + 1 - (long)run <= 1))
            longest = run;
    }
    if (years >= 2 && longest >= 2)
        return 1;
    /* 1, 2, 3 (months, weeks) may be values, too: as names they have a title in front. */
    const struct sniff_cell *title = cell_of(t, row, 0);
    bool titled = title && !look_is_typed(look_of(text + title->at, title->length));
    return longest >= 3 && titled ? 0.8 : 0;
}

struct header_evidence header_evidence(const char *text, const struct sniff_table *t, const struct sniff_body *b,
                                       size_t row, const struct column_profiles *profiles)
{
    double sum = 0, weights = 0;
    uint32_t typed = 0, violated = 0, names = 0, with_values = 0, vacant = 0;
    double running = running_numbers(text, t, row, t->rows[row].fields);
    for (uint32_t c = 0; c < profiles->count; c++) {
        const struct column_profile *p = &profiles->columns[c];
        const struct sniff_cell *cell = cell_of(t, row, c);
        struct str s = cell ? trimmed(text, cell) : (struct str){0};
        enum look look = look_of(s.p, s.n);
        bool column_typed = look_is_typed(p->kind) && p->kind_share >= 0.7;
        double e = 0;
        weights += 1;
        typed += column_typed;
        with_values += p->filled > 0;
        if (look == LOOK_EMPTY) {
            vacant += p->filled > 0;
            e = p->filled ? -0.25 : 0;
        } else if (column_typed && kind_of(look) == p->kind) {
            e = running > 0 && look == LOOK_INTEGER ? 1.2 * running : -1.5;
            violated += running > 0;
        } else if (column_typed && (look_is_typed(look) || look == LOOK_MISSING)) {
            e = look == LOOK_MISSING ? -0.4 : running > 0 ? 0.8 : -0.3;
            violated += look != LOOK_MISSING;
        } else if (column_typed) {
            e = 1.5 * p->kind_share;
            weights += 0.5;
            violated++;
            names++;
        } else if (look_is_typed(look) && (p->filled || look != LOOK_BOOLEAN)) {
            e = running > 0 ? 0.5 : -0.6;
        } else {
            e = p->filled ? text_evidence(s, p) : 0.2 + 0.8 * name_likeness(s) - 0.15 * has_digit(s);
            if (repeats_below(text, t, b, row, c, s))
                e -= 1.5;
            names++;
        }
        for (uint32_t k = 0; k < c && s.n && c < 32; k++)
            if (str_equal(trimmed(text, cell_of(t, row, k)), s)) {
                e -= 0.4;
                break;
            }
        sum += e;
    }
    double score = weights > 0 ? sum / weights : 0;
    return (struct header_evidence){
        .score = names + violated > 0 ? score : fmin(score, 0),
        .broken = typed ? (double)violated / typed : 0,
        .vacant = with_values ? (double)vacant / with_values : 0,
    };
}
