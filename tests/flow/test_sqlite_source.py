"""Rows of SQLite files through `flowforge task`; pyarrow judges what was staged."""

import datetime as dt
import decimal
import random
import sqlite3
import uuid

import db_task
import pytest


class File:
    def __init__(self, path):
        self.path = path

    def execute(self, *script):
        with sqlite3.connect(self.path) as c:
            for statement in script:
                c.execute(*statement) if isinstance(statement, tuple) else c.execute(statement)
        c.close()


@pytest.fixture
def file(tmp_path):
    return File(tmp_path / "in" / "a b%20?#.db")


@pytest.fixture
def lake(tmp_path, file):
    return db_task.DbLake(tmp_path, "sqlite", {"path": str(file.path)})


# Declared type, stored value, our type, what has to come out.
TYPES = [
    ("integer", -(2**63), "bigint", -(2**63)),
    ("tinyint(1)", 1, "bigint", 1),
    ("real", 0.1, "double", 0.1),
    ("double precision", 2**53, "double", 2.0**53),
    ("text", "a\nü\U0001f600", "string", "a\nü\U0001f600"),
    ("text", "", "string", ""),
    ("varchar(3)", "longer", "string", "longer"),
    ("text", 12, "string", "12"),
    ("blob", b"\x00\xff", "binary", b"\x00\xff"),
    ("blob", "ü", "binary", "ü".encode()),
    ("boolean", 1, "boolean", True),
    ("boolean", "false", "boolean", False),
    ("date", "2024-02-29", "date", dt.date(2024, 2, 29)),
    ("datetime", "2024-02-29 23:59:59.123456", "timestamp", dt.datetime(2024, 2, 29, 23, 59, 59, 123456)),
    ("timestamp", "2024-02-29T23:59:59", "timestamp", dt.datetime(2024, 2, 29, 23, 59, 59)),
    ("timestamptz", "2024-02-29T23:59:59+02:00", "timestamptz", dt.datetime(2024, 2, 29, 21, 59, 59, tzinfo=dt.UTC)),
    ("time", "23:59:59.5", "time", dt.time(23, 59, 59, 500000)),
    ("decimal(10,2)", 12.34, "decimal(10,2)", decimal.Decimal("12.34")),
    ("decimal(10,2)", 7, "decimal(10,2)", decimal.Decimal("7.00")),
    ("numeric(38)", "9" * 15, "decimal(38,0)", decimal.Decimal("9" * 15)),
    ("numeric", 1.5, "string", "1.5"),
    ("uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "uuid", uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11").bytes),
    ("json", '{"a":[1,null]}', "json", '{"a":[1,null]}'),
    ("", 5, "string", "5"),
    ("", "x", "string", "x"),
    ("", 0.5, "string", "0.5"),
]


def test_every_declared_type(lake, file):
    columns = ", ".join(f"c{i} {declared}" for i, (declared, *_) in enumerate(TYPES))
    marks = ", ".join("?" for _ in TYPES)
    file.execute(
        f"create table t ({columns})",
        (f"insert into t values ({marks})", [value for _, value, *_ in TYPES]),
        "insert into t default values",
    )
    lake.run(table="t")
    assert list(lake.types().values()) == [ours for _, _, ours, _ in TYPES]
    full, empty = lake.dicts()
    for i, (declared, value, _, expected) in enumerate(TYPES):
        got = full[f"c{i}"]
        got = got.bytes if isinstance(got, uuid.UUID) else got
        assert got == expected, (declared, value)
        assert empty[f"c{i}"] is None


