"""Inputs that are broken, hostile or merely odd, each with the result that docs/formats.md and --help promise.

An error says what, where (line and byte of rows), why and what to do; nothing is published with it. Runs against every
build that is there: release and, when it was built, the one with sanitizers.
"""

import gzip
import os
import random
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).parent.parent.parent
RELEASE = Path(os.environ.get("FLOWFORGE", ROOT / "build/release/flowforge")).resolve()
ASAN = RELEASE.parent.parent / "asan" / "flowforge"
BUILDS = {"release": RELEASE} | ({"asan": ASAN} if ASAN.exists() and ASAN != RELEASE else {})
SOAK = os.environ.get("FLOWFORGE_SOAK") == "1"
MB = 1 << 20


# A child's peak counts from before its exec, when it still is a copy of its parent: so a small parent starts it.
MEASURE = """
import os, sys
child = os.fork()
if child == 0:
    os.execv(sys.argv[2], sys.argv[2:])
_, status, usage = os.wait4(child, 0)
with open(sys.argv[1], "w") as f:
    f.write(f"{os.waitstatus_to_exitcode(status)} {usage.ru_maxrss}")
"""


@dataclass
class Done:
    code: int
    stderr: str
    peak: int  # bytes of the largest resident set
    table: pa.Table | None
    rejects: list[dict]

    def rows(self) -> list[dict]:
        assert self.code == 0, self.stderr
        assert self.table is not None
        return self.table.to_pylist()

    def fails(self, *words: str) -> None:
        """What and why in the first line, what to do in a second; nothing published."""
        assert self.code == 1, self
        first, *more = self.stderr.splitlines()
        assert first.startswith("flowforge: ")
        for word in words:
            assert word in self.stderr, (word, self.stderr)
        assert more, self.stderr
        assert more[0].startswith("  "), self.stderr
        assert self.table is None


class Program:
    def __init__(self, binary: Path, folder: Path) -> None:
        self.binary, self.folder = binary, folder
        self.sanitized = binary == ASAN

    def __call__(self, name: str, content: bytes | None, *options: object, timeout: float = 120) -> Done:
        """Converts a file of that content; None: the file is there already."""
        source, lake, quarantine = self.folder / name, self.folder / "lake", self.folder / "bad"
        lake.mkdir(exist_ok=True)
        output = lake / "out.parquet"
        output.unlink(missing_ok=True)
        if content is not None:
            source.write_bytes(content)
        command = [self.binary, "convert", "-q", *map(str, options), source, output]
        measured = self.folder / "measured"
        done = subprocess.run(
            [sys.executable, "-S", "-E", "-c", MEASURE, measured, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=timeout,
        )
        code, peak = map(int, measured.read_text().split())
        said = done.stderr.decode("utf-8", "replace")
        assert code in (0, 1), (command, code, said)
        assert "Sanitizer" not in said, said
        assert "runtime error" not in said, said
        left = os.listdir(lake)
        assert left == (["out.parquet"] if code == 0 else []), left
        rejects = [
            row for file in sorted(quarantine.rglob("*.parquet")) for row in pq.ParquetFile(file).read().to_pylist()
        ]
        table = pq.ParquetFile(output).read() if output.exists() else None
        return Done(code, said, peak * 1024, table, rejects)

    def quarantine(self, name: str, content: bytes | None, *options: object) -> Done:
        return self(name, content, "--on-error", "quarantine", "--quarantine", self.folder / "bad", *options)


@pytest.fixture(params=BUILDS)
def flowforge(request: pytest.FixtureRequest, tmp_path: Path) -> Program:
    return Program(BUILDS[request.param], tmp_path)


ONE_TWO = [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1,x\n2,y\n",
        b"a,b\n1,x\n2,y",
        b"a,b\r\n1,x\r\n2,y\r\n",
        b"a,b\r1,x\r2,y\r",
        b"a,b\r1,x\r2,y",
        b"a,b\r\n1,x\n2,y\r",
        b"a,b\n1,x\r2,y\r\n",
        b"\xef\xbb\xbfa,b\n1,x\n2,y\n",
        "a,b\n1,x\n2,y\n".encode("utf-16"),
        "a,b\n1,x\n2,y\n".encode("utf-16-le"),
        "a,b\n1,x\n2,y\n".encode("utf-16-be"),
        b"\xfe\xff" + "a,b\n1,x\n2,y\n".encode("utf-16-be"),
    ],
    ids=[
        "lf",
        "no-end",
        "crlf",
        "cr",
        "cr-no-end",
        "mixed",
        "mixed-2",
        "bom",
        "utf16",
        "utf16-le",
        "utf16-be",
        "bom-be",
    ],
)
def test_line_ends_and_encodings(flowforge: Program, content: bytes) -> None:
    assert flowforge("in.csv", content).rows() == ONE_TWO


