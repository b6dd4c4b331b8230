"""Types and values of CSV columns against the model, and against DuckDB and Polars where they agree by definition."""

import datetime
import random

import csv_files
import duckdb
import model
import polars
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import tables
from flowforge import SMALL_CHUNKS, SOAK, convert

ROUNDS = 1000 if SOAK else 25
EDGES = {
    "boolean": ["true", "True", "TRUE", "false", "False", "FALSE"],
    "integer": ["0", "1", "-1", "42", "-99999", "9007199254740992", "-9007199254740992"],
    "big": ["9007199254740993", "-9007199254740993", "9223372036854775807", "-9223372036854775808"],
    "double": [
        "1.5", "-0", "-0.0", ".5", "5.", "-.5", "1e5", "1E-5", "1.25e+10", "0.1", "123456789012345678901234567890.5",
        "1e308", "4.9e-324", "1e-400", "2.2250738585072011e-308", "9007199254740993.0", "0e0", "0.30000000000000004",
    ],
    "date": ["2024-02-29", "0001-01-01", "9999-12-31", "1969-12-31", "1970-01-01"],
    "timestamp": [
        "2024-01-02 03:04", "2024-01-02T03:04:05", "1969-12-31 23:59:59.999999", "2024-01-02 03:04:05.1",
        "2024-01-02T03:04:05.123456000", "0001-01-01 00:00:00", "9999-12-31 23:59:59.999999",
    ],
    "instant": [
        "2024-01-02T03:04:05Z", "2024-01-02 03:04:05+02", "2024-01-02 03:04:05 -0530", "2024-01-02T03:04:05.5+05:45",
        "2024-01-02T03:04Z", "0001-01-01T00:00:00Z", "2024-01-02T03:04:05+23:59", "9999-12-31T23:59:59.999999Z",
    ],
    "odd": [
        "007", "00", "+1", "-", ".", "1e", "e5", "1e400", "-1e400", "9223372036854775808", "-9223372036854775809", "tRUE",
        "t", "yes", "2023-02-29", "2024-13-01", "2024-00-10", "0000-01-01", "2024-1-2", "2024-01-02 24:00", "nan", "NaN",
        "2024-01-02 03:04:60", "2024-01-02T03:04:05.1234567", "2024-01-02t03:04:05", "2024-01-02 03", "inf", "Infinity",
        " 1", "1 ", "1_000", "1,5", "0x10", "01.5", "-01", "--1", "1.2.3", "2024-01-02 03:04:05+24:00", "2024-01-02Z",
        "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "2024-01-02 03:04:05z", "2024-01-02 03:04:05+1",
        "2024-01-02 03:04:05+0100:00", "2024-01-02 03:04:05+01:60", "2024-01-02  03:04", "NULL", "null", "NA", "1d", "1f",
        "2024-01-02 03:04:05.", "2024-01-02 03:04:05  Z", "-0001-01-01", "12024-01-01", "02024-01-01", "1e5.0", "1.e5",
        "-.e5", "00.5", "-00", "-0e0", "1.0f", "٣", "²", "1\u00a0", "2024−01−02", "0.", "-0.", "-5.", "0e-5", "1E+", "1e+-5",
    ],
}  # fmt: skip


def random_value(rng, kind):
    if rng.random() < 0.4:
        return rng.choice(EDGES[kind])
    day = datetime.date(1, 1, 1) + datetime.timedelta(days=rng.randrange(3652059))
    clock = f"{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}"
    part = rng.choice(["", "", f".{rng.randrange(10**6):06}", f".{rng.randrange(1000):03}", f".{rng.randrange(10)}"])
    if kind == "boolean":
        return rng.choice(EDGES[kind])
    if kind == "integer":
        return str(rng.randint(-(10 ** rng.randint(1, 15)), 10 ** rng.randint(1, 15)))
    if kind == "big":
        return str(rng.choice([1, -1]) * rng.randint(2**53 + 1, 2**63 - 1))
    if kind == "double":
        number = rng.choice([rng.uniform(-1e6, 1e6), rng.uniform(-1, 1) * 10 ** rng.randint(-300, 300)])
        return rng.choice([repr(number), f"{number:.3f}" if abs(number) < 1e15 else repr(number), f"{number:e}"])
    if kind == "date":
        return f"{day:%m-%d}".join([f"{day.year:04}-", ""])
    text = f"{day.year:04}-{day:%m-%d}{rng.choice('T ')}{clock}{part}"
    if kind == "timestamp":
        return text
    if kind == "instant":
        return text + rng.choice(["Z", " Z", "+00", "+01:00", "-0330", " +14:00"])
    if rng.random() < 0.3:  # one letter of a good value made another
        good = random_value(rng, rng.choice([k for k in EDGES if k != "odd"]))
        at = rng.randrange(len(good))
        return good[:at] + rng.choice("0123456789-+.eETZ: x") + good[at + 1 :]
    return rng.choice(EDGES["odd"])


