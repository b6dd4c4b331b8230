/* Records between JSON and tables: every kind of column, pages, and what is refused. */
#include "store/record.h"
#include "unit/store/store_files.h"

static const struct record_column columns[] = {
    {"id", COLUMN_TEXT},         {"name", COLUMN_TEXT}, {"n", COLUMN_INTEGER},    {"ratio", COLUMN_REAL},
    {"enabled", COLUMN_BOOLEAN}, {"tags", COLUMN_JSON}, {"made_at", COLUMN_TIME},
};
static const struct record_table things = {"things", "thing", columns, ARRAY_LENGTH(columns)};

static struct db *with_things(void)
{
    struct error err;
    struct db *db = NULL;
    assert_ok(db_open(&db, at("a.db"), DB_WRITE, &err), err);
    assert_ok(db_script(db,
                        "CREATE TABLE things (id TEXT PRIMARY KEY, name TEXT NOT NULL DEFAULT 'none', n INTEGER,"
                        " ratio REAL, enabled INTEGER NOT NULL DEFAULT 1, tags TEXT NOT NULL DEFAULT '[]',"
                        " made_at INTEGER) STRICT, WITHOUT ROWID",
                        &err),
              err);
    return db;
}

static json_t *parsed(const char *text)
{
    json_t *value = json_loads(text, 0, NULL);
    assert_non_null(value);
    return value;
}

static void insert(struct db *db, const char *text)
{
    struct error err;
    json_t *record = parsed(text);
    assert_ok(record_insert(db, &things, record, &err), err);
    json_decref(record);
}

static void assert_record(struct db *db, const char *id, const char *text)
{
    struct error err;
    json_t *record = NULL, *expected = parsed(text);
    assert_ok(record_get(db, &things, id, &record, &err), err);
    if (!json_equal(record, expected))
        fail_msg("%s is not %s", json_dumps(record, JSON_COMPACT), text);
    json_decref(record);
    json_decref(expected);
}

static void test_round_trip(void **state)
{
    (void)state;
    struct db *db = with_things();
    const char *full = "{\"id\":\"a\",\"name\":\"caf\xc3\xa9\",\"n\":9007199254740993,\"ratio\":0.5,\"enabled\":false,"
                       "\"tags\":{\"x\":[1,null,\"\xc3\xa9\"]},\"made_at\":\"2026-11-25T10:00:00.123456Z\"}";
    insert(db, full);
    assert_record(db, "a", full);
    insert(db, "{\"id\":\"b\",\"unknown\":1}");
    assert_record(db, "b",
                  "{\"id\":\"b\",\"name\":\"none\",\"n\":null,\"ratio\":null,\"enabled\":true,\"tags\":[],"
                  "\"made_at\":null}");
    /* a whole number is a number; an offset becomes UTC; a JSON text stays text */
    insert(db, "{\"id\":\"c\",\"ratio\":2,\"tags\":\"t\",\"made_at\":\"2026-01-01T01:00:00+01:00\",\"n\":null}");
    assert_record(db, "c",
                  "{\"id\":\"c\",\"name\":\"none\",\"n\":null,\"ratio\":2.0,\"enabled\":true,\"tags\":\"t\","
                  "\"made_at\":\"2026-01-01T00:00:00.000000Z\"}");
    db_close(db);
}

static void test_update_and_delete(void **state)
{
    (void)state;
    struct error err;
    struct db *db = with_things();
    insert(db, "{\"id\":\"a\",\"n\":1}");
    json_t *changes = parsed("{\"id\":\"other\",\"n\":2,\"tags\":[\"x\"],\"unknown\":true}");
    assert_ok(record_update(db, &things, "a", changes, &err), err);
    assert_record(db, "a",
                  "{\"id\":\"a\",\"name\":\"none\",\"n\":2,\"ratio\":null,\"enabled\":true,\"tags\":[\"x\"],"
                  "\"made_at\":null}");
    assert_int_equal(record_update(db, &things, "z", changes, &err), ERR_NOT_FOUND);
    assert_string_equal(err.message, "there is no thing 'z'");
    json_decref(changes);
    changes = json_object();
    assert_ok(record_update(db, &things, "a", changes, &err), err);
    assert_int_equal(record_update(db, &things, "z", changes, &err), ERR_NOT_FOUND);
    json_decref(changes);
    json_t *record = NULL;
    assert_ok(record_delete(db, &things, "a", &err), err);
    assert_int_equal(record_delete(db, &things, "a", &err), ERR_NOT_FOUND);
    assert_int_equal(record_get(db, &things, "a", &record, &err), ERR_NOT_FOUND);
    assert_null(record);
    db_close(db);
}

