/*
 * Writes the data sets of the benchmarks. The output depends on nothing but
 * the kind, the seed and the scale: the same command gives the same bytes on
 * every machine, and a smaller data set is a prefix of a larger one.
 *
 *   cc -O2 -o generate bench/generate.c
 *   generate KIND [--bytes N | --rows N] [--seed S] [--scale X] [-o FILE]
 *
 * N takes a decimal suffix k, M or G (880MB = 880,000,000). Output ends with
 * the first whole row at or after N bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* ---- random numbers: splitmix64 ---- */

struct random {
    uint64_t state;
};

static uint64_t random_next(struct random *rng)
{
    uint64_t z = rng->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Uniform in [0, n), n > 0. The bias is below n / 2^32. */
static uint32_t random_below(struct random *rng, uint32_t n)
{
    return (uint32_t)(((random_next(rng) >> 32) * n) >> 32);
}

/* Uniform in [low, high]. */
static uint32_t random_between(struct random *rng, uint32_t low, uint32_t high)
{
    return low + random_below(rng, high - low + 1);
}

static bool random_percent(struct random *rng, uint32_t percent)
{
    return random_below(rng, 100) < percent;
}

/* ---- output: one buffer, flushed between rows ---- */

enum { OUT_CAPACITY = 1 << 20, ROW_MAX = 1 << 16 };

struct out {
    int fd;
    size_t length;
    uint64_t flushed;
    char *bytes;
};

static void die(const char *what)
{
    fprintf(stderr, "generate: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void out_flush(struct out *out)
{
    size_t done = 0;
    while (done < out->length) {
        ssize_t n = write(out->fd, out->bytes + done, out->length - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            die("write");
        done += (size_t)n;
    }
    out->flushed += done;
    out->length = 0;
}

/* Called before each row: a row never needs more than ROW_MAX bytes. */
static void out_reserve_row(struct out *out)
{
    if (out->length > OUT_CAPACITY - ROW_MAX)
        out_flush(out);
}

static void put_byte(struct out *out, char c)
{
    out->bytes[out->length++] = c;
}

static void put_bytes(struct out *out, const char *bytes, size_t length)
{
    memcpy(out->bytes + out->length, bytes, length);
    out->length += length;
}

static void put_text(struct out *out, const char *text)
{
    put_bytes(out, text, strlen(text));
}

static void put_uint(struct out *out, uint64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    put_bytes(out, digits + at, sizeof(digits) - at);
}

/* Exactly `width` digits, with leading zeros. */
static void put_uint_padded(struct out *out, uint32_t value, size_t width)
{
    for (size_t i = width; i-- > 0; value /= 10)
        out->bytes[out->length + i] = (char)('0' + value % 10);
    out->length += width;
}

/* 1234 -> 12.34 */
static void put_hundredths(struct out *out, uint64_t value)
{
    put_uint(out, value / 100);
    put_byte(out, '.');
    put_uint_padded(out, (uint32_t)(value % 100), 2);
}

/* As the inside of a quoted CSV field: each quote is doubled. */
static void put_escaped(struct out *out, const char *bytes, size_t length)
{
    char *to = out->bytes + out->length;
    for (size_t i = 0; i < length; i++) {
        *to++ = bytes[i];
        if (bytes[i] == '"')
            *to++ = '"';
    }
    out->length = (size_t)(to - out->bytes);
}

/* ---- dates ---- */

enum { FIRST_YEAR = 1992, LAST_YEAR = 2025, DAYS_MAX = 34 * 366 };

/* ISO text of each day from FIRST_YEAR-01-01, ten bytes each. */
static char calendar[DAYS_MAX][10];
static uint32_t calendar_length;

static bool is_leap(uint32_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static void calendar_fill(void)
{
    static const uint8_t month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    for (uint32_t year = FIRST_YEAR; year <= LAST_YEAR; year++)
        for (uint32_t month = 0; month < 12; month++) {
            uint32_t days = month_days[month] + (month == 1 && is_leap(year) ? 1U : 0U);
            for (uint32_t day = 1; day <= days; day++) {
                char text[32];
                snprintf(text, sizeof(text), "%04u-%02u-%02u", year, month + 1, day);
                memcpy(calendar[calendar_length++], text, 10);
            }
        }
}

static uint32_t calendar_find(const char *iso)
{
    uint32_t day = 0;
    while (memcmp(calendar[day], iso, 10) != 0)
        day++;
    return day;
}

static void put_date(struct out *out, uint32_t day)
{
    put_bytes(out, calendar[day], 10);
}

/* ---- pseudo-English ---- */

static const char *const adjectives[] = {
    "quiet", "early", "broad", "patient", "hollow", "steady", "late",  "green", "narrow", "bright", "careful",
    "idle",  "plain", "warm",  "distant", "sudden", "open",   "brisk", "faint", "loose",  "honest", "tidy",
};
static const char *const nouns[] = {
    "harbours", "invoices", "gardens", "parcels",  "letters", "engines", "orchards", "ledgers", "rivers",
    "carriers", "offers",   "bridges", "windows",  "crates",  "markets", "signals",  "tailors", "kettles",
    "journeys", "meadows",  "notices", "promises", "samples", "foxes",   "clerks",   "drafts",  "lanterns",
};
static const char *const verbs[] = {
    "wait",   "drift", "settle", "wander", "gather", "hurry",  "return", "sleep", "argue", "travel",
    "linger", "rest",  "depart", "wonder", "cross",  "arrive", "begin",  "shift", "call",  "answer",
};
static const char *const adverbs[] = {
    "slowly",   "seldom", "gently", "twice",  "quickly", "often",   "barely",
    "together", "again",  "nearly", "calmly", "loudly",  "at once", "by night",
};
static const char *const prepositions[] = {
    "beside", "under", "among", "beyond", "near", "across", "behind", "toward", "against", "along", "inside of",
};
static const char *const joints[] = {". ", "; ", ": ", "? ", ". ", " - ", ". ", "! "};

#define PICK(rng, list) ((list)[random_below((rng), (uint32_t)ARRAY_LENGTH(list))])

static char *append_text(char *to, const char *text)
{
    size_t length = strlen(text);
    memcpy(to, text, length);
    return to + length;
}

/* "quiet harbours drift slowly beside the narrow bridges", about 50 bytes, 100 at most */
static char *append_clause(char *to, struct random *rng)
{
    if (random_percent(rng, 60)) {
        to = append_text(to, PICK(rng, adjectives));
        *to++ = ' ';
    }
    to = append_text(to, PICK(rng, nouns));
    *to++ = ' ';
    to = append_text(to, PICK(rng, verbs));
    if (random_percent(rng, 50)) {
        *to++ = ' ';
        to = append_text(to, PICK(rng, adverbs));
    }
    if (random_percent(rng, 70)) {
        *to++ = ' ';
        to = append_text(to, PICK(rng, prepositions));
        to = append_text(to, " the ");
        if (random_percent(rng, 40)) {
            to = append_text(to, PICK(rng, adjectives));
            *to++ = ' ';
        }
        to = append_text(to, PICK(rng, nouns));
    }
    return to;
}

/* A pool of running text from which comments are cut anywhere. */
enum { COMMENT_POOL = 16 << 20, CLAUSE_MAX = 256 };

static char *comment_pool_create(struct random *rng)
{
    char *pool = malloc(COMMENT_POOL + CLAUSE_MAX);
    if (!pool)
        die("memory");
    for (char *to = pool; to < pool + COMMENT_POOL;) {
        to = append_clause(to, rng);
        to = append_text(to, PICK(rng, joints));
    }
    return pool;
}

/* Sentences with commas, quotes, line feeds and some non-ASCII letters. */
enum { PROSE_POOL = 8 << 20, PROSE_SENTENCES_MAX = PROSE_POOL / 16, PROSE_RUN_MAX = 12 };

struct prose {
    char *bytes;
    uint32_t *starts; /* of each sentence; starts[count] is the end */
    uint32_t count;
    uint32_t *ends; /* of each sentence, before the white space that follows it */
};

static const char *const asides[] = {
    "the café", "\"as agreed\"", "\"soon\", they said", "naïve", "the 2\" pipe", "Łódź", "20 €", "\"no\"",
};

static void prose_create(struct prose *prose, struct random *rng)
{
    prose->bytes = malloc(PROSE_POOL + 4 * CLAUSE_MAX);
    prose->starts = malloc(sizeof(uint32_t) * (PROSE_SENTENCES_MAX + 1));
    prose->ends = malloc(sizeof(uint32_t) * (PROSE_SENTENCES_MAX + 1));
    prose->count = 0;
    if (!prose->bytes || !prose->starts || !prose->ends)
        die("memory");
    char *to = prose->bytes;
    while (to < prose->bytes + PROSE_POOL) {
        prose->starts[prose->count] = (uint32_t)(to - prose->bytes);
        char *first = to;
        to = append_clause(to, rng);
        *first = (char)(*first - 'a' + 'A');
        if (random_percent(rng, 40)) {
            to = append_text(to, ", ");
            to = append_clause(to, rng);
        }
        if (random_percent(rng, 35)) {
            to = append_text(to, ", ");
            to = append_text(to, PICK(rng, asides));
        }
        *to++ = '.';
        prose->ends[prose->count++] = (uint32_t)(to - prose->bytes);
        uint32_t gap = random_below(rng, 10);
        to = append_text(to, gap < 6 ? " " : gap < 9 ? "\n" : "\n\n");
    }
}

/* ---- lineitem ---- */

/* One row as plain numbers, so that CSV and NDJSON show the same rows. */
struct lineitem {
    uint64_t order_key;
    uint32_t part_key, supplier_key, line_number, quantity;
    uint64_t extended_price; /* hundredths */
    uint32_t discount, tax;  /* hundredths */
    char return_flag, line_status;
    uint32_t ship_day, commit_day, receipt_day;
    const char *instruction, *mode, *comment;
    uint32_t comment_length;
};

struct lineitem_maker {
    struct random rng;
    const char *comments;
    uint32_t parts, suppliers;
    uint32_t last_order_day, current_day;
    uint64_t order_index;
    uint32_t lines, line; /* of the current order */
    uint32_t order_day;
};

static const char *const instructions[] = {"DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN"};
static const char *const modes[] = {"REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"};

static void lineitem_maker_init(struct lineitem_maker *maker, uint64_t seed, double scale)
{
    memset(maker, 0, sizeof(*maker));
    maker->rng.state = seed;
    maker->comments = comment_pool_create(&maker->rng);
    maker->parts = (uint32_t)(200000 * scale) + 4;
    maker->suppliers = (uint32_t)(10000 * scale) + 4;
    maker->last_order_day = calendar_find("1998-08-02");
    maker->current_day = calendar_find("1995-06-17");
}

static void lineitem_next(struct lineitem_maker *maker, struct lineitem *row)
{
    struct random *rng = &maker->rng;
    if (maker->line == maker->lines) {
        maker->order_index++;
        maker->lines = random_between(rng, 1, 7);
        maker->line = 0;
        maker->order_day = random_between(rng, 0, maker->last_order_day);
    }
    maker->line++;

    /* Order keys are sparse: of each 32 numbers the first eight are used. */
    row->order_key = (maker->order_index - 1) / 8 * 32 + (maker->order_index - 1) % 8 + 1;
    row->line_number = maker->line;
    row->part_key = random_between(rng, 1, maker->parts);
    /* Each part has four suppliers. */
    uint64_t suppliers = maker->suppliers;
    uint64_t step = suppliers / 4 + (row->part_key - 1) / suppliers;
    row->supplier_key = (uint32_t)((row->part_key + random_below(rng, 4) * step) % suppliers) + 1;
    row->quantity = random_between(rng, 1, 50);
    uint64_t part_price = 90000 + row->part_key / 10 % 20001 + UINT64_C(100) * (row->part_key % 1000);
    row->extended_price = row->quantity * part_price;
    row->discount = random_between(rng, 0, 10);
    row->tax = random_between(rng, 0, 8);
    row->ship_day = maker->order_day + random_between(rng, 1, 121);
    row->commit_day = maker->order_day + random_between(rng, 30, 90);
    row->receipt_day = row->ship_day + random_between(rng, 1, 30);
    row->return_flag = row->receipt_day > maker->current_day ? 'N' : random_percent(rng, 50) ? 'R' : 'A';
    row->line_status = row->ship_day > maker->current_day ? 'O' : 'F';
    row->instruction = PICK(rng, instructions);
    row->mode = PICK(rng, modes);
    row->comment_length = random_between(rng, 10, 43);
    row->comment = maker->comments + random_below(rng, COMMENT_POOL - 64);
}

static void put_lineitem_csv(struct out *out, const struct lineitem *row)
{
    put_uint(out, row->order_key);
    put_byte(out, ',');
    put_uint(out, row->part_key);
    put_byte(out, ',');
    put_uint(out, row->supplier_key);
    put_byte(out, ',');
    put_uint(out, row->line_number);
    put_byte(out, ',');
    put_uint(out, row->quantity);
    put_byte(out, ',');
    put_hundredths(out, row->extended_price);
    put_byte(out, ',');
    put_hundredths(out, row->discount);
    put_byte(out, ',');
    put_hundredths(out, row->tax);
    put_byte(out, ',');
    put_byte(out, row->return_flag);
    put_byte(out, ',');
    put_byte(out, row->line_status);
    put_byte(out, ',');
    put_date(out, row->ship_day);
    put_byte(out, ',');
    put_date(out, row->commit_day);
    put_byte(out, ',');
    put_date(out, row->receipt_day);
    put_byte(out, ',');
    put_text(out, row->instruction);
    put_byte(out, ',');
    put_text(out, row->mode);
    put_byte(out, ',');
    put_bytes(out, row->comment, row->comment_length);
    put_byte(out, '\n');
}

static void put_lineitem_json(struct out *out, const struct lineitem *row)
{
    put_text(out, "{\"l_orderkey\":");
    put_uint(out, row->order_key);
    put_text(out, ",\"l_partkey\":");
    put_uint(out, row->part_key);
    put_text(out, ",\"l_suppkey\":");
    put_uint(out, row->supplier_key);
    put_text(out, ",\"l_linenumber\":");
    put_uint(out, row->line_number);
    put_text(out, ",\"l_quantity\":");
    put_uint(out, row->quantity);
    put_text(out, ",\"l_extendedprice\":");
    put_hundredths(out, row->extended_price);
    put_text(out, ",\"l_discount\":");
    put_hundredths(out, row->discount);
    put_text(out, ",\"l_tax\":");
    put_hundredths(out, row->tax);
    put_text(out, ",\"l_returnflag\":\"");
    put_byte(out, row->return_flag);
    put_text(out, "\",\"l_linestatus\":\"");
    put_byte(out, row->line_status);
    put_text(out, "\",\"l_shipdate\":\"");
    put_date(out, row->ship_day);
    put_text(out, "\",\"l_commitdate\":\"");
    put_date(out, row->commit_day);
    put_text(out, "\",\"l_receiptdate\":\"");
    put_date(out, row->receipt_day);
    put_text(out, "\",\"l_shipinstruct\":\"");
    put_text(out, row->instruction);
    put_text(out, "\",\"l_shipmode\":\"");
    put_text(out, row->mode);
    put_text(out, "\",\"l_comment\":\"");
    put_bytes(out, row->comment, row->comment_length);
    put_text(out, "\"}\n");
}

/* ---- quoted text ---- */

struct quoted_maker {
    struct random rng;
    struct prose prose;
    uint64_t id;
};

static const char *const given_names[] = {
    "Ada", "Björn", "Chidi", "Dolores", "Émile", "Farah", "Grace", "Hiro", "Ines", "Jonas", "Kateřina", "Liam",
};
static const char *const nicknames[] = {"Ace", "Bee", "Captain", "Doc", "Echo", "Flash"};
static const char *const family_names[] = {
    "Abara", "Brandt", "Castellanos", "Dvořák", "Eriksen", "Fontaine", "Grünwald", "Hoshino", "Ibsen", "Jansen",
};
static const char *const tags[] = {
    "archive", "billing", "claims", "draft", "export", "field", "garden", "harbour", "internal", "journal",
};
static const char *const cities[] = {
    "Zürich", "Lagos", "São Paulo", "Portland, Maine", "Osaka", "Kraków", "Washington, D.C.", "Nairobi", "Lima", "Oslo",
};

static void quoted_maker_init(struct quoted_maker *maker, uint64_t seed)
{
    maker->rng.state = seed;
    maker->id = 0;
    prose_create(&maker->prose, &maker->rng);
}

static void put_name(struct out *out, struct random *rng)
{
    put_text(out, PICK(rng, given_names));
    if (random_percent(rng, 20)) {
        put_text(out, " \"\"");
        put_text(out, PICK(rng, nicknames));
        put_text(out, "\"\"");
    }
    put_byte(out, ' ');
    put_text(out, PICK(rng, family_names));
}

static void put_title(struct out *out, struct random *rng)
{
    put_text(out, "On ");
    put_text(out, PICK(rng, adjectives));
    put_byte(out, ' ');
    if (random_percent(rng, 25)) {
        put_text(out, "\"\"");
        put_text(out, PICK(rng, nouns));
        put_text(out, "\"\"");
    } else {
        put_text(out, PICK(rng, nouns));
    }
    put_text(out, random_percent(rng, 30) ? ", and " : " and ");
    put_text(out, PICK(rng, nouns));
}

static void put_body(struct out *out, struct quoted_maker *maker)
{
    const struct prose *prose = &maker->prose;
    uint32_t run = random_between(&maker->rng, 1, PROSE_RUN_MAX);
    uint32_t first = random_below(&maker->rng, prose->count - PROSE_RUN_MAX);
    uint32_t start = prose->starts[first], end = prose->ends[first + run - 1];
    put_escaped(out, prose->bytes + start, end - start);
}

static void put_quoted_row(struct out *out, struct quoted_maker *maker)
{
    struct random *rng = &maker->rng;
    put_byte(out, '"');
    put_uint(out, ++maker->id);
    put_text(out, "\",\"");
    put_name(out, rng);
    put_text(out, "\",\"");
    put_title(out, rng);
    put_text(out, "\",\"");
    put_body(out, maker);
    put_text(out, "\",\"");
    for (uint32_t left = random_between(rng, 1, 4); left > 0; left--) {
        put_text(out, PICK(rng, tags));
        if (left > 1)
            put_byte(out, ',');
    }
    put_text(out, "\",\"");
    put_text(out, PICK(rng, cities));
    put_text(out, "\",\"");
    put_hundredths(out, random_below(rng, 1000000));
    put_text(out, "\",\"");
    put_date(out, random_below(rng, calendar_length));
    put_byte(out, 'T');
    put_uint_padded(out, random_below(rng, 24), 2);
    put_byte(out, ':');
    put_uint_padded(out, random_below(rng, 60), 2);
    put_byte(out, ':');
    put_uint_padded(out, random_below(rng, 60), 2);
    put_text(out, "\"\n");
}

/* ---- wide rows ---- */

enum { WIDE_COLUMNS = 200 };

/* Columns cycle through integer, double, string; of each ten, three are half null. */
static bool wide_is_null(struct random *rng, uint32_t column)
{
    return column % 10 >= 7 && random_percent(rng, 50);
}

static void put_wide_header(struct out *out)
{
    static const char *const prefixes[] = {"int_", "double_", "text_"};
    for (uint32_t column = 0; column < WIDE_COLUMNS; column++) {
        if (column)
            put_byte(out, ',');
        put_text(out, prefixes[column % 3]);
        put_uint_padded(out, column, 3);
    }
    put_byte(out, '\n');
}

static void put_wide_value(struct out *out, struct random *rng, uint32_t column)
{
    static const uint32_t limits[] = {10, 300, 40000, 1000000, 2000000000};
    uint32_t limit = limits[column % ARRAY_LENGTH(limits)];
    switch (column % 3) {
    case 0:
        if (column % 2 && random_percent(rng, 30))
            put_byte(out, '-');
        put_uint(out, 1 + random_below(rng, limit));
        break;
    case 1:
        if (random_percent(rng, 20))
            put_byte(out, '-');
        put_uint(out, random_below(rng, limit));
        put_byte(out, '.');
        put_uint_padded(out, random_below(rng, 10000), 4);
        break;
    default:
        if (column % 2) {
            put_text(out, PICK(rng, adjectives));
        } else {
            put_byte(out, 'k');
            put_uint(out, random_below(rng, limit));
        }
    }
}

static void put_wide_row(struct out *out, struct random *rng)
{
    for (uint32_t column = 0; column < WIDE_COLUMNS; column++) {
        if (column)
            put_byte(out, ',');
        if (!wide_is_null(rng, column))
            put_wide_value(out, rng, column);
    }
    put_byte(out, '\n');
}

/* ---- the kinds ---- */

/* What to write; the limit that is not given is UINT64_MAX. */
struct request {
    uint64_t bytes, rows, seed;
    double scale;
};

static bool wants_more(const struct request *request, const struct out *out, uint64_t rows)
{
    return rows < request->rows && out->flushed + out->length < request->bytes;
}

static void write_lineitem_csv(struct out *out, const struct request *request)
{
    struct lineitem_maker maker;
    struct lineitem row;
    lineitem_maker_init(&maker, request->seed, request->scale);
    put_text(out, "l_orderkey,l_partkey,l_suppkey,l_linenumber,l_quantity,l_extendedprice,l_discount,l_tax,"
                  "l_returnflag,l_linestatus,l_shipdate,l_commitdate,l_receiptdate,l_shipinstruct,l_shipmode,"
                  "l_comment\n");
    for (uint64_t rows = 0; wants_more(request, out, rows); rows++) {
        out_reserve_row(out);
        lineitem_next(&maker, &row);
        put_lineitem_csv(out, &row);
    }
}

static void write_lineitem_ndjson(struct out *out, const struct request *request)
{
    struct lineitem_maker maker;
    struct lineitem row;
    lineitem_maker_init(&maker, request->seed, request->scale);
    for (uint64_t rows = 0; wants_more(request, out, rows); rows++) {
        out_reserve_row(out);
        lineitem_next(&maker, &row);
        put_lineitem_json(out, &row);
    }
}

static void write_quoted_csv(struct out *out, const struct request *request)
{
    struct quoted_maker maker;
    quoted_maker_init(&maker, request->seed);
    put_text(out, "\"id\",\"name\",\"title\",\"body\",\"tags\",\"city\",\"amount\",\"created\"\n");
    for (uint64_t rows = 0; wants_more(request, out, rows); rows++) {
        out_reserve_row(out);
        put_quoted_row(out, &maker);
    }
}

static void write_wide_csv(struct out *out, const struct request *request)
{
    struct random rng = {request->seed};
    put_wide_header(out);
    for (uint64_t rows = 0; wants_more(request, out, rows); rows++) {
        out_reserve_row(out);
        put_wide_row(out, &rng);
    }
}

static const struct kind {
    const char *name;
    void (*write)(struct out *out, const struct request *request);
    uint64_t bytes, rows; /* when neither is asked for */
} kinds[] = {
    {"lineitem-csv", write_lineitem_csv, 880000000, UINT64_MAX},
    {"lineitem-ndjson", write_lineitem_ndjson, UINT64_MAX, 2000000},
    {"quoted-csv", write_quoted_csv, 880000000, UINT64_MAX},
    {"wide-csv", write_wide_csv, 880000000, UINT64_MAX},
};

static void usage(void)
{
    fputs("usage: generate KIND [--bytes N | --rows N] [--seed S] [--scale X] [-o FILE]\nkinds:", stderr);
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        fprintf(stderr, " %s", kinds[i].name);
    fputc('\n', stderr);
    exit(2);
}

static uint64_t parse_count(const char *text)
{
    char *end;
    errno = 0;
    uint64_t value = strtoull(text, &end, 10);
    if (end == text || errno || *text == '-')
        usage();
    if (*end == 'k' || *end == 'K')
        value *= 1000, end++;
    else if (*end == 'M')
        value *= 1000000, end++;
    else if (*end == 'G')
        value *= 1000000000, end++;
    if (*end == 'B')
        end++;
    if (*end)
        usage();
    return value;
}

static const struct kind *kind_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    usage();
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        usage();
    const struct kind *kind = kind_find(argv[1]);
    /* A scale of 1.25 fits the 7.5 million rows of 880 MB of CSV. */
    struct request request = {.bytes = kind->bytes, .rows = kind->rows, .seed = 1, .scale = 1.25};
    const char *path = NULL;
    for (int i = 2; i < argc; i += 2) {
        if (i + 1 >= argc)
            usage();
        const char *value = argv[i + 1];
        if (strcmp(argv[i], "--bytes") == 0)
            request.bytes = parse_count(value), request.rows = UINT64_MAX;
        else if (strcmp(argv[i], "--rows") == 0)
            request.rows = parse_count(value), request.bytes = UINT64_MAX;
        else if (strcmp(argv[i], "--seed") == 0)
            request.seed = parse_count(value);
        else if (strcmp(argv[i], "--scale") == 0)
            request.scale = strtod(value, NULL);
        else if (strcmp(argv[i], "-o") == 0)
            path = value;
        else
            usage();
    }
    if (!(request.scale > 0 && request.scale < 10000))
        usage();

    struct out out = {.fd = STDOUT_FILENO, .bytes = malloc(OUT_CAPACITY)};
    if (!out.bytes)
        die("memory");
    if (path) {
        out.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (out.fd < 0)
            die(path);
    }
    calendar_fill();
    kind->write(&out, &request);
    out_flush(&out);
    if (path && close(out.fd) < 0)
        die(path);
    return 0;
}