def random_column(rng, rows):
    kinds = rng.choices(list(EDGES), k=1)
    if rng.random() < 0.5:
        kinds.append(rng.choice(list(EDGES)))
    if rng.random() < 0.1:
        kinds = []
    nulls = rng.choice([0, 0, 0.1, 0.9])
    main = kinds[0] if kinds else None
    rare = rng.choice([0.5, 0.01])
    out = []
    for _ in range(rows):
        kind = main if len(kinds) < 2 or rng.random() > rare else kinds[1]
        out.append(None if kind is None or rng.random() < nulls else random_value(rng, kind))
    return out


def expect(columns):
    inferred = {name: model.infer(cells) for name, cells in columns.items()}
    return {n: kind for n, (kind, _) in inferred.items()}, {n: values for n, (_, values) in inferred.items()}


def write(path, columns, rng, quoting="minimal"):
    rows = list(zip(*columns.values(), strict=True))
    path.write_bytes(csv_files.write(rows, list(columns), csv_files.Dialect(quoting=quoting), rng))


OPTIONS = ("--from", "csv", "--header", *csv_files.Dialect().options())


def check_file(source, target, columns, *options):
    result = convert(source, target, "--overwrite", *OPTIONS, *options)
    types, values = expect(columns)
    assert tables.types_of(result.report) == types
    tables.check(values, tables.read(target))
    return result


@pytest.mark.parametrize("part", range(16))
def test_random_columns(tmp_path, part):
    for at in range(ROUNDS):
        rng = csv_files.seeded("infer", part, at)
        rows = rng.choice([1, 2, 3, 8, 50, 400])
        columns = {f"c{i}": random_column(rng, rows) for i in range(rng.choice([1, 3, 12]))}
        write(tmp_path / "in.csv", columns, rng, rng.choice(["minimal", "random"]))
        try:
            check_file(tmp_path / "in.csv", tmp_path / "out.parquet", columns)
        except AssertionError as wrong:
            raise AssertionError(f"part {part}, file {at}: {wrong}\n{columns}") from wrong


def test_each_edge_alone_and_each_pair(tmp_path):
    """One column for each value, and for each pair of one value of a kind with one of another."""
    values = [v for kind in EDGES.values() for v in kind]
    columns = {f"one{at}": [v] for at, v in enumerate(values)}
    write(tmp_path / "one.csv", columns, random.Random(1))
    check_file(tmp_path / "one.csv", tmp_path / "one.parquet", columns)
    pairs = [(a, b) for a in values for b in values if a != b]
    pairs = random.Random(2).sample(pairs, 6000)
    for start in range(0, len(pairs), 1000):
        columns = {f"pair{at}": list(pair) for at, pair in enumerate(pairs[start : start + 1000])}
        write(tmp_path / "pair.csv", columns, random.Random(3))
        check_file(tmp_path / "pair.csv", tmp_path / "pair.parquet", columns)


@pytest.mark.parametrize("part", range(4 if not SOAK else 100))
def test_random_columns_over_many_chunks(tmp_path, part):
    rng = csv_files.seeded("infer-chunks", part)
    rows = rng.randint(15000, 30000)
    columns = {f"c{i}": random_column(rng, rows) for i in range(6)}
    write(tmp_path / "in.csv", columns, rng)
    check_file(tmp_path / "in.csv", tmp_path / "out.parquet", columns, *SMALL_CHUNKS)


LATE = {
    "int to text": ("12345", "x7"),
    "int to leading zero": ("12345", "007"),
    "int beyond 64 bits": ("12345", "9223372036854775808"),
    "int to double": ("12345", "0.5"),
    "big int to double": ("9007199254740993", "0.5"),
    "date to text": ("2024-02-29", "2023-02-29"),
    "date to timestamp": ("2024-02-29", "2024-02-29 10:00"),
    "timestamp to timestamptz": ("2024-02-29 10:00", "2024-02-29 10:00Z"),
    "bool to text": ("true", "yes"),
    "double to text": ("1.50", "1_5"),
    "double to big int": ("1.50", "9007199254740993"),
    "text to int": ("abc", "5"),
}


