/* libFuzzer target: CSV text of any dialect through cutter and decoder. The first bytes choose the dialect, the
 * columns' types, the segment size and the buffer steps.
 *
 * Nothing crashes, every record is a row or a reject, columns keep their contract (unit/format/csv/csv_feed.h), and
 * rows, rejects, places and lines depend neither on where the text was cut nor on whether it was read by the vector
 * scan or byte by byte. */
#include "unit/format/csv/csv_feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHOICES 6

static struct csv_dialect chosen_dialect(uint8_t choice)
{
    static const char *const delimiters[] = {",", ";", "\t", "||", "a,b", ","};
    static const struct {
        char quote, escape, comment;
    } quoting[] = {{'"', '"', 0}, {'"', '\\', 0},  {0, 0, 0},   {'\'', '\'', 0},
                   {'"', 0, 0},   {'"', '"', '#'}, {0, '\\', 0}};
    size_t q = choice / ARRAY_LENGTH(delimiters) % ARRAY_LENGTH(quoting);
    struct csv_dialect d =
        feed_dialect(delimiters[choice % ARRAY_LENGTH(delimiters)], quoting[q].quote, quoting[q].escape);
    d.comment = quoting[q].comment;
    return d;
}

static void choose_target(struct decode_target *t, uint8_t choice, size_t columns)
{
    static const struct data_type declared[] = {
        {.kind = TYPE_STRING}, {.kind = TYPE_BIGINT}, {.kind = TYPE_DOUBLE},  {.kind = TYPE_DATE},
        {TYPE_DECIMAL, 18, 3}, {.kind = TYPE_JSON},   {.kind = TYPE_BOOLEAN}, {.kind = TYPE_TIMESTAMPTZ},
        {.kind = TYPE_BINARY}, {.kind = TYPE_UUID},   {.kind = TYPE_INTEGER}, {.kind = TYPE_TIME},
    };
    *t = (struct decode_target){.source_index = (int)(choice % (columns + 1)) - 1};
    if (choice & 0x40) {
        t->infer = true;
        t->class_ = (enum infer_class)(choice % (INFER_STRING + 1));
        t->type = infer_type(t->class_);
    } else {
        t->type = declared[choice % ARRAY_LENGTH(declared)];
    }
    t->on_null = choice & 0x80 ? REJECT_NULL_KEY : REJECT_NONE;
}

static void must_agree(const struct feed_result *a, const struct feed_result *b)
{
    const char *what = feed_difference(a, b);
    if (!what)
        return;
    fprintf(stderr, "%s differ\n", what);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct str nulls[] = {STR("NULL"), STR("-")};
    if (size < CHOICES)
        return 0;
    struct decode_target targets[3];
    struct feed f = {
        .dialect = chosen_dialect(data[0]),
        .columns = 1 + data[1] % 4,
        .segment_bytes = data[1] / 4,
        .nulls = nulls,
        .null_count = data[2] & 1 ? 2 : 0,
        .targets = targets,
        .target_count = ARRAY_LENGTH(targets),
        .pad = data[2],
    };
    for (size_t i = 0; i < ARRAY_LENGTH(targets); i++)
        choose_target(&targets[i], data[3 + i], f.columns);
    const uint8_t *text = data + CHOICES;
    size_t n = size - CHOICES;
    struct feed_result whole, pieces, slowly;
    f.step = n + 2;
    feed_run(&whole, &f, text, n);
    f.step = 1 + data[2] % 61;
    feed_run(&pieces, &f, text, n);
    must_agree(&whole, &pieces);
    feed_release(&pieces);
    if (!f.dialect.comment && !memchr(text, 1, n)) { /* a comment byte that is not there turns the scan off */
        f.dialect.comment = 1;
        f.segment_bytes = 0;
        feed_run(&slowly, &f, text, n);
        must_agree(&whole, &slowly);
        feed_release(&slowly);
    }
    /* With a limit the bad records depend on the buffers, the accounting does not. */
    f.max_record = 16;
    feed_run(&pieces, &f, text, n);
    if (pieces.lines != whole.lines) {
        fprintf(stderr, "lines differ under a record limit\n");
        abort();
    }
    feed_release(&pieces);
    feed_release(&whole);
    return 0;
}
