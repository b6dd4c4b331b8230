/* Every variant of the scan that this CPU has, against a model that looks at one byte after another. */
#include "unit/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "base/attributes.h"
#include "format/csv/csv_scan.h"
#include "unit/batch/random.h"

#define ROOM 512

struct model {
    uint32_t positions[ROOM];
    size_t count;
    struct csv_scan_state state;
};

static size_t variants(const struct csv_scanner *list[4])
{
    size_t n = 0;
    list[n++] = &csv_scanner_scalar;
#if defined(__x86_64__)
    list[n++] = &csv_scanner_sse2;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("bmi"))
        list[n++] = &csv_scanner_avx2;
#elif defined(__aarch64__)
    list[n++] = &csv_scanner_neon;
#endif
    return n;
}

static void model_index(struct model *m, const uint8_t *data, size_t begin, size_t end, struct csv_marks marks)
{
    bool inside = m->state.inside != 0;
    m->count = 0;
    for (size_t i = begin; i < end; i++) {
        uint8_t c = data[i];
        bool line_end = c == '\n' || (c == '\r' && data[i + 1] != '\n');
        m->state.high |= c >= 0x80;
        m->state.carriage |= c == '\r';
        m->state.lines += line_end;
        if (marks.quote && c == marks.quote)
            inside = !inside;
        if (!inside && (line_end || c == marks.delimiter))
            m->positions[m->count++] = (uint32_t)i;
        m->state.records += !inside && line_end;
    }
    m->state.inside = inside ? UINT64_MAX : 0;
}

static struct csv_cut model_cut(const uint8_t *data, size_t end, struct csv_marks marks)
{
    struct csv_cut cut = {0};
    bool inside = false;
    for (size_t i = 0; i < end; i++) {
        uint8_t c = data[i], before = i ? data[i - 1] : '\n';
        bool quote = marks.quote && c == marks.quote;
        bool border_before =
            i == 0 || before == '\n' || before == '\r' || before == marks.delimiter || before == marks.quote;
        bool border = c == '\n' || c == '\r' || c == marks.delimiter || quote;
        if (i > 0 && marks.quote && before == marks.quote && !inside && !border)
            cut.irregular = true; /* text after a closing quote */
        if (quote) {
            cut.quotes = true;
            if (!inside && !border_before)
                cut.irregular = true; /* a quote within a field */
            inside = !inside;
        } else if (!inside && (c == '\n' || c == '\r')) {
            cut.end = i + 1;
        }
    }
    cut.open = inside;
    return cut;
}

/* A text in a block of exactly its size and the padding that may be read. */
static uint8_t *random_text(uint64_t *seed, size_t n, const char *alphabet)
{
    uint8_t *data = malloc(n + 64);
    assert_non_null(data);
    for (size_t i = 0; i < n + 64; i++)
        data[i] = (uint8_t)alphabet[random_below(seed, strlen(alphabet))];
    return data;
}

static void compare_index(const struct csv_scanner *scanner, const uint8_t *data, size_t begin, size_t end,
                          struct csv_marks marks, struct csv_scan_state before)
{
    uint32_t *positions = malloc((end - begin + 64) * sizeof *positions);
    assert_non_null(positions);
    struct model m = {.state = before};
    struct csv_scan_state state = before;
    model_index(&m, data, begin, end, marks);
    size_t count = scanner->index(data, begin, end, marks, &state, positions);
    assert_int_equal(count, m.count);
    if (count)
        assert_memory_equal(positions, m.positions, count * sizeof *positions);
    assert_int_equal(state.lines, m.state.lines);
    assert_int_equal(state.records, m.state.records);
    assert_int_equal(state.high, m.state.high);
    assert_int_equal(state.carriage, m.state.carriage);
    if (marks.quote)
        assert_true(state.inside == m.state.inside);
    free(positions);
}

static void compare_cut(const struct csv_scanner *scanner, const uint8_t *data, size_t end, struct csv_marks marks)
{
    struct csv_cut got = scanner->cut(data, end, marks), wanted = model_cut(data, end, marks);
    assert_int_equal(got.irregular, wanted.irregular);
    assert_int_equal(got.quotes, wanted.quotes);
    assert_int_equal(got.open, wanted.open);
    assert_int_equal(got.end, wanted.end);
}

