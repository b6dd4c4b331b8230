"""Rows of a real PostgreSQL through `flowforge task`; pyarrow judges what was staged, psycopg what it should be."""

import datetime as dt
import decimal
import json
import uuid

import db_task
import pytest
import test_task

UTC = dt.UTC


@pytest.fixture
def lake(tmp_path, postgres):
    return db_task.DbLake(tmp_path, "postgres", postgres.config)


# One row a type: how it is declared, a literal, our type, the value that has to come out.
TYPES = [
    ("boolean", "true", "boolean", True),
    ("smallint", "-32768", "integer", -32768),
    ("integer", "2147483647", "integer", 2147483647),
    ("bigint", "-9223372036854775808", "bigint", -(2**63)),
    ("oid", "4294967295", "bigint", 4294967295),
    ("real", "1.5", "float", 1.5),
    ("double precision", "0.1", "double", 0.1),
    ("double precision", "'-infinity'", "double", float("-inf")),
    ("numeric(15,2)", "-1234567890123.05", "decimal(15,2)", decimal.Decimal("-1234567890123.05")),
    ("numeric(38,38)", "0.00000000000000000000000000000000000001", "decimal(38,38)", decimal.Decimal("1e-38")),
    ("numeric(38,0)", "9" * 38, "decimal(38,0)", decimal.Decimal("9" * 38)),
    (
        "numeric(38,10)",
        "-1234567890123456789012345678.0123456789",
        "decimal(38,10)",
        decimal.Decimal("-1234567890123456789012345678.0123456789"),
    ),
    ("numeric(5)", "12300", "decimal(5,0)", decimal.Decimal(12300)),
    (
        "numeric",
        "123456789012345678901234567890123456789012345.000010",
        "string",
        "123456789012345678901234567890123456789012345.000010",
    ),
    ("numeric(50,3)", "1.5", "string", "1.500"),
    ("numeric", "'NaN'", "string", "NaN"),
    ("text", "'a\nü\U0001f600'", "string", "a\nü\U0001f600"),
    ("text", "''", "string", ""),
    ("varchar(10)", "'x'", "string", "x"),
    ("char(3)", "'x'", "string", "x  "),
    ("name", "'x'", "string", "x"),
    ('"char"', "'x'", "string", "x"),
    ("bytea", r"'\x00ff41'", "binary", b"\x00\xffA"),
    ("uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "uuid", uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
    ("json", """'{"a" : [1, null]}'""", "json", '{"a" : [1, null]}'),
    ("jsonb", """'{"a" : [1, null]}'""", "json", '{"a": [1, null]}'),
    ("xml", "'<a>ü</a>'", "string", "<a>ü</a>"),
    ("date", "'0001-01-01'", "date", dt.date(1, 1, 1)),
    ("date", "'9999-12-31'", "date", dt.date(9999, 12, 31)),
    ("time", "'23:59:59.999999'", "time", dt.time(23, 59, 59, 999999)),
    ("timetz", "'12:00:00.5+02'", "string", "12:00:00.5+02"),
    ("timestamp", "'1969-12-31 23:59:59.999999'", "timestamp", dt.datetime(1969, 12, 31, 23, 59, 59, 999999)),
    (
        "timestamptz",
        "'2024-03-31 02:30:00.000001+01'",
        "timestamptz",
        dt.datetime(2024, 3, 31, 1, 30, 0, 1, tzinfo=UTC),
    ),
    ("interval", "'1 year 2 mons 3 days 04:05:06.7'", "string", "P1Y2M3DT4H5M6.7S"),
    ("integer[]", "'{{1,2},{3,NULL}}'", "json", "[[1,2],[3,null]]"),
    ("text[]", """array['a"b', null, 'c\\d', '']""", "json", '["a\\"b",null,"c\\\\d",""]'),
    ("numeric[]", "'{1.50,NaN}'", "json", '[1.50,"NaN"]'),
    ("timestamptz[]", "array['2024-01-01 00:00:00+01'::timestamptz]", "json", '["2023-12-31T23:00:00+00:00"]'),
    ("bit(4)", "B'0101'", "string", "0101"),
    ("varbit", "B'01'", "string", "01"),
    ("inet", "'10.0.0.1/8'", "string", "10.0.0.1/8"),
    ("cidr", "'10.0.0.0/8'", "string", "10.0.0.0/8"),
    ("macaddr", "'08:00:2b:01:02:03'", "string", "08:00:2b:01:02:03"),
    ("money", "12.5", "string", "$12.50"),
    ("int4range", "'[1,5)'", "string", "[1,5)"),
    ("point", "'(1,2)'", "string", "(1,2)"),
    ("tsvector", "'a b'", "string", "'a' 'b'"),
    ("mood", "'very happy'", "string", "very happy"),
    ("pair", "row(1,'x y')", "string", '(1,"x y")'),
    ("positive", "7", "integer", 7),
    ("price", "7.5", "decimal(6,2)", decimal.Decimal("7.50")),
    ("positive[]", "array[1,2]::positive[]", "json", "[1,2]"),
    ("citext", "'Ab'", "string", "Ab"),
]
DECLARE = """create type mood as enum ('sad', 'very happy'); create type pair as (a int, b text);
create domain positive as integer check (value > 0); create domain price as numeric(6,2);"""


def plain(value):
    return uuid.UUID(bytes=value) if isinstance(value, bytes) and len(value) == 16 else value


def test_every_type_comes_out_exactly(lake, postgres):
    postgres.execute("create extension citext")
    postgres.execute(DECLARE)
    columns = ", ".join(f"c{i} {declared}" for i, (declared, *_) in enumerate(TYPES))
    postgres.execute(f"create table every ({columns})")
    postgres.execute(f"insert into every values ({', '.join(literal for _, literal, *_ in TYPES)})")
    postgres.execute("insert into every default values")
    lake.run(table="public.every")
    assert list(lake.types().values()) == [ours for _, _, ours, _ in TYPES]
    full, empty = lake.dicts()
    for i, (declared, literal, ours, expected) in enumerate(TYPES):
        got = full[f"c{i}"]
        got = plain(got) if ours == "uuid" else got
        assert got == expected, (declared, literal, ours)
        assert empty[f"c{i}"] is None, declared
        if ours == "json":
            json.loads(got)


@pytest.mark.parametrize(
    ("declared", "literal", "said"),
    [
        ("date", "'infinity'", "infinity"),
        ("timestamp", "'-infinity'", "-infinity"),
        ("timestamptz", "'infinity'", "infinity"),
        ("timestamp", "'12000-01-01'", "years 0001 to 9999"),
        ("date", "'0044-03-15 BC'", "years 0001 to 9999"),
        ("time", "'24:00:00'", "24:00:00"),
        ("numeric(5,2)", "'NaN'", "NaN"),
    ],
)
def test_a_value_that_no_type_of_ours_holds_is_a_bad_row(lake, postgres, declared, literal, said):
    postgres.execute(f"create table t (id int, v {declared})")
    postgres.execute(f"insert into t values (1, null), (2, {literal}), (3, null)")
    error = lake.error(table="t")
    assert error["code"] == "bad_rows"
    result = lake.run(table="t", error_handling="quarantine", quarantine_path="quarantine")
    assert result["rows"]["rejected"] == 1
    assert said in result["rejects"][0]["message"]
    assert "'v'" in result["rejects"][0]["message"]
    assert lake.rows("id") == [(1,), (3,)]
    lake.run(query="select id from t")  # who does not take the column is not bothered
    assert len(lake.rows("id")) == 3


# ---- incremental ----

INCREMENTAL = {"incremental_mode": "incremental", "watermark_column": "at"}


def test_incremental_takes_what_is_new_and_nothing_twice(lake, postgres):
    postgres.execute("create table t (id int, at timestamptz)")
    postgres.execute("insert into t values (1, '2024-01-01 10:00:00.000001+01'), (2, '2024-01-01 10:00:00.000002+01')")
    assert lake.run(table="t", **INCREMENTAL)["rows"]["written"] == 2
    assert lake.watermark["value"] == "2024-01-01T09:00:00.000002Z"
    again = lake.run(table="t", **INCREMENTAL)
    assert (again["outcome"], again["rows"]["read"], again["rows"]["filtered"]) == ("skipped", 1, 1)
    # a tie that came late, one microsecond more, and one that is too late
    postgres.execute(
        "insert into t values (3, '2024-01-01 09:00:00.000002Z'), (4, '2024-01-01 09:00:00.000003Z'), "
        "(5, '2024-01-01 09:00:00Z')"
    )
    result = lake.run(table="t", **INCREMENTAL)
    assert result["rows"] == {"read": 3, "written": 2, "rejected": 0, "deduped": 0, "filtered": 1, "replaced": 0}
    assert lake.rows("id") == [(1,), (2,), (3,), (4,)]
    assert lake.watermark["value"] == "2024-01-01T09:00:00.000003Z"


def test_incremental_with_keys_merges_and_dedupes(lake, postgres):
    job = INCREMENTAL | {"dedupe_keys": ["id"], "table": "t"}
    postgres.execute("create table t (id int, at timestamp, v text)")
    postgres.execute("insert into t values (1, '2024-01-01', 'a'), (2, '2024-01-01', 'b'), (1, '2024-01-02', 'c')")
    result = lake.run(**job)
    assert result["rows"] == {"read": 3, "written": 2, "rejected": 0, "deduped": 1, "filtered": 0, "replaced": 0}
    assert lake.rows("id", "v") == [(1, "c"), (2, "b")]
    postgres.execute("insert into t values (2, '2024-01-03', 'd'), (3, '2024-01-03', 'e')")
    result = lake.run(**job)
    assert result["rows"] == {"read": 3, "written": 3, "rejected": 0, "deduped": 0, "filtered": 0, "replaced": 2}
    assert lake.rows("id", "v") == [(1, "c"), (2, "d"), (3, "e")]
    postgres.execute("insert into t values (null, '2024-01-04', 'f')")
    assert lake.error(**job)["code"] == "bad_rows"
    result = lake.run(**job, error_handling="quarantine", quarantine_path="quarantine")
    assert result["rejects_by_code"] == {"NULL_KEY": 1}


def test_null_watermarks_are_bad_rows_and_never_lost(lake, postgres):
    postgres.execute("create table t (id int, at bigint); insert into t values (1, 10), (2, null), (3, 11)")
    job = INCREMENTAL | {"table": "t", "error_handling": "quarantine", "quarantine_path": "quarantine"}
    result = lake.run(**job)
    assert (result["rows"]["written"], result["rejects_by_code"]) == (2, {"NULL_WATERMARK": 1})
    postgres.execute("insert into t values (4, null), (5, 12)")
    result = lake.run(**job)
    assert (result["rows"]["written"], result["rejects_by_code"]) == (1, {"NULL_WATERMARK": 2})
    assert lake.rows("id") == [(1,), (3,), (5,)]
    assert lake.error(**INCREMENTAL, table="t")["code"] == "bad_rows"


def test_backfill_takes_a_range_and_leaves_the_watermark(lake, postgres):
    postgres.execute("create table t (id int, at date); insert into t select n, date '2024-01-01' + n from "
                     "generate_series(0, 9) n; insert into t values (99, null)")  # fmt: skip
    job = {"query": "select * from t where at is not null", "dedupe_keys": ["id"]} | INCREMENTAL
    lake.run(**job)
    mark = lake.watermark
    postgres.execute("update t set id = id + 100 where at >= '2024-01-03' and at < '2024-01-05'")
    result = lake.run(**job, range={"from": "2024-01-03", "to": "2024-01-05"})
    assert result["rows"]["read"] == result["rows"]["written"] == 2
    assert lake.watermark == mark
    assert (102,) in lake.rows("id") and (103,) in lake.rows("id") and len(lake.rows("id")) == 12
    assert lake.run(**job, range={"from": "2030-01-03", "to": "2030-01-05"})["outcome"] == "skipped"


def test_safety_lag_leaves_the_newest_for_later(lake, postgres):
    postgres.execute("create table t (id int, at timestamptz); insert into t select n, timestamptz '2024-01-01 00:00Z' "
                     "+ n * interval '1 second' from generate_series(0, 100) n")  # fmt: skip
    lake.run(table="t", safety_lag_seconds=10.5, **INCREMENTAL)
    assert lake.watermark["value"] == "2024-01-01T00:01:29Z"
    assert len(lake.rows("id")) == 90
    postgres.execute("insert into t values (500, '2024-01-01 00:01:29.75Z'), (501, '2024-01-01 00:02:00Z')")
    lake.run(table="t", safety_lag_seconds=10.5, **INCREMENTAL)
    assert sorted(i for (i,) in lake.rows("id")) == [*range(101), 500]
    error = lake.error(table="t", safety_lag_seconds=10, incremental_mode="incremental", watermark_column="id")
    assert "watermark is kept for column" in error["message"]


@pytest.mark.parametrize("declared", ["text", "varchar(20)", "uuid", "numeric(20,4)", "numeric", "citext", "date"])
def test_watermarks_of_other_types(lake, postgres, declared):
    postgres.execute("create extension citext")
    values = {
        "uuid": ["00000000-0000-0000-0000-00000000000" + c for c in "19aF"],
        "date": ["2024-01-01", "2024-01-02", "2024-02-01", "2025-01-01"],
        "numeric(20,4)": ["1", "1.0001", "2", "1000"],
        "numeric": ["1", "2", "3", "4.5"],
    }.get(declared, ["Z", "a", "b'", "ä"])
    postgres.execute(f"create table t (id int, at {declared})")
    for i, value in enumerate(values[:2]):
        postgres.execute(f"insert into t values (%s, %s::{declared})", (i, value))
    job = {"table": "t"} | INCREMENTAL
    assert lake.run(**job)["rows"]["written"] == 2
    assert lake.run(**job)["outcome"] == "skipped"
    for i, value in enumerate(values[2:]):
        postgres.execute(f"insert into t values (%s, %s::{declared})", (2 + i, value))
    assert lake.run(**job)["rows"]["written"] == 2
    assert lake.rows("id") == [(0,), (1,), (2,), (3,)]


def test_the_window_uses_the_index(lake, postgres):
    postgres.execute("create table t (id int, at timestamptz); insert into t select n, timestamptz '2024-01-01Z' + n * "
                     "interval '1 s' from generate_series(1, 100000) n; create index on t (at); analyze t")  # fmt: skip
    with postgres.connect() as c:
        c.execute("select set_config('flowforge.lower', '2024-01-02T03:46:30Z', false)")
        c.execute("select set_config('flowforge.upper', '2024-01-03T00:00:00Z', false)")
        plan = c.execute(
            "explain select q.c1 from t as q(c1, c2) where (q.c2 >= current_setting('flowforge.lower')::timestamptz and"
            " q.c2 <= current_setting('flowforge.upper')::timestamptz) or q.c2 is null"
        ).fetchall()
    assert "Index" in str(plan) and "Seq Scan" not in str(plan)


# ---- names and texts that are none of SQL's business ----


def test_odd_names_and_hostile_texts_stay_names_and_texts(lake, postgres):
    postgres.execute('create schema "S.1"; create table "S.1"."a""b; drop table t --" ("Id ""x" int, "At" text)')
    postgres.execute("create table t (id int)")
    postgres.execute("""insert into "S.1"."a""b; drop table t --" values (1, ''';drop table t;--')""")
    table = '"S.1"."a""b; drop table t --"'
    job = {"incremental_mode": "incremental", "watermark_column": "at2", "rename_map": {"At": "at2"}, "table": table}
    assert lake.run(**job)["rows"]["written"] == 1
    assert lake.watermark["value"] == "';drop table t;--"
    assert lake.run(**job)["outcome"] == "skipped"
    assert lake.rows('Id "x', "at2") == [(1, "';drop table t;--")]
    assert postgres.execute("select count(*) from t") == [(0,)]
    for name in ("t; drop table t", 't" as q; drop table t; --', "a.b.c", "", '"t', "public..t", "(select 1)"):
        assert lake.error(table=name)["code"] in ("invalid", "not_found"), name
    for query in ("select 1; drop table t", "select 1) as q; drop table t; --", "delete from t returning 1",
                  "insert into t values (1) returning id", "with x as (delete from t returning 1) select 1",
                  "select nextval('s')", "drop table t"):  # fmt: skip
        assert lake.error(query=query)["code"] in ("invalid", "not_found", "unsupported"), query
    assert postgres.execute("select count(*) from t") == [(0,)]


def test_a_query_may_repeat_names_and_end_in_a_comment(lake, postgres):
    lake.run(query="select 1 as a, 2 as a, 3 as \"A\", 'x', 'y' -- that is all")
    assert list(lake.one().items()) == [("a", 1), ("a_2", 2), ("A_3", 3), ("column_4", "x"), ("column_5", "y")]


def test_user_schema_renames_partitions_and_shows_missing_columns(lake, postgres):
    postgres.execute("create table t (id int, n numeric, day date); insert into t values (1, 1.25, '2024-01-01'), "
                     "(2, 2.345, '2024-01-02')")  # fmt: skip
    schema = [
        {"name": "n", "type": "decimal(5,2)", "nullable": True},
        {"name": "key", "type": "string", "nullable": False},
        {"name": "none", "type": "date", "nullable": True},
        {"name": "day", "type": "date", "nullable": True},
    ]
    result = lake.run(
        table="t", schema_mode="user", user_schema=schema, rename_map={"id": "key"}, partition_mode="column",
        partition_pattern="day", error_handling="quarantine", quarantine_path="quarantine",
    )  # fmt: skip
    assert result["rejects_by_code"] == {"CAST": 1}
    (row,) = lake.dicts()
    assert (row["n"], row["key"], row["none"]) == (decimal.Decimal("1.25"), "1", None)
    assert "day=2024-01-01/" in lake.files[0]["path"]
    assert lake.files[0]["source_uri"].startswith("postgres://127.0.0.1/")
    assert "quoted" not in lake.files[0]["source_uri"]


def test_an_empty_table(lake, postgres):
    postgres.execute("create table t (id int, v text)")
    assert lake.run(table="t")["rows"]["written"] == 0
    assert lake.types() == {"id": "integer", "v": "string"}
    assert lake.run(table="t", incremental_mode="incremental", watermark_column="id")["outcome"] == "skipped"


# ---- before a run ----


def test_preview_shows_the_first_rows_at_once(lake, postgres):
    postgres.execute("create table t as select n as id, 'v' || n as v from generate_series(1, 300000) n")
    shown = answer("preview", lake.payload(table="t") | {"rows": 100})
    assert len(shown["rows"]) == 100 and shown["rows"][99] == ["100", "v100"]
    assert [c["type"] for c in shown["schema"]] == ["integer", "string"]
    assert (shown["whole"], shown["input"]["format"]) == (False, "query")
    assert answer("preview", lake.payload(query="select 1 as a"))["whole"] is True


def test_plan_tells_the_window(lake, postgres):
    postgres.execute("create table t as select n as at from generate_series(1, 1000) n; analyze t")
    plan = answer("plan", lake.payload(table="t", **INCREMENTAL))
    assert plan["window"] == {"column": "at", "from": None, "to": "1000", "to_open": False}
    assert 300 < plan["rows_estimate"] < 1100
    assert plan["example_path"].startswith("bronze/orders/")


def answer(name, payload):
    done = test_task.task(name, payload, raw=True)
    assert done.returncode == 0, done.stdout
    return json.loads(done.stdout)