static void test_wrong_kinds(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{\"id\":\"a\",\"name\":1}",
        "{\"id\":\"a\",\"n\":\"1\"}",
        "{\"id\":\"a\",\"n\":1.5}",
        "{\"id\":\"a\",\"ratio\":\"x\"}",
        "{\"id\":\"a\",\"enabled\":1}",
        "{\"id\":\"a\",\"made_at\":5}",
        "{\"id\":\"a\",\"made_at\":\"yesterday\"}",
        "{\"id\":\"a\",\"name\":null}",
    };
    struct error err;
    struct db *db = with_things();
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        json_t *record = parsed(bad[i]);
        assert_int_equal(record_insert(db, &things, record, &err), ERR_INVALID);
        json_decref(record);
    }
    assert_non_null(strstr(err.message, "things.name"));
    insert(db, "{\"id\":\"a\"}");
    json_t *record = parsed("{\"id\":\"a\"}");
    assert_int_equal(record_insert(db, &things, record, &err), ERR_CONFLICT);
    json_decref(record);
    assert_int_equal(ask(db, "SELECT count(*) FROM things"), 1);
    db_close(db);
}

static void test_damaged_values(void **state)
{
    (void)state;
    struct error err;
    struct db *db = with_things();
    json_t *record = NULL;
    insert(db, "{\"id\":\"a\"}");
    assert_ok(db_run(db, "UPDATE things SET tags = '[1,'", DB_NO_BINDS, NULL, &err), err);
    assert_int_equal(record_get(db, &things, "a", &record, &err), ERR_BAD_DATA);
    assert_non_null(strstr(err.message, "'tags'"));
    assert_ok(db_run(db, "UPDATE things SET tags = '[]', name = CAST(x'ff' AS TEXT)", DB_NO_BINDS, NULL, &err), err);
    assert_int_equal(record_get(db, &things, "a", &record, &err), ERR_BAD_DATA);
    assert_non_null(strstr(err.message, "'name'"));
    db_close(db);
}

static void assert_page(struct db *db, const struct record_page *page, const char *ids, bool more_expected)
{
    struct error err;
    json_t *rows = NULL, *row;
    char got[64] = "";
    bool more = !more_expected;
    size_t i;
    assert_ok(record_list(db, &things, page, &rows, &more, &err), err);
    json_array_foreach(rows, i, row) strcat(got, json_text(row, "id", "?"));
    assert_string_equal(got, ids);
    assert_int_equal(more, more_expected);
    json_decref(rows);
}

static void test_pages(void **state)
{
    (void)state;
    struct error err;
    struct db *db = with_things();
    for (char c = 'a'; c <= 'g'; c++) {
        char text[64];
        snprintf(text, sizeof text, "{\"id\":\"%c\",\"n\":%d}", c, c % 2);
        insert(db, text);
    }
    assert_page(db, &(struct record_page){.limit = 3}, "gfe", true);
    assert_page(db, &(struct record_page){.limit = 3, .after = "e"}, "dcb", true);
    assert_page(db, &(struct record_page){.limit = 3, .after = "b"}, "a", false);
    assert_page(db, &(struct record_page){.limit = 3, .after = "a"}, "", false);
    assert_page(db, &(struct record_page){.limit = 7}, "gfedcba", false);
    assert_page(db, &(struct record_page){.limit = RECORDS_ALL, .ascending = true}, "abcdefg", false);
    assert_page(db, &(struct record_page){.limit = 2, .ascending = true, .after = "c"}, "de", true);
    const struct db_value odd[] = {db_int(1), db_text("g")};
    struct record_page page = {.where = "n = ?1 OR id = ?2", .binds = odd, .bind_count = 2, .limit = 2};
    assert_page(db, &page, "ge", true);
    page.after = "e";
    assert_page(db, &page, "ca", false);

    const char *const omit[] = {"tags", "made_at", NULL};
    json_t *rows = NULL;
    bool more;
    assert_ok(record_list(db, &things, &(struct record_page){.limit = 1, .omit = omit}, &rows, &more, &err), err);
    json_t *expected = parsed("[{\"id\":\"g\",\"name\":\"none\",\"n\":1,\"ratio\":null,\"enabled\":true}]");
    assert_true(json_equal(rows, expected));
    json_decref(rows);
    json_decref(expected);
    assert_int_equal(
        record_list(db, &things, &(struct record_page){.where = "nonsense = 1", .limit = 1}, &rows, &more, &err),
        ERR_INTERNAL);
    db_close(db);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_round_trip), TEST(test_update_and_delete), TEST(test_wrong_kinds), TEST(test_damaged_values),
        TEST(test_pages),
    };
    return cmocka_run_group_tests_name("store/record", tests, NULL, NULL);
}