def test_utf16_without_bom_and_beyond_ascii(flowforge: Program) -> None:
    text = "a,b\n" + "".join(f"{i},été {i}\n" for i in range(50))
    for encoding in ("utf-16-le", "utf-16-be"):
        assert flowforge("in.csv", text.encode(encoding)).rows() == [{"a": i, "b": f"été {i}"} for i in range(50)]


def test_no_rows(flowforge: Program) -> None:
    assert flowforge("in.csv", b"").rows() == []
    for text in (b"a,b\n", b"a,b"):
        done = flowforge("in.csv", text)
        assert done.rows() == []
        assert done.table.column_names == ["a", "b"]
    assert flowforge("in.ndjson", b"", "--from", "ndjson").rows() == []
    assert flowforge("in.json", b"[]").rows() == []


def test_nul_bytes(flowforge: Program) -> None:
    assert flowforge("in.csv", b"a,b\n1,x\0y\n2,z\n").rows() == [{"a": 1, "b": "x\0y"}, {"a": 2, "b": "z"}]


def test_ragged_rows(flowforge: Program) -> None:
    text = b"a,b\n1,x\n2\n3,y,z\n4,w\n"
    flowforge("in.csv", text).fails("2 bad rows", "in.csv", "line 3", "byte 8", "MISSING_COLUMNS", "mend the input")
    done = flowforge.quarantine("in.csv", text)
    assert done.rows() == [{"a": 1, "b": "x"}, {"a": 4, "b": "w"}]
    assert [(r["line"], r["byte_offset"], r["row_number"], r["error_code"], r["raw"]) for r in done.rejects] == [
        (3, 8, 2, "MISSING_COLUMNS", "2"),
        (4, 10, 3, "TOO_MANY_COLUMNS", "3,y,z"),
    ]


def test_blank_and_repeated_headers(flowforge: Program) -> None:
    done = flowforge("in.csv", b"a,,a,A, \n1,2,3,4,5\n")
    assert done.rows() == [{"a": 1, "column_2": 2, "a_2": 3, "A_3": 4, "column_5": 5}]


def test_unterminated_quote_early(flowforge: Program) -> None:
    """One stray quote costs its line, not the rest of the file."""
    count = 20000 if flowforge.sanitized else 300_000
    text = b'a,b\n1,"x\n' + b"".join(b"%d,y\n" % i for i in range(count))
    flowforge("in.csv", text, "--quote", '"').fails("UNTERMINATED_QUOTE", "line 2", "byte 4", "mend the input")
    done = flowforge.quarantine("in.csv", text, "--quote", '"')
    assert done.code == 0, done.stderr
    assert done.table.num_rows == count
    assert done.table["a"].to_pylist() == list(range(count))
    assert [(r["line"], r["error_code"], r["raw"]) for r in done.rejects] == [(2, "UNTERMINATED_QUOTE", '1,"x')]


