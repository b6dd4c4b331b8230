#include "base/json.h"
#include "unit/cmocka_all.h"

static void parses_and_writes_back(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":[1,2.5,\"\xc3\xa9\"],\"b\":null}";
    struct error err;
    struct buf out = {0};
    json_t *value;
    assert_int_equal(json_parse(text, strlen(text), "text", &value, &err), OK);
    assert_int_equal(json_write(value, &out, &err), OK);
    assert_int_equal(out.len, strlen(text));
    assert_memory_equal(out.data, text, out.len);
    json_decref(value);
    buf_release(&out);
}

static void writes_what_jansson_writes(void **state)
{
    (void)state;
    struct error err;
    char text[200] = "";
    size_t n = 0;
    for (char c = 0; c < 0x7f; c++)
        text[n++] = c;
    memcpy(text + n, "\x7f\xc3\xa9\xf0\x9f\x98\x80", 7);
    json_t *value = json_pack("{s:s%, s:[I, I, I, f, f, b, b, n], s:{}, s:[], s:{s:{s:s}}}", "text", text, n + 7,
                              "numbers", (json_int_t)INT64_MIN, (json_int_t)INT64_MAX, (json_int_t)0, -0.1, 1e300, 1, 0,
                              "none", "empty", "a\"b", "", "c\n", "");
    assert_non_null(value);
    char *expected = json_dumps(value, JSON_COMPACT);
    struct buf out = {0};
    assert_int_equal(buf_append(&out, "before", 6, &err), OK);
    assert_int_equal(json_write(value, &out, &err), OK);
    assert_int_equal(out.len, 6 + strlen(expected));
    assert_memory_equal(out.data + 6, expected, strlen(expected));
    /* One that contains itself ends, and leaves the text as it was. */
    json_t *ring = json_array(), *inner = json_array();
    assert_int_equal(json_array_append(ring, inner), 0);
    assert_int_equal(json_array_append(inner, ring), 0);
    size_t before = out.len;
    assert_int_equal(json_write(ring, &out, &err), ERR_INTERNAL);
    assert_int_equal(out.len, before);
    json_array_clear(inner);
    json_decref(inner);
    json_decref(ring);
    free(expected);
    json_decref(value);
    buf_release(&out);
}

static void refuses_what_is_not_one_plain_document(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "{", "{} {}", "{\"a\":1,\"a\":2}", "[1,]", "\"\xff\"", "nul"};
    struct error err;
    json_t *value = NULL;
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        assert_int_equal(json_parse(bad[i], strlen(bad[i]), "request body", &value, &err), ERR_INVALID);
        assert_non_null(strstr(err.message, "request body: line "));
        assert_null(value);
    }
}

static void depth_is_limited_and_brackets_in_strings_do_not_count(void **state)
{
    (void)state;
    char text[400];
    struct error err;
    json_t *value;
    for (int depth = JSON_DEPTH_MOST; depth <= JSON_DEPTH_MOST + 1; depth++) {
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        bool fits = depth == JSON_DEPTH_MOST;
        assert_int_equal(json_parse(text, 2 * (size_t)depth, "x", &value, &err), fits ? OK : ERR_INVALID);
        if (fits)
            json_decref(value);
    }
    text[0] = '"';
    memset(text + 1, '[', 200);
    memcpy(text + 201, "\\\"[\"", 4);
    assert_int_equal(json_parse(text, 205, "x", &value, &err), OK);
    json_decref(value);
}

static void times_as_text_and_back(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t micros;
    } good[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T00:00:00.5Z", 500000},
        {"1969-12-31T23:59:59.999999Z", -1},
        {"2026-11-25T10:00:00.1234567+01:00", 1795597200123456},
        {"2026-11-25 09:00:00-00:30", 1795599000000000},
    };
    static const char *const bad[] = {"",
                                      "2026-11-25",
                                      "2026-02-30T00:00:00Z",
                                      "2026-11-25T24:00:00Z",
                                      "2026-11-25T10:00:00",
                                      "2026-11-25T10:00:00Zx",
                                      "2026-11-25T10:00:00.Z",
                                      "2026-11-25T10:00:00+25:00"};
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        int64_t micros = 1;
        char text[TIME_TEXT_CAP];
        assert_true(time_parse(good[i].text, &micros));
        assert_int_equal(micros, good[i].micros);
        time_text(micros, text);
        int64_t again;
        assert_true(time_parse(text, &again));
        assert_int_equal(again, micros);
    }
    int64_t micros;
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_false(time_parse(bad[i], &micros));
}

static void members_of_another_type_give_the_fallback(void **state)
{
    (void)state;
    struct error err;
    json_t *o = json_object();
    assert_int_equal(json_put_int(o, "n", 7, &err), OK);
    assert_int_equal(json_put_text(o, "t", "x", &err), OK);
    assert_int_equal(json_put_text(o, "none", NULL, &err), OK);
    assert_int_equal(json_put_bool(o, "b", true, &err), OK);
    assert_int_equal(json_put(o, "void", NULL, &err), ERR_NO_MEMORY);
    assert_int_equal(json_int(o, "n", 0), 7);
    assert_int_equal(json_int(o, "t", 3), 3);
    assert_string_equal(json_text(o, "t", "y"), "x");
    assert_string_equal(json_text(o, "none", "y"), "y");
    assert_true(json_flag(o, "b", false));
    assert_true(json_flag(o, "n", true));
    json_decref(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_and_writes_back),
        cmocka_unit_test(writes_what_jansson_writes),
        cmocka_unit_test(refuses_what_is_not_one_plain_document),
        cmocka_unit_test(depth_is_limited_and_brackets_in_strings_do_not_count),
        cmocka_unit_test(times_as_text_and_back),
        cmocka_unit_test(members_of_another_type_give_the_fallback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