static const char *const alphabets[] = {
    "\",\r\n;ab1 .-", "ab,\n\r", "\"\n", "\r\n", "abcdefghijklmnopqrstuvwxyz,\n\"", "a\xC3\xA9,\n\"\r", ",", "abc",
};

static void random_texts(void **unused)
{
    (void)unused;
    const struct csv_scanner *list[4];
    size_t count = variants(list);
    uint64_t seed = 1;
    for (size_t n = 0; n <= 300; n++)
        for (size_t a = 0; a < ARRAY_LENGTH(alphabets); a++) {
            uint8_t *data = random_text(&seed, n, alphabets[a]);
            size_t begin = random_below(&seed, n + 1);
            struct csv_marks kinds[] = {{',', '"'}, {',', 0}, {';', '"'}, {',', 'a'}};
            for (size_t k = 0; k < ARRAY_LENGTH(kinds); k++)
                for (size_t v = 0; v < count; v++) {
                    compare_index(list[v], data, 0, n, kinds[k], (struct csv_scan_state){0});
                    compare_index(
                        list[v], data, begin, n, kinds[k],
                        (struct csv_scan_state){
                            .inside = kinds[k].quote ? UINT64_MAX : 0, .lines = 7, .records = 3, .high = true});
                    compare_cut(list[v], data, n, kinds[k]);
                }
            free(data);
        }
}

/* The state carried from call to call gives what one call gives. */
static void in_two_calls(void **unused)
{
    (void)unused;
    const struct csv_scanner *list[4];
    size_t count = variants(list);
    uint64_t seed = 2;
    for (size_t n = 0; n <= 300; n++) {
        uint8_t *data = random_text(&seed, n, alphabets[0]);
        size_t middle = random_below(&seed, n + 1);
        struct csv_marks marks = {',', '"'};
        for (size_t v = 0; v < count; v++) {
            uint32_t whole[ROOM], parts[ROOM];
            struct csv_scan_state one = {0}, two = {0};
            size_t got = list[v]->index(data, 0, n, marks, &one, whole);
            size_t first = list[v]->index(data, 0, middle, marks, &two, parts);
            size_t second = list[v]->index(data, middle, n, marks, &two, parts + first);
            assert_int_equal(got, first + second);
            assert_memory_equal(whole, parts, got * sizeof *whole);
            assert_memory_equal(&one, &two, offsetof(struct csv_scan_state, carriage));
        }
        free(data);
    }
}

/* CR LF where one 64-byte block ends and the next begins, and where the text ends. */
static void carriage_at_borders(void **unused)
{
    (void)unused;
    const struct csv_scanner *list[4];
    size_t count = variants(list);
    for (size_t at = 60; at < 68; at++)
        for (size_t end = at + 1; end <= 130; end++)
            for (int lf = 0; lf < 2; lf++) {
                uint8_t *data = malloc(end + 64);
                assert_non_null(data);
                memset(data, 'x', end + 64);
                data[at] = '\r';
                if (lf)
                    data[at + 1] = '\n';
                for (size_t v = 0; v < count; v++) {
                    uint32_t positions[ROOM];
                    struct csv_scan_state state = {0};
                    size_t got = list[v]->index(data, 0, end, (struct csv_marks){',', '"'}, &state, positions);
                    bool half = lf && end == at + 1; /* the LF is not in the text: its CR ends nothing */
                    assert_int_equal(got, half ? 0 : 1);
                    assert_int_equal(state.lines, half ? 0 : 1);
                    assert_true(state.carriage);
                    if (!half)
                        assert_int_equal(positions[0], at + (lf ? 1 : 0));
                }
                free(data);
            }
}

static void best_is_one_of_them(void **unused)
{
    (void)unused;
    const struct csv_scanner *list[4];
    size_t count = variants(list);
    assert_ptr_equal(csv_scanner_best(), list[count - 1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_texts),
        cmocka_unit_test(in_two_calls),
        cmocka_unit_test(carriage_at_borders),
        cmocka_unit_test(best_is_one_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