def test_unterminated_quote_at_the_end(flowforge: Program) -> None:
    size = (1 << 30) if SOAK and not flowforge.sanitized else (8 if flowforge.sanitized else 60) * MB
    line = b'12345,"quoted, text of the row"\n'
    count = size // len(line)
    source = flowforge.folder / "in.csv"
    with source.open("wb") as f:
        f.write(b"a,b\n")
        block = line * 32768
        for _ in range(count // 32768):
            f.write(block)
        f.write(line * (count % 32768) + b'6,"open\n')
    place = 4 + count * len(line)
    flowforge("in.csv", None).fails("UNTERMINATED_QUOTE", f"line {count + 2}", f"byte {place}", "mend the input")
    done = flowforge.quarantine("in.csv", None)
    assert done.code == 0, done.stderr
    assert done.table.num_rows == count
    assert [(r["line"], r["byte_offset"], r["error_code"]) for r in done.rejects] == [
        (count + 2, place, "UNTERMINATED_QUOTE")
    ]
    assert flowforge.sanitized or done.peak < 256 * MB


def test_cell_of_ten_megabytes(flowforge: Program) -> None:
    cell = b"x" * 10_000_000
    for text in (b"a,b\n1," + cell + b"\n2,y\n", b'a,b\n1,"' + cell + b'"\n2,y\n'):
        done = flowforge("in.csv", text)
        assert done.code == 0, done.stderr
        assert [len(v) for v in done.table["b"].to_pylist()] == [10_000_000, 1]
        assert flowforge.sanitized or done.peak < 256 * MB
    done = flowforge("in.ndjson", b'{"a":1,"b":"' + cell + b'"}\n{"a":2,"b":"y"}\n')
    assert [len(v) for v in done.table["b"].to_pylist()] == [10_000_000, 1]


def test_ten_thousand_columns(flowforge: Program) -> None:
    header = ",".join(f"c{i}" for i in range(10000))
    row = ",".join(str(i) for i in range(10000))
    done = flowforge("in.csv", f"{header}\n{row}\n{row}\n".encode())
    assert done.code == 0, done.stderr
    assert (done.table.num_rows, done.table.num_columns) == (2, 10000)
    assert done.table["c9999"].to_pylist() == [9999, 9999]
    assert flowforge.sanitized or done.peak < 256 * MB


def test_invalid_utf8(flowforge: Program) -> None:
    text = b"a,b\n1,\xc3\xa9\n2,\xff\xfe\n" + b"3,\xc3\xa9\n" * 50
    flowforge("in.csv", text).fails("INVALID_ENCODING", "line 3", "byte 9", "mend the input")
    done = flowforge.quarantine("in.csv", text)
    assert done.table.num_rows == 51
    assert [(r["line"], r["error_code"], r["raw_encoding"], r["raw"]) for r in done.rejects] == [
        (3, "INVALID_ENCODING", "base64", "Miz//g==")
    ]


def packed() -> bytes:
    noise = random.Random(5).randbytes(200_000).hex().encode()
    return gzip.compress(b"a,b\n" + noise + b",1\n" + b"2,3\n" * 1000, mtime=0)


def test_gzip_truncated(flowforge: Program) -> None:
    data = packed()
    for end in (len(data) // 2, len(data) - 1, len(data) - 8, 12):
        flowforge("in.csv.gz", data[:end]).fails("in.csv.gz", "gzip", "ends too early", "fetch it again")


def test_gzip_corrupt(flowforge: Program) -> None:
    data = bytearray(packed())
    data[len(data) // 2] ^= 0x55
    flowforge("in.csv.gz", bytes(data)).fails("in.csv.gz", "gzip", "corrupt", "byte", "fetch it again")
    flowforge("in.csv.gz", packed()[:-8] + bytes(8)).fails("in.csv.gz", "corrupt", "fetch it again")


def test_decompression_bomb(flowforge: Program) -> None:
    source = flowforge.folder / "in.csv.gz"
    with gzip.open(source, "wb", 9) as f:
        f.write(b"a,b\n")
        for _ in range(150):
            f.write(b"0,0\n" * (MB // 4))
    done = flowforge("in.csv.gz", None)
    done.fails("in.csv.gz", "bomb", "decompress it first")
    assert flowforge.sanitized or done.peak < 256 * MB
    plain = flowforge.folder / "zeros"
    with plain.open("wb") as f:
        f.write(b"a,b\n")
        for _ in range(150):
            f.write(b"0,0\n" * (MB // 4))
    packed = subprocess.run(["zstd", "-19", "-q", "-c", plain], capture_output=True, check=True).stdout
    done = flowforge("in.csv.zst", packed)
    done.fails("in.csv.zst", "bomb", "decompress it first")
    assert flowforge.sanitized or done.peak < 256 * MB


def test_json_values(flowforge: Program) -> None:
    deep = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b'}\n{"a":1}\n'
    flowforge("in.ndjson", deep).fails("INVALID_JSON", "line 1", "nested deeper than", "mend the input")
    twice = b'{"a":3}\n{"a":1,"a":2}\n'
    flowforge("in.ndjson", twice).fails("INVALID_JSON", "line 2", "byte 8", "'a' occurs twice")
    half = b'{"a":"ok"}\n{"a":"\\ud800"}\n'
    flowforge("in.ndjson", half).fails("INVALID_JSON", "line 2", "half a surrogate pair")
    for text in (deep, twice, half):
        done = flowforge.quarantine("in.ndjson", text)
        assert done.table.num_rows == 1
        assert done.rejects.pop()["error_code"] == "INVALID_JSON"
    numbers = b'{"a":1e400}\n{"a":123456789012345678901234567890}\n{"a":-0}\n'
    assert [row["a"] for row in flowforge("in.ndjson", numbers).rows()] == [
        "1e400",
        "123456789012345678901234567890",
        "-0",
    ]


def test_json_array_cut_or_followed(flowforge: Program) -> None:
    flowforge("in.json", b'[{"a":1},{"a":2}').fails(
        "in.json", "byte 16", "ends inside the JSON array", "fetch it again"
    )
    many = b",\n".join(b'{"a":%d}' % i for i in range(1000))
    flowforge("in.json", b"[" + many + b",\n").fails("in.json", "ends inside the JSON array")
    for array in (b'[{"a":1}]', b"[" + many + b"]"):
        flowforge("in.json", array + b" xyz").fails("in.json", f"byte {len(array) + 1}", "array")


@pytest.mark.parametrize("length", [2_000_000, 9_000_000, 30_000_000])
def test_record_too_long(flowforge: Program, length: int) -> None:
    cell = b"y" * length
    limit = ["--max-record", "1M"]
    for name, text, place in (
        ("in.csv", b"a,b\n1,x\n2," + cell + b"\n3,z\n", (3, 8)),
        ("in.csv", b'a,b\n1,x\n2,"' + cell + b'"\n3,z\n', (3, 8)),
        ("in.ndjson", b'{"a":1,"b":"x"}\n{"a":2,"b":"' + cell + b'"}\n{"a":3,"b":"z"}\n', (2, 16)),
        ("in.json", b'[{"a":1,"b":"x"},\n{"a":2,"b":"' + cell + b'"},\n{"a":3,"b":"z"}]', (2, 18)),
    ):
        done = flowforge(name, text, *limit)
        done.fails("ROW_TOO_LONG", f"line {place[0]}", f"byte {place[1]}", "mend the input")
        assert flowforge.sanitized or done.peak < 256 * MB
        done = flowforge.quarantine(name, text, *limit)
        assert done.rows() == [{"a": 1, "b": "x"}, {"a": 3, "b": "z"}], name
        reject = done.rejects.pop()
        assert (reject["error_code"], reject["line"], reject["byte_offset"]) == ("ROW_TOO_LONG", *place)
        assert len(reject["raw"]) <= 65536
        for file in (flowforge.folder / "bad").rglob("*.parquet"):
            file.unlink()


def test_text_after_a_closing_quote(flowforge: Program) -> None:
    text = b'a,b\n1,"x"y\n2,z\n3,"ok"\n'
    flowforge("in.csv", text, "--quote", '"').fails("in.csv", "line 2", "byte 4", "mend the input")
    done = flowforge.quarantine("in.csv", text, "--quote", '"')
    assert done.rows() == [{"a": 2, "b": "z"}, {"a": 3, "b": "ok"}]
    assert [(r["line"], r["raw"]) for r in done.rejects] == [(2, '1,"x"y')]


def test_binary_garbage(flowforge: Program) -> None:
    """It is no table; whatever the guess, every row is accounted for and nothing breaks."""
    for seed in range(5):
        data = random.Random(seed).randbytes(100_000)
        done = flowforge.quarantine("in.csv", data, "--from", "csv")
        assert done.code in (0, 1)
        if done.code == 1:
            done.fails("in.csv")


def test_parquet_cut_and_corrupt(flowforge: Program) -> None:
    good = flowforge.folder / "good.parquet"
    pq.write_table(pa.table({"a": list(range(10000)), "b": [f"t{i}" for i in range(10000)]}), good)
    data = good.read_bytes()
    flowforge("in.parquet", data[: len(data) // 2]).fails("in.parquet", "fetch it again")
    flowforge("in.parquet", data[:-4]).fails("in.parquet", "fetch it again")
    flowforge("in.parquet", data[:60]).fails("in.parquet", "fetch it again")
    flowforge("in.parquet", b"").fails("in.parquet", "fetch it again")
    pick = random.Random(3)
    for _ in range(10):
        spoiled = bytearray(data)
        at = pick.randrange(4, len(data) - 8)
        spoiled[at : at + 40] = pick.randbytes(len(spoiled[at : at + 40]))
        done = flowforge("in.parquet", bytes(spoiled[: len(data)]))
        assert done.code == 1 or done.table.num_rows == 10000


def test_thousands_of_rejects(flowforge: Program) -> None:
    count = 3000 if flowforge.sanitized else 30000
    text = b"a,b\n" + b"".join(b"%d,x%s\n" % (i, b",z" if i % 3 == 0 else b"") for i in range(count))
    done = flowforge("in.csv", text)
    done.fails("bad rows", "line 2", "TOO_MANY_COLUMNS")
    assert done.stderr.count("\n  in.csv:") + done.stderr.count(f"\n  {flowforge.folder}/in.csv:") == 100
    done = flowforge.quarantine("in.csv", text)
    assert done.code == 0, done.stderr
    assert done.table["a"].to_pylist() == [i for i in range(count) if i % 3]
    assert [r["row_number"] for r in done.rejects] == [i + 1 for i in range(0, count, 3)]
    flowforge.quarantine("in.csv", text, "--max-rejects", "100").fails("--max-rejects 100", "nothing was published")


# ---- memory ----


def large(path: Path, kind: str, size: int) -> Path:
    pick = random.Random(kind)
    lines = []
    for i in range(20000):
        text = "".join(pick.choices("abcdefghij klmnop", k=60))
        match kind:
            case "csv":
                lines.append(f"{i},{pick.random():.6f},2024-03-{i % 28 + 1:02},{text}\n")
            case "quoted":
                lines.append(f'{i},"{text}, ""{i}""","two\nlines {text}"\n')
            case "ndjson":
                lines.append(f'{{"id": {i}, "p": {pick.random():.6f}, "d": "2024-03-01", "t": "{text}"}}\n')
    block = "".join(lines).encode()
    with path.open("wb") as f:
        f.write({"csv": b"id,p,d,t\n", "quoted": b"id,t,u\n", "ndjson": b""}[kind])
        for _ in range(size // len(block) + 1):
            f.write(block)
    return path


@pytest.mark.parametrize("memory", [256, 96])
@pytest.mark.parametrize("kind", ["csv", "quoted", "ndjson"])
def test_peak_memory(tmp_path: Path, kind: str, memory: int) -> None:
    """--memory is what the whole process stays within, whatever the input's size."""
    flowforge = Program(RELEASE, tmp_path)
    name = "in.ndjson" if kind == "ndjson" else "in.csv"
    large(tmp_path / name, kind, 300 * MB)
    done = flowforge(name, None, "--memory", f"{memory}M", "-j", "2")
    (tmp_path / name).unlink()
    assert done.code == 0, done.stderr
    assert done.peak < memory * MB, f"{done.peak / MB:.0f} MiB"
