"""The comparison finds what differs and lets pass what means the same. Run with pytest."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

SCRIPT = Path(__file__).resolve().parent / "check_equal.py"
ROWS = 200_000


def compare(tmp_path, left, right, *options, groups=(50_000, 33_333)):
    paths = tmp_path / "left.parquet", tmp_path / "right.parquet"
    for path, columns, rows in zip(paths, (left, right), groups, strict=True):
        pq.write_table(pa.table(columns), path, row_group_size=rows)
    done = subprocess.run([sys.executable, SCRIPT, *paths, *options], check=False, capture_output=True, text=True)
    return done.returncode, json.loads(done.stdout)


def test_row_groups_of_other_sizes_are_aligned(tmp_path):
    columns = {"n": list(range(ROWS)), "t": [str(n % 977) for n in range(ROWS)]}
    assert compare(tmp_path, columns, columns) == (
        0,
        {"equal": True, "rows": ROWS, "cast": [], "differences": {}, "first": []},
    )


def test_one_other_value_is_found_and_named(tmp_path):
    values = list(range(ROWS))
    other = [*values[:123_456], -1, *values[123_457:]]
    code, result = compare(tmp_path, {"n": values}, {"n": other})
    assert code == 1
    assert result["differences"] == {"n": 1}
    assert result["first"] == [{"row": 123_456, "column": "n", "left": "123456", "right": "-1"}]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (["", "a"], [None, "a"]),
        ([1, 0], [1, None]),
        ([1.5, float("nan")], [1.5, None]),
        (["007"], [7]),
        (["x"], [7]),
        ([1.5, 0.1], [1.5, 0.10000000000000002]),
        ([2**53 + 1], [float(2**53)]),
        ([1, 2], [1]),
        ([True], [1.0]),
    ],
)
def test_these_differ(tmp_path, left, right):
    code, result = compare(tmp_path, {"c": left}, {"c": right})
    assert (code, result["equal"]) == (1, False)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (pa.array([1, None], pa.int32()), pa.array([1, None], pa.int64())),
        (pa.array([1.5, float("nan")]), pa.array([1.5, float("nan")])),
        (pa.array(["7"]), pa.array([7])),
        (pa.array(["1996-02-29"]), pa.array([9555], pa.int32()).cast(pa.date32())),
        (pa.array([9555], pa.int32()).cast(pa.date32()), pa.array([9555 * 86400], pa.timestamp("s"))),
        (pa.array(["a", "a"]).dictionary_encode(), pa.array(["a", "a"], pa.large_string())),
        (pa.array([1], pa.timestamp("ms")), pa.array([1000], pa.timestamp("us"))),
    ],
)
def test_these_are_the_same(tmp_path, left, right):
    code, result = compare(tmp_path, {"c": left}, {"c": right})
    assert (code, result["equal"]) == (0, True), result


def test_columns_have_to_have_the_same_names_in_the_same_order(tmp_path):
    code, result = compare(tmp_path, {"a": [1], "b": [1]}, {"b": [1], "a": [1]})
    assert code == 1
    assert "names" in result["reason"]


def test_a_cast_is_reported(tmp_path):
    _, result = compare(tmp_path, {"c": ["7"]}, {"c": [7]})
    assert result["cast"] == ["c: string / int64 as string"]


def test_unordered_takes_any_order_but_no_other_rows(tmp_path):
    values = list(range(ROWS))
    assert compare(tmp_path, {"n": values}, {"n": values[::-1]}, "--unordered")[0] == 0
    assert compare(tmp_path, {"n": values}, {"n": values[::-1]})[0] == 1
    assert compare(tmp_path, {"n": values}, {"n": [*values[1:], 1]}, "--unordered")[0] == 1