IN_FLIGHT = 12 << 20  # with 64M all chunks that are under way at one time


@pytest.mark.parametrize("case", LATE)
def test_late_widening(tmp_path, case):
    """One odd value in the last row of many chunks is worth as much as in the first."""
    usual, odd = LATE[case]
    rows, filler = 70_000, "x" * 200
    numbers = pa.array([f"{n:05}" for n in range(rows)])
    kind, (plain, special) = model.infer([usual, odd])
    widens = kind != model.infer([usual])[0]
    for place, threads in (("first", "2"), ("last", "2"), ("last", "1"), ("last", "190")):
        first = place == "first"
        lines = [f"{usual},{n:05}{filler}\n" for n in range(rows)]
        lines[0 if first else -1] = lines[0 if first else -1].replace(usual, odd, 1)
        source, target = tmp_path / "in.csv", tmp_path / "out.parquet"
        source.write_text("a,b\n" + "".join(lines))
        assert source.stat().st_size > IN_FLIGHT
        result = convert(source, target, "--overwrite", *OPTIONS, "--threads", threads)
        assert tables.types_of(result.report) == {"a": kind, "b": "string"}
        table = pq.read_table(target)
        assert table.num_rows == rows
        found = table["a"]
        assert tables.same(found[0 if first else -1].as_py(), special)
        rest = pc.unique(found.slice(1) if first else found.slice(0, rows - 1)).to_pylist()
        assert len(rest) == 1
        assert tables.same(rest[0], plain)
        assert pc.all(pc.equal(pc.utf8_slice_codeunits(table["b"], 0, 5), numbers)).as_py()
        assert result.report["passes"] == (2 if widens and not first else 1)


def test_null_to_a_type_in_the_last_row(tmp_path):
    rows = 200_000
    for odd in ("5", "text", "2024-01-01", "1.5"):
        source, target = tmp_path / "in.csv", tmp_path / "out.parquet"
        source.write_text("a,b\n" + ",abcdefgh\n" * rows + f"{odd},x\n")
        result = convert(source, target, "--overwrite", *OPTIONS, *SMALL_CHUNKS)
        kind, values = model.infer([odd])
        assert tables.types_of(result.report)["a"] == kind
        tables.check({"a": [None] * rows + values}, {"a": tables.read(target)["a"]})


def test_agrees_with_duckdb_and_polars(tmp_path):
    rng = random.Random(5)
    rows = 20000
    columns = {
        "i": [str(rng.randint(-(2**40), 2**40)) for _ in range(rows)],
        "d": [repr(rng.uniform(-1e9, 1e9)) for _ in range(rows)],
        "day": [str(datetime.date(1990, 1, 1) + datetime.timedelta(days=rng.randrange(20000))) for _ in range(rows)],
        "at": [
            str(datetime.datetime(1990, 1, 1) + datetime.timedelta(seconds=rng.randrange(10**9))) for _ in range(rows)
        ],
        "t": ["".join(rng.choices("abc,\n äß🙂", k=6)) + "x" for _ in range(rows)],
        "n": [None if rng.random() < 0.5 else str(rng.randrange(100)) for _ in range(rows)],
        "b": [rng.choice(["true", "false"]) for _ in range(rows)],
    }
    source, target = tmp_path / "in.csv", tmp_path / "out.parquet"
    write(source, columns, rng, "all")
    check_file(source, target, columns)
    ours = tables.read(target)
    peer = duckdb.sql(
        f"select * from read_csv('{source}', header=true, quote='\"', escape='\"', delim=',', sample_size=-1, "
        "strict_mode=true, new_line='\\n')"
    ).fetchall()
    assert peer == list(zip(*ours.values(), strict=True))
    assert duckdb.sql(f"select * from '{target}'").fetchall() == peer
    frame = polars.read_csv(source, try_parse_dates=True, infer_schema_length=None)
    for name in frame.columns:
        assert frame[name].to_list() == ours[name], name
    back = polars.read_parquet(target)
    for name in back.columns:
        assert back[name].to_list() == ours[name], name


def test_header_option_means_one_record(tmp_path):
    """A first row that looks like more of the header is data when the header was said to be the first record."""
    source, target = tmp_path / "in.csv", tmp_path / "out.parquet"
    source.write_text("a,b\nx7,xx\n" + "".join(f"{n},x{n}\n" for n in range(50)))
    result = convert(source, target, "--header")
    assert result.rows["read"] == 51
    assert result.report["inputs"][0]["dialect"]["header_lines"] == 1
    assert list(tables.read(target)) == ["a", "b"]
