"""NDJSON and JSON arrays, compared with what Python's json reads."""

import json
import re

import csv_files
import model
import pytest
import tables
from flowforge import SMALL_CHUNKS, SOAK, convert
from test_inference import EDGES, random_value

ROUNDS = 1000 if SOAK else 25
NUMBERS = [
    "0", "-0", "1", "-1", "1.5", "1e5", "1E-5", "9007199254740992", "9007199254740993", "-9223372036854775808",
    "9223372036854775807", "9223372036854775808", "123456789012345678901234567890", "1e400", "-1e400", "0.1", "1.0",
    "4.9e-324", "1e-400", "100000000000000000000.0", "-0.0", "0e0", "12345.678900",
]  # fmt: skip
SPACES = ["", "", "", " ", "\t", "  "]


def random_string(rng):
    if rng.random() < 0.3:
        text = random_value(rng, rng.choice(list(EDGES)))
    else:
        text = csv_files.random_text(rng) + ("\x00" if rng.random() < 0.02 else "")
    return model.Text(text, written_string(rng, text))


def written_string(rng, text):
    if rng.random() < 0.5:
        return json.dumps(text, ensure_ascii=rng.random() < 0.5)
    out = []
    for c in text:
        if rng.random() < 0.1 and ord(c) < 0x10000:
            out.append(f"\\u{ord(c):04{rng.choice('xX')}}")
        elif c == "/" and rng.random() < 0.5:
            out.append("\\/")
        else:
            out.append(json.dumps(c, ensure_ascii=False)[1:-1])
    return '"' + "".join(out) + '"'


def nested_text(rng, depth=0):
    kind = rng.random()
    if depth > 3 or kind < 0.4:
        return rng.choice([rng.choice(NUMBERS), random_string(rng).written, "true", "null", "false", "[]", "{}"])
    space = rng.choice(SPACES)
    if kind < 0.7:
        return "[" + space + f",{space}".join(nested_text(rng, depth + 1) for _ in range(rng.randrange(4))) + "]"
    members = [f'"k{at}"{space}:{space}{nested_text(rng, depth + 1)}' for at in range(rng.randrange(4))]
    return "{" + ", ".join(members) + space + "}"


def random_value_of(rng, kind):
    if kind == "number":
        return model.Number(rng.choice(NUMBERS) if rng.random() < 0.6 else str(rng.randint(-(10**6), 10**6)))
    if kind == "small":
        return model.Number(str(rng.randint(-(10**6), 10**6)))
    if kind == "bool":
        return rng.random() < 0.5
    if kind == "nested":
        text = nested_text(rng)
        return model.Nested(text) if text[0] in "[{" else model.Nested(f"[{text}]")
    if kind == "moment":
        text = random_value(rng, rng.choice(["date", "timestamp", "instant"]))
        return model.Text(text, json.dumps(text))
    return random_string(rng)


KINDS = ["number", "small", "bool", "nested", "string", "moment"]


def written(value):
    return model.classify_json(value)[3]


def random_records(rng, rows, keys):
    plans = {}
    for key in keys:
        kinds = [rng.choice(KINDS)] + ([rng.choice(KINDS)] if rng.random() < 0.3 else [])
        plans[key] = (kinds, rng.choice([0, 0.1, 0.6]), rng.choice([0, 0.1, 0.6]), rng.choice([0.5, 0.01]))
    records = []
    for _ in range(rows):
        record = {}
        for key, (kinds, nulls, missing, rare) in plans.items():
            if rng.random() < missing:
                continue
            kind = kinds[-1] if rng.random() < rare else kinds[0]
            record[key] = None if rng.random() < nulls else random_value_of(rng, kind)
        records.append(record)
    return records


def record_text(rng, record):
    space = rng.choice(SPACES)
    items = list(record.items())
    if rng.random() < 0.2:
        rng.shuffle(items)
    members = []
    for key, value in items:
        name = written_string(rng, key)
        members.append(f"{space}{name}{space}:{space}{'null' if value is None else written(value)}{space}")
    return "{" + ",".join(members) + "}"