@pytest.mark.parametrize(
    ("declared", "value", "said"),
    [
        ("integer", "abc", '"abc [rowid 2]" is no bigint: not an integer'),
        ("integer", 1.5, '"1.5 [rowid 2]"'),
        ("real", "x", "not a number"),
        ("text", b"\xff\xfe", "bytes, not text"),
        ("date", "29.02.2024", "29.02.2024"),
        ("date", 1709164800, "a number"),
        ("datetime", "2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
        ("decimal(5,2)", 1.005, "1.005"),
        ("decimal(5,2)", "12345.67", "12345.67"),
        ("boolean", 2, '"2 [rowid 2]"'),
        ("json", "{", "not valid JSON"),
        ("blob", 5, "a number"),
    ],
)
def test_a_value_that_its_column_does_not_take_is_a_bad_row(lake, file, declared, value, said):
    file.execute(f"create table t (id integer, v {declared})", "insert into t values (1, null)",
                 ("insert into t values (2, ?)", (value,)), "insert into t values (3, null)")  # fmt: skip
    assert lake.error(table="t")["code"] == "bad_rows"
    result = lake.run(table="t", error_handling="quarantine", quarantine_path="quarantine")
    assert result["rejects_by_code"] == {"CAST": 1}
    assert said in result["rejects"][0]["message"], result["rejects"][0]["message"]
    assert lake.rows("id") == [(1,), (3,)]


@pytest.mark.parametrize("declared", ["datetime", "integer", "text", "decimal(20,6)", "date", "real"])
@pytest.mark.parametrize("seed", [1, 2])
def test_incremental_by_each_type_of_watermark(lake, file, declared, seed):
    r = random.Random(seed)
    values = {
        "datetime": lambda n: (
            f"2024-01-{1 + n // 4:02d}{r.choice(' T')}00:00:0{n % 4}{r.choice(['', '.0', '.000000'])}"
        ),
        "integer": lambda n: 1000 + n,
        "text": lambda n: f"k{n:05d}'",
        "decimal(20,6)": lambda n: n / 1000,
        "date": lambda n: f"2024-01-{1 + n // 3:02d}",
        "real": lambda n: n * 0.1,
    }[declared]
    file.execute(f"create table t (id integer, at {declared})")
    job = {"table": "t", "incremental_mode": "incremental", "watermark_column": "at", "error_handling": "quarantine",
           "quarantine_path": "quarantine"}  # fmt: skip
    n, id_ = 0, 0
    for _ in range(6):
        for _ in range(r.randint(0, 8)):
            n, id_ = min(n + r.randint(0, 2), 80), id_ + 1
            file.execute(("insert into t values (?, ?)", (id_, values(n))))
        if r.random() < 0.5:
            file.execute(("insert into t values (?, null)", (-1,)))
        lake.run(**job)
        assert lake.rows("id") == sorted([(i,) for i in range(1, id_ + 1)], key=repr)


def test_the_lag_and_a_range(lake, file):
    file.execute("create table t (id integer, at datetime)",
                 *[("insert into t values (?, ?)", (i, f"2024-01-01 00:00:{i:02d}")) for i in range(60)])  # fmt: skip
    job = {"table": "t", "incremental_mode": "incremental", "watermark_column": "at", "safety_lag_seconds": 9.5}
    lake.run(**job)
    assert len(lake.rows("id")) == 50 and lake.watermark["value"] == "2024-01-01T00:00:49"
    result = lake.run(**job, range={"from": "2024-01-01T00:00:10", "to": "2024-01-01 00:00:20"})
    assert result["rows"]["written"] == 10 and lake.watermark["value"] == "2024-01-01T00:00:49"


def test_keys_merge(lake, file):
    file.execute("create table t (id integer primary key, at integer, v text) without rowid",
                 "insert into t values (1, 1, 'a'), (2, 2, 'b')")  # fmt: skip
    job = {"table": "t", "incremental_mode": "incremental", "watermark_column": "at", "dedupe_keys": ["id"]}
    lake.run(**job)
    file.execute("update t set v = 'c', at = 3 where id = 1", "insert into t values (3, 3, 'd')")
    lake.run(**job)
    assert lake.rows("id", "v") == [(1, "c"), (2, "b"), (3, "d")]


def test_only_reads_and_only_this_file(lake, file, tmp_path):
    file.execute('create table "a""b; drop" (x integer)', 'insert into "a""b; drop" values (1)', "create table t (x)")
    assert lake.run(table='"a""b; drop"')["rows"]["written"] == 1
    assert lake.run(query='select x, x from "a""b; drop" -- so it is')["rows"]["written"] == 1
    assert lake.types() == {"x": "bigint", "x_2": "bigint"} or list(lake.types()) == ["x", "x:1"]
    other = File(tmp_path / "other.db")
    other.execute("create table secret (x)")
    for query in ("delete from t returning x", "select 1; drop table t", "drop table t", "select 1) ; drop table t --",
                  f"attach '{other.path}' as o", "select * from o.secret", "pragma journal_mode = wal", "select frm t",
                  ""):  # fmt: skip
        assert lake.error(query=query)["code"] in ("invalid", "not_found"), query
    lake.connection["config"] = {"path": str(other.path)}
    assert lake.error(table="secret")["code"] == "denied"
    lake.connection["config"] = {"path": str(file.path) + "x"}
    assert lake.error(table="t")["code"] == "not_found"
    assert not (file.path.parent / (file.path.name + "x")).exists()
    (file.path.parent / "no.db").write_bytes(b"this is no database" * 1000)
    lake.connection["config"] = {"path": str(file.path.parent / "no.db")}
    assert lake.error(table="t")["code"] == "bad_data"


def test_one_snapshot_while_others_write(lake, file):
    file.execute("pragma journal_mode = wal", "create table t (id integer)",
                 *[("insert into t values (?)", (i,)) for i in range(1000)])  # fmt: skip
    with sqlite3.connect(file.path) as writer:
        writer.execute("insert into t values (5000)")  # not committed
        assert lake.run(table="t")["rows"]["written"] == 1000
    writer.close()
    assert lake.run(table="t")["rows"]["written"] == 1001
