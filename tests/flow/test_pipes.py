"""Named pipes and process substitution are read once and completely."""

import os
import subprocess
import threading
from pathlib import Path

import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).parent.parent.parent
BINARY = Path(os.environ.get("FLOWFORGE", ROOT / "build/release/flowforge")).resolve()


@pytest.mark.parametrize("rows", [0, 10, 300_000])
@pytest.mark.parametrize("pipes", [1, 2])
def test_every_row_of_a_pipe(tmp_path: Path, rows: int, pipes: int) -> None:
    text = "id,v\n" + "".join(f"{i},{i % 7}\n" for i in range(rows))
    names = [tmp_path / f"pipe-{i}" for i in range(pipes)]
    writers = []
    for name in names:
        os.mkfifo(name)
        writers.append(threading.Thread(target=name.write_text, args=(text,)))
        writers[-1].start()
    output = tmp_path / "out.parquet"
    done = subprocess.run([BINARY, "convert", *names, output], capture_output=True, timeout=60)
    for writer in writers:
        writer.join()
    assert done.returncode == 0, done.stderr.decode()
    assert pq.read_table(output).column("id").to_pylist() == [i if rows else None for i in range(rows)] * pipes