def file_text(rng, records, array):
    texts = [record_text(rng, record) for record in records]
    for text, record in zip(texts, records, strict=True):  # Python's json agrees on what was written
        back = json.loads(text, parse_int=str, parse_float=str)
        assert back.keys() == record.keys()
        for key, value in record.items():
            if isinstance(value, model.Text | model.Number):
                assert back[key] == value.text
    if array:
        between = rng.choice([",", ",\n", " ,\r\n "])
        return rng.choice(["", " \n"]) + "[" + between.join(texts) + rng.choice(["]", " ]\n", "\n]\n\n"])
    end = rng.choice(["\n", "\r\n", "\n\n"])
    return end.join(texts) + rng.choice(["", end])


def expect(records, texts_in_order):
    keys = {}
    for text in texts_in_order:
        for key in json.loads(text):
            keys.setdefault(key, None)
    inferred = {key: model.infer_json([record.get(key) for record in records]) for key in keys}
    return {key: kind for key, (kind, _) in inferred.items()}, {key: values for key, (_, values) in inferred.items()}


def record_texts(text, array):
    if not array:
        return [line for line in re.split("\r?\n", text) if line.strip()]
    decoder, out, at = json.JSONDecoder(), [], text.index("[") + 1
    while True:
        while text[at] in " \t\r\n,":
            at += 1
        if text[at] == "]":
            return out
        _, end = decoder.raw_decode(text, at)
        out.append(text[at:end])
        at = end


def check_file(tmp_path, rng, records, array, *options):
    source, target = tmp_path / "in.json", tmp_path / "out.parquet"
    text = file_text(rng, records, array)
    source.write_text(text, encoding="utf-8", newline="")
    kinds, values = expect(records, record_texts(text, array))
    result = convert(source, target, "--overwrite", "--from", "json" if array else "ndjson", *options)
    assert result.rows["written"] == len(records)
    assert tables.types_of(result.report) == kinds
    tables.check(values, tables.read(target))


@pytest.mark.parametrize("array", [False, True])
@pytest.mark.parametrize("part", range(8))
def test_random_records(tmp_path, part, array):
    for at in range(ROUNDS):
        rng = csv_files.seeded("json", part, array, at)
        keys = [
            rng.choice(["a", "käy", "k 1", "x.y", 'q"', "🙂", "tab\t", "back\\"]) + str(n)
            for n in range(rng.randint(1, 8))
        ]
        records = random_records(rng, rng.choice([1, 2, 5, 20, 100]), keys)
        if not any(records):
            continue
        try:
            check_file(tmp_path, rng, records, array)
        except AssertionError as wrong:
            text = (tmp_path / "in.json").read_text(encoding="utf-8", newline="")
            raise AssertionError(f"part {part}, file {at}: {wrong}\n{text[:3000]}") from wrong


@pytest.mark.parametrize("array", [False, True])
@pytest.mark.parametrize("part", range(2 if not SOAK else 50))
def test_random_records_over_many_chunks(tmp_path, part, array):
    rng = csv_files.seeded("json-chunks", part, array)
    records = random_records(rng, 4000, [f"k{n}" for n in range(6)])
    check_file(tmp_path, rng, records, array, *SMALL_CHUNKS)


@pytest.mark.parametrize("threads", ["1", "2", "4", "190"])
def test_late_keys(tmp_path, threads):
    """Keys that the head of the file does not show become columns in the order of their first appearance."""
    rows, filler = 60_000, "x" * 230
    late = {30_000: "z", 30_001: "y", 40_000: "k2", 40_300: "k1", 45_000: "k4", 59_999: "last", 52_000: "k3"}
    lines = []
    for n in range(rows):
        extra = f', "{late[n]}": {n}' if n in late else ""
        lines.append(f'{{"id": {n}, "t": "{filler}"{extra}}}\n')
    source, target = tmp_path / "in.ndjson", tmp_path / "out.parquet"
    source.write_text("".join(lines))
    assert source.stat().st_size > (14 << 20)
    for _ in range(3):
        result = convert(source, target, "--overwrite", "--threads", threads)
        names = [late[n] for n in sorted(late)]
        assert [one["name"] for one in result.report["schema"]] == ["id", "t", *names]
        assert result.report["passes"] == 2
        found = tables.read(target)
        assert found["id"] == list(range(rows))
        for n, name in late.items():
            assert [at for at, v in enumerate(found[name]) if v is not None] == [n]
            assert found[name][n] == n


