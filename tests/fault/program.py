"""Runs the program, with or without a fault in it, and tells what is left on disk afterwards."""

import gzip
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

ROOT = Path(__file__).parent.parent.parent
BINARY = Path(os.environ.get("FLOWFORGE", ROOT / "build/release/flowforge")).resolve()
FAULTLIB = BINARY.parent / "tests/fault/faultlib.so"
SOAK = os.environ.get("FLOWFORGE_SOAK") == "1"
TIMEOUT = 20


@dataclass
class Outcome:
    code: int
    stderr: str

    @property
    def died(self) -> bool:
        return self.code < 0 or self.code > 128


def environment(**extra: str) -> dict[str, str]:
    return {**{k: v for k, v in os.environ.items() if not k.startswith("FAULT_")}, "LC_ALL": "C.UTF-8", **extra}


def run(*arguments: object, cwd: Path | None = None, timeout: float = TIMEOUT, **env: str) -> Outcome:
    """Exit code and what was said; a run that hangs fails the test."""
    done = subprocess.run(
        [BINARY, *map(str, arguments)],
        cwd=cwd,
        env=environment(**env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=timeout,
    )
    return Outcome(done.returncode, done.stderr.decode("utf-8", "replace"))


def files_below(folder: Path) -> dict[str, bytes]:
    """Every file, and every empty folder as a name that ends in '/'."""
    found = {}
    for at, folders, names in os.walk(folder):
        for name in names:
            path = Path(at, name)
            found[str(path.relative_to(folder))] = path.read_bytes()
        if not folders and not names and Path(at) != folder:
            found[str(Path(at).relative_to(folder)) + "/"] = b""
    return found


def is_staging(name: str) -> bool:
    return any(".staging-" in part and part.startswith(".") for part in name.split("/"))


def rows_of(path: Path) -> object:
    """A file's rows in a form that compares, without what differs from run to run."""
    if path.suffix == ".parquet":
        table = pq.ParquetFile(path).read()
        return table.drop_columns([c for c in ("run_id",) if c in table.column_names])
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data
