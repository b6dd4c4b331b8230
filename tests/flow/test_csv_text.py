"""CSV in every dialect, as text: each cell is what was written, a null only where nothing stood."""

import csv
import dataclasses
import io

import csv_files
import pytest
import tables
from flowforge import SMALL_CHUNKS, SOAK, convert

ROUNDS = 2000 if SOAK else 40


def columns_of(rows, names):
    return {name: [row[at] for row in rows] for at, name in enumerate(names)}


def one_file(rng, path, tall=False):
    d = csv_files.random_dialect(rng)
    make = csv_files.random_text
    if tall:
        rows, count = csv_files.random_table(rng, columns=rng.choice([2, 3, 5]), rows=rng.randint(3000, 12000))
    else:
        rows, count = csv_files.random_table(rng, make=make)
    writable = [[None if c is None else csv_files.settle(c, d) for c in row] for row in rows]
    if not d.quote:  # the empty string cannot be told from a null
        writable = [[c or None for c in row] for row in writable]
    if not d.header and not writable:
        writable = [["x"] * count]
    names = csv_files.names_of(count)
    raw = csv_files.write(writable, names, d, rng)
    if not d.header:
        names = [f"column_{at + 1}" for at in range(count)]
    path.write_bytes(raw)
    return d, writable, names, raw


@pytest.mark.parametrize("part", range(16))
def test_dialects(tmp_path, part):
    for at in range(ROUNDS):
        rng = csv_files.seeded("dialects", part, at)
        source, target = tmp_path / "in.csv", tmp_path / "out.parquet"
        d, rows, names, raw = one_file(rng, source)
        convert(source, target, "--from", "csv", "--all-text", "--overwrite", *d.options())
        try:
            tables.check(columns_of(rows, names), tables.read(target))
        except AssertionError as wrong:
            raise AssertionError(f"part {part}, file {at}: {d}\n{raw!r}\n{wrong}") from wrong


@pytest.mark.parametrize("part", range(12 if not SOAK else 400))
def test_dialects_over_many_chunks(tmp_path, part):
    rng = csv_files.seeded("chunks", part)
    source, target = tmp_path / "in.csv", tmp_path / "out.parquet"
    d, rows, names, _ = one_file(rng, source, tall=True)
    result = convert(source, target, "--from", "csv", "--all-text", *SMALL_CHUNKS, *d.options())
    tables.check(columns_of(rows, names), tables.read(target))
    assert result.rows["read"] == len(rows)


@pytest.mark.parametrize("part", range(8))
def test_python_writes_and_reads(tmp_path, part):
    """Files of Python's csv module; what it reads back is what must come out, but '' that stood bare is null."""
    for at in range(ROUNDS):
        rng = csv_files.seeded("python", part, at)
        rows, count = csv_files.random_table(rng, columns=rng.choice([2, 3, 6]), nulls=0)
        rows = [[cell.replace("\r", "R") for cell in row] for row in rows]  # a lone CR its writer leaves bare
        names = csv_files.names_of(count)
        delimiter, quote = rng.choice(",;\t|"), rng.choice("\"'")
        doubled, quoting = rng.random() < 0.7, rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
        settings = {
            "delimiter": delimiter, "quotechar": quote, "doublequote": doubled,
            "escapechar": None if doubled else "\\", "lineterminator": rng.choice(["\n", "\r\n"]), "quoting": quoting,
        }  # fmt: skip
        text = io.StringIO()
        csv.writer(text, **settings).writerows([names, *rows])
        source, target = tmp_path / "in.csv", tmp_path / "out.parquet"
        source.write_text(text.getvalue(), encoding="utf-8", newline="")
        reader = dict(settings)
        back = list(csv.reader(io.StringIO(text.getvalue(), newline=""), **reader))[1:]
        assert back == rows
        empty = "" if quoting == csv.QUOTE_ALL else None
        expected = [[cell or empty for cell in row] for row in back]
        convert(
            source, target, "--from", "csv", "--all-text", "--overwrite", "--delimiter", delimiter, "--quote", quote,
            "--escape", quote if doubled else "\\", "--header", "--encoding", "UTF-8", "--skip-lines", "0",
            "--comment", "none",
        )  # fmt: skip
        try:
            tables.check(columns_of(expected, names), tables.read(target))
        except AssertionError as wrong:
            raise AssertionError(f"part {part}, file {at}: {settings}\n{text.getvalue()!r}\n{wrong}") from wrong


ENCODINGS = {
    "UTF-16LE": "äöü漢字🙂", "UTF-16BE": "äöü漢字🙂", "UTF-16": "äöü漢字🙂", "UTF-32LE": "äöü漢字🙂",
    "ISO-8859-1": "äöüßéÅ£", "WINDOWS-1252": "äöü€ŸŒ", "WINDOWS-1251": "Привет", "KOI8-R": "Привет",
    "ISO-8859-15": "€Œäö", "SHIFT_JIS": "漢字かなカナ表", "GB18030": "漢字€🙂", "BIG5": "漢字許功", "EUC-KR": "한국어",
    "IBM850": "äöüé", "MACINTOSH": "äöüé",
}  # fmt: skip
PYTHON_NAMES = {"MACINTOSH": "mac-roman", "IBM850": "cp850"}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_encodings(tmp_path, encoding):
    rng = csv_files.seeded("encoding", encoding)
    letters = ENCODINGS[encoding] + 'abc123",;\n '
    rows = [
        [rng.choice([None, "", "x"]) if rng.random() < 0.2 else "".join(rng.choices(letters, k=rng.randint(1, 30)))
         for _ in range(3)]
        for _ in range(3000)
    ]  # fmt: skip
    d = csv_files.Dialect(encoding=encoding)
    named = dataclasses.replace(d, encoding=PYTHON_NAMES.get(encoding, encoding))
    raw = csv_files.write(rows, csv_files.names_of(3), named, rng)
    source = tmp_path / "in.csv"
    source.write_bytes(raw)
    for threads in (SMALL_CHUNKS, ()):
        target = tmp_path / f"out{len(threads)}.parquet"
        result = convert(source, target, "--from", "csv", "--all-text", *threads, *d.options())
        tables.check(columns_of(rows, csv_files.names_of(3)), tables.read(target))
        assert result.report["inputs"][0]["encoding"].upper().startswith(encoding[:5])


def test_bytes_that_the_encoding_does_not_have(tmp_path):
    source = tmp_path / "in.csv"
    source.write_bytes(b"a,b\n1,\xe4\n2,y\n")
    result = convert(source, tmp_path / "out.parquet", "--encoding", "UTF-8", ok=False)
    assert result.report["rejects"][0]["code"] == "INVALID_ENCODING"
    assert result.report["rejects"][0]["record"] == 1
    assert not (tmp_path / "out.parquet").exists()


@pytest.mark.parametrize("quoted", [False, True])
@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("tall", [False, True])
def test_last_line_end_is_a_lone_cr(tmp_path, quoted, width, tall):
    row = ",".join(['"x"' if quoted else "x"] * width)
    count = 40000 if tall else 2
    source, target = tmp_path / "in.csv", tmp_path / "out.parquet"
    source.write_bytes((row + "\r").encode() * count)
    result = convert(source, target, "--from", "csv", "--no-header", *SMALL_CHUNKS)
    assert result.rows["written"] == count
    assert tables.read(target) == {f"column_{at + 1}": ["x"] * count for at in range(width)}