@pytest.mark.parametrize(
    ("usual", "odd"),
    [("1", '"x"'), ("1", "0.5"), ("9007199254740993", "0.5"), ("null", "7"), ('"2024-01-01"', '"x"'), ("true", "1"),
     ("1", '{"a": [1]}'), ('"a\\nb"', "[1]"), ("1.50", '"x"'), ("[1, 2]", "3")],
)  # fmt: skip
def test_late_widening(tmp_path, usual, odd):
    def value(text):
        if text == "null":
            return None
        parsed = json.loads(text)
        if isinstance(parsed, bool):
            return parsed
        if isinstance(parsed, str):
            return model.Text(parsed, text)
        return model.Nested(text) if text[0] in "[{" else model.Number(text)

    rows, filler = 60_000, "x" * 230
    kind, (plain, special) = model.infer_json([value(usual), value(odd)])
    for place in ("first", "last"):
        at = 0 if place == "first" else rows - 1
        lines = [f'{{"v": {odd if n == at else usual}, "t": "{filler}"}}\n' for n in range(rows)]
        source, target = tmp_path / "in.ndjson", tmp_path / "out.parquet"
        source.write_text("".join(lines))
        result = convert(source, target, "--overwrite")
        assert tables.types_of(result.report)["v"] == kind
        expected = [plain] * rows
        expected[at] = special
        tables.check_column("v", expected, tables.read(target)["v"])


BAD_LINES = {
    "not closed": '{"a": 1', "no object": "[1]", "number": "5", "word": '{"a": tru}', "comma": '{"a": 1,}', "plus": '{"a": +1}',
    "zero": '{"a": 01}', "quote": "{'a': 1}", "control": '{"a": "x\x01y"}', "two": '{"a": 1} {"a": 2}', "twice": '{"a": 1, "a": 2}',
    "surrogate": '{"a": "\\ud800"}', "escape": '{"a": "\\x"}', "nan": '{"a": NaN}', "deep": '{"a": ' + "[" * 300 + "]" * 300 + "}",
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_LINES)
def test_bad_lines(tmp_path, case):
    source = tmp_path / "in.ndjson"
    good = ['{"a": 1}', '{"a": 2}', '{"a": 3}']
    source.write_text("\n".join([good[0], good[1], BAD_LINES[case], good[2]]) + "\n")
    result = convert(source, tmp_path / "out.parquet", ok=False)
    (reject,) = result.report["rejects"]
    assert (reject["code"], reject["record"], reject["line"], reject["byte_offset"]) == ("INVALID_JSON", 3, 3, 18)
    assert reject["byte_length"] == len(BAD_LINES[case])
    result = convert(source, tmp_path / "out.parquet", "--on-error", "quarantine", "--quarantine", tmp_path / "bad")
    assert tables.read(tmp_path / "out.parquet") == {"a": [1, 2, 3]}
    rejects = tables.read(result.report["quarantine"])
    assert rejects["raw"] == [BAD_LINES[case]]


def test_all_text(tmp_path):
    source, target = tmp_path / "in.ndjson", tmp_path / "out.parquet"
    source.write_text('{"a": 1.50, "b": true, "c": "x\\n", "d": {"k":  [1]}, "e": null}\n{"a": "007"}\n')
    convert(source, target, "--all-text")
    assert tables.read(target) == {
        "a": ["1.50", "007"], "b": ["true", None], "c": ["x\n", None], "d": ['{"k":  [1]}', None], "e": [None, None],
    }  # fmt: skip
