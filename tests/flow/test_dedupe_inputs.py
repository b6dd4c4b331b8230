"""Duplicates over several inputs, and over the batches of a Parquet input: the last in input order stays."""

import os
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).parent.parent.parent
BINARY = Path(os.environ.get("FLOWFORGE", ROOT / "build/release/flowforge")).resolve()
FACTOR = 100_000


def convert(*arguments: object) -> dict[str, list]:
    done = subprocess.run([BINARY, "convert", "-q", *map(str, arguments)], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return pq.read_table(arguments[-1]).to_pydict()


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("ending", ["csv", "ndjson"])
def test_same_keys_in_several_inputs(tmp_path: Path, ending: str, threads: int) -> None:
    """Files of the same size cut into the same chunks: nothing but the order of the inputs tells their rows apart."""
    inputs = []
    for number in range(3):
        path = tmp_path / f"{number}.{ending}"
        if ending == "csv":
            path.write_text("id,v\n" + "".join(f"{i},{number}\n" for i in range(1000)))
        else:
            path.write_text("".join(f'{{"id": {i}, "v": {number}}}\n' for i in range(1000)))
        inputs.append(path)
    rows = convert("-j", threads, "--dedupe", "id", *inputs, tmp_path / "out.parquet")
    assert rows == {"id": list(range(1000)), "v": [2] * 1000}


@pytest.mark.parametrize("threads", [1, 2])
def test_parquet_of_many_batches(tmp_path: Path, threads: int) -> None:
    source = tmp_path / "in.parquet"
    pq.write_table(pa.table({"id": list(range(FACTOR)) * 3, "v": list(range(FACTOR * 3))}), source)
    rows = convert("-j", threads, "--dedupe", "id", source, tmp_path / "out.parquet")
    assert rows == {"id": list(range(FACTOR)), "v": list(range(FACTOR * 2, FACTOR * 3))}
