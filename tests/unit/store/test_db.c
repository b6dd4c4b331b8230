/* Connections to SQLite: values, statements, transactions, and what goes wrong. */
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/store/store_files.h"

static struct db *opened(const char *name, enum db_mode mode)
{
    struct error err;
    struct db *db = NULL;
    assert_ok(db_open(&db, at(name), mode, &err), err);
    return db;
}

static struct db *with_table(void)
{
    struct error err;
    struct db *db = opened("a.db", DB_WRITE);
    assert_ok(db_script(db,
                        "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, n INTEGER CHECK (n > 0)) STRICT;"
                        "CREATE TABLE child (t INTEGER REFERENCES t (id)) STRICT;",
                        &err),
              err);
    return db;
}

static void test_file_is_private_and_durable(void **state)
{
    (void)state;
    struct stat st;
    struct error err;
    mode_t before = umask(0);
    struct db *db = with_table();
    umask(before);
    const char *names[] = {"a.db", "a.db-wal", "a.db-shm"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(stat(at(names[i]), &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    assert_int_equal(ask(db, "PRAGMA synchronous"), 2);
    assert_int_equal(ask(db, "PRAGMA foreign_keys"), 1);
    db_close(db);
    db_close(NULL);
    assert_int_equal(db_open(&db, at("missing.db"), DB_READ, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "missing.db"));
    assert_int_equal(db_open(&db, at("no/folder.db"), DB_WRITE, &err), ERR_NOT_FOUND);
    assert_int_not_equal(stat(at("missing.db"), &st), 0);
}

static status keep_values(void *self, const struct db_value *row, size_t columns, struct error *err)
{
    (void)err;
    assert_int_equal(columns, 6);
    assert_int_equal(row[0].kind, DB_NULL);
    assert_int_equal(db_int_of(&row[1], 0), INT64_MIN);
    assert_int_equal(row[2].kind, DB_REAL);
    assert_true(row[2].real == 0.25);
    assert_string_equal(db_text_of(&row[3], ""), "caf\xc3\xa9");
    assert_int_equal(row[4].kind, DB_BLOB);
    assert_memory_equal(row[4].bytes, "a\0b", 3);
    assert_int_equal(row[5].length, 0);
    assert_int_equal(row[5].kind, DB_TEXT);
    ++*(int *)self;
    return OK;
}

static void test_values(void **state)
{
    (void)state;
    struct error err;
    struct db *db = opened("a.db", DB_WRITE);
    int rows = 0;
    assert_ok(db_each(db, "SELECT ?1, ?2, ?3, ?4, ?5, ?6",
                      DB_BINDS(db_text(NULL), db_int(INT64_MIN), db_real(0.25), db_text("caf\xc3\xa9"),
                               db_blob("a\0b", 3), db_text("")),
                      keep_values, &rows, &err),
              err);
    assert_int_equal(rows, 1);
    int64_t n;
    assert_ok(db_integer(db, "SELECT 1 WHERE 0", DB_NO_BINDS, -7, &n, &err), err);
    assert_int_equal(n, -7);
    assert_ok(db_integer(db, "SELECT NULL", DB_NO_BINDS, -7, &n, &err), err);
    assert_int_equal(n, -7);
    db_close(db);
}

struct walk {
    struct db *db;
    int seen;
};

/* Runs the statement that is being walked, again. */
static status nested(void *self, const struct db_value *row, size_t columns, struct error *err)
{
    struct walk *w = self;
    int64_t inner;
    (void)columns;
    status s = db_integer(w->db, "SELECT id FROM t ORDER BY id", DB_NO_BINDS, 0, &inner, err);
    if (s != OK)
        return s;
    assert_int_equal(inner, 1);
    if (++w->seen == 2)
        return error_set(err, ERR_LIMIT, "enough at %d", (int)db_int_of(row, 0));
    return OK;
}

static void test_walks(void **state)
{
    (void)state;
    struct error err;
    struct db *db = with_table();
    int64_t changes;
    assert_ok(db_run(db, "INSERT INTO t (name) VALUES ('a'), ('b'), ('c')", DB_NO_BINDS, &changes, &err), err);
    assert_int_equal(changes, 3);
    assert_int_equal(db_last_id(db), 3);
    struct walk w = {.db = db};
    assert_int_equal(db_each(db, "SELECT id FROM t ORDER BY id", DB_NO_BINDS, nested, &w, &err), ERR_LIMIT);
    assert_string_equal(err.message, "enough at 2");
    /* the walk that was ended left nothing open */
    assert_ok(db_begin(db, &err), err);
    assert_ok(db_commit(db, &err), err);
    db_close(db);
}

static void test_more_statements_than_are_kept(void **state)
{
    (void)state;
    struct error err;
    struct db *db = opened("a.db", DB_WRITE);
    char sql[64];
    for (int i = 0; i < 1000; i++) {
        int64_t n;
        snprintf(sql, sizeof sql, "SELECT %d + ?1", i % 300);
        assert_ok(db_integer(db, sql, DB_BINDS(db_int(i)), 0, &n, &err), err);
        assert_int_equal(n, i % 300 + i);
    }
    db_close(db);
}

static void test_constraints(void **state)
{
    (void)state;
    struct error err;
    struct db *db = with_table();
    assert_ok(db_run(db, "INSERT INTO t (name) VALUES (?1)", DB_BINDS(db_text("secret")), NULL, &err), err);
    assert_int_equal(db_run(db, "INSERT INTO t (name) VALUES (?1)", DB_BINDS(db_text("secret")), NULL, &err),
                     ERR_CONFLICT);
    assert_non_null(strstr(err.message, "add to t"));
    assert_non_null(strstr(err.message, "t.name"));
    assert_null(strstr(err.message, "secret"));
    assert_int_equal(db_run(db, "INSERT INTO child (t) VALUES (9)", DB_NO_BINDS, NULL, &err), ERR_CONFLICT);
    assert_int_equal(db_run(db, "DELETE FROM t WHERE 1 = 0", DB_NO_BINDS, NULL, &err), OK);
    assert_int_equal(db_run(db, "UPDATE t SET n = 0", DB_NO_BINDS, NULL, &err), ERR_INVALID);
    assert_non_null(strstr(err.message, "change t"));
    assert_int_equal(db_run(db, "UPDATE t SET n = ?1", DB_BINDS(db_text("x")), NULL, &err), ERR_INVALID);
    assert_int_equal(db_run(db, "SELEKT 1", DB_NO_BINDS, NULL, &err), ERR_INTERNAL);
    /* "x" is no text */
    assert_int_equal(db_run(db, "SELECT \"x\"", DB_NO_BINDS, NULL, &err), ERR_INTERNAL);
    db_close(db);
}

static void test_transactions(void **state)
{
    (void)state;
    struct error err;
    struct db *db = with_table();
    assert_int_equal(db_commit(db, &err), ERR_INTERNAL);
    db_rollback(db);
    assert_ok(db_begin(db, &err), err);
    assert_true(db_in_transaction(db));
    assert_int_equal(db_begin(db, &err), ERR_INTERNAL);
    assert_ok(db_run(db, "INSERT INTO t (name) VALUES ('a')", DB_NO_BINDS, NULL, &err), err);
    db_rollback(db);
    assert_false(db_in_transaction(db));
    assert_int_equal(ask(db, "SELECT count(*) FROM t"), 0);
    assert_ok(db_begin(db, &err), err);
    assert_ok(db_run(db, "INSERT INTO t (name) VALUES ('a')", DB_NO_BINDS, NULL, &err), err);
    assert_ok(db_commit(db, &err), err);
    assert_int_equal(ask(db, "SELECT count(*) FROM t"), 1);
    db_close(db);
}

/* What SQLite rolls back by itself must not go on as single statements. */
static void test_transaction_ended_by_an_error(void **state)
{
    (void)state;
    struct error err;
    struct db *db = with_table();
    assert_ok(db_begin(db, &err), err);
    assert_int_equal(db_run(db, "INSERT OR ROLLBACK INTO t (n) VALUES (0)", DB_NO_BINDS, NULL, &err), ERR_INVALID);
    assert_int_equal(db_run(db, "INSERT INTO t (name) VALUES ('a')", DB_NO_BINDS, NULL, &err), ERR_UNAVAILABLE);
    assert_int_equal(db_commit(db, &err), ERR_UNAVAILABLE);
    assert_int_equal(ask(db, "SELECT count(*) FROM t"), 0);
    assert_ok(db_run(db, "INSERT INTO t (name) VALUES ('a')", DB_NO_BINDS, NULL, &err), err);
    db_close(db);
}

/* A rollback that failed leaves its transaction open: the next statement ends it first. */
static void test_leftover_transaction(void **state)
{
    (void)state;
    struct error err;
    struct db *db = with_table();
    assert_ok(db_script(db, "BEGIN", &err), err);
    assert_ok(db_begin(db, &err), err);
    assert_ok(db_run(db, "INSERT INTO t (name) VALUES ('a')", DB_NO_BINDS, NULL, &err), err);
    assert_ok(db_commit(db, &err), err);
    assert_ok(db_script(db, "BEGIN", &err), err);
    assert_ok(db_run(db, "INSERT INTO t (name) VALUES ('b')", DB_NO_BINDS, NULL, &err), err);
    db_close(db);
    db = opened("a.db", DB_READ);
    assert_int_equal(ask(db, "SELECT count(*) FROM t"), 2);
    db_close(db);
}

static const char fill[] = "INSERT INTO t (name) VALUES (hex(randomblob(200000)))";

/* Each failure has its own code, leaves the transaction undone and the connection usable. */
static void assert_failure(struct db *db, status code, const char *reason)
{
    struct error err;
    assert_ok(db_begin(db, &err), err);
    status s = OK;
    for (int i = 0; i < 40 && s == OK; i++)
        s = db_run(db, fill, DB_NO_BINDS, NULL, &err);
    if (s == OK)
        s = db_commit(db, &err);
    assert_int_equal(s, code);
    assert_true(status_retryable(s));
    if (!strstr(err.message, reason) || !strstr(err.message, "a.db"))
        fail_msg("'%s' does not say '%s'", err.message, reason);
    assert_int_not_equal(err.hint[0], '\0');
    db_rollback(db);
}

static void assert_works(struct db *db)
{
    struct error err;
    assert_int_equal(ask(db, "SELECT count(*) FROM t"), 0);
    assert_ok(db_begin(db, &err), err);
    assert_ok(db_run(db, fill, DB_NO_BINDS, NULL, &err), err);
    assert_ok(db_commit(db, &err), err);
    assert_int_equal(ask(db, "SELECT count(*) FROM t"), 1);
    db_close(db);
}

static void test_full(void **state)
{
    (void)state;
    struct error err;
    struct db *db = with_table();
    assert_ok(db_script(db, "PRAGMA max_page_count = 400", &err), err);
    assert_failure(db, ERR_NO_SPACE, "full");
    assert_works(db);
}

static void test_write_error(void **state)
{
    (void)state;
    struct rlimit before, low;
    struct db *db = with_table();
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    low = (struct rlimit){1000000, before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    assert_failure(db, ERR_IO, "File too large");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_works(db);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    struct error err;
    int64_t n;
    struct db *db = with_table();
    sqlite3_hard_heap_limit64(sqlite3_memory_used() + 1000000);
    status s = db_integer(db, "SELECT length(hex(randomblob(5000000)))", DB_NO_BINDS, 0, &n, &err);
    sqlite3_hard_heap_limit64(0);
    assert_int_equal(s, ERR_NO_MEMORY);
    assert_works(db);
}

static void test_two_connections(void **state)
{
    (void)state;
    struct error err;
    struct db *one = with_table();
    struct db *two = opened("a.db", DB_WRITE);
    struct db *reader = opened("a.db", DB_READ);
    assert_ok(db_script(two, "PRAGMA busy_timeout = 50", &err), err);
    assert_ok(db_begin(one, &err), err);
    assert_ok(db_run(one, "INSERT INTO t (name) VALUES ('a')", DB_NO_BINDS, NULL, &err), err);
    assert_int_equal(db_begin(two, &err), ERR_UNAVAILABLE);
    assert_false(db_in_transaction(two));
    assert_true(status_retryable(err.code));
    assert_non_null(strstr(err.hint, "another process"));
    assert_int_equal(ask(reader, "SELECT count(*) FROM t"), 0);
    assert_ok(db_commit(one, &err), err);
    assert_int_equal(ask(reader, "SELECT count(*) FROM t"), 1);
    assert_ok(db_begin(two, &err), err);
    assert_ok(db_commit(two, &err), err);
    /* a reader's transaction is one view */
    assert_ok(db_begin(reader, &err), err);
    assert_int_equal(ask(reader, "SELECT count(*) FROM t"), 1);
    assert_ok(db_run(one, "INSERT INTO t (name) VALUES ('b')", DB_NO_BINDS, NULL, &err), err);
    assert_int_equal(ask(reader, "SELECT count(*) FROM t"), 1);
    assert_ok(db_commit(reader, &err), err);
    assert_int_equal(ask(reader, "SELECT count(*) FROM t"), 2);
    assert_int_equal(db_run(reader, "DELETE FROM t", DB_NO_BINDS, NULL, &err), ERR_DENIED);
    db_close(reader);
    db_close(two);
    db_close(one);
}

/* Opening the file once more must not take off the lock of the one who writes. */
static void test_opening_keeps_locks(void **state)
{
    (void)state;
    struct error err;
    struct db *one = with_table();
    assert_ok(db_begin(one, &err), err);
    struct db *two = opened("a.db", DB_WRITE);
    assert_ok(db_script(two, "PRAGMA busy_timeout = 50", &err), err);
    assert_int_equal(db_begin(two, &err), ERR_UNAVAILABLE);
    db_close(two);
    db_rollback(one);
    db_close(one);
}

static void overwrite(const char *path, off_t from, size_t n)
{
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(pwrite(fd, "\xa5", 1, from + (off_t)i), 1);
    close(fd);
}

static void test_damaged_file(void **state)
{
    (void)state;
    struct error err;
    int64_t n;
    struct db *db = with_table();
    for (int i = 0; i < 500; i++)
        assert_ok(db_run(db, "INSERT INTO t (name, n) VALUES ('name ' || ?1, 1)", DB_BINDS(db_int(i)), NULL, &err),
                  err);
    db_close(db);
    overwrite(at("a.db"), 4096 * 2, 4096 * 3);
    db = opened("a.db", DB_WRITE);
    assert_int_equal(db_integer(db, "SELECT sum(length(name)) FROM t NOT INDEXED", DB_NO_BINDS, 0, &n, &err),
                     ERR_IO);
    assert_non_null(strstr(err.message, "a.db"));
    assert_non_null(strstr(err.message, "malformed"));
    assert_non_null(strstr(err.hint, ".recover"));
    db_close(db);
    overwrite(at("a.db"), 0, 100);
    assert_int_equal(db_open(&db, at("a.db"), DB_WRITE, &err), ERR_BAD_DATA);
    assert_non_null(strstr(err.message, "a.db"));
    assert_non_null(strstr(err.hint, "backup"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_file_is_private_and_durable),
        TEST(test_values),
        TEST(test_walks),
        TEST(test_more_statements_than_are_kept),
        TEST(test_constraints),
        TEST(test_transactions),
        TEST(test_transaction_ended_by_an_error),
        TEST(test_leftover_transaction),
        TEST(test_full),
        TEST(test_write_error),
        TEST(test_out_of_memory),
        TEST(test_two_connections),
        TEST(test_opening_keeps_locks),
        TEST(test_damaged_file),
    };
    return cmocka_run_group_tests_name("store/db", tests, NULL, NULL);
}
