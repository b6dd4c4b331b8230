"""Killed at any moment: final names hold all of the old, all of the new, or nothing, and the next run cleans up."""

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from program import BINARY, SOAK, environment, files_below, is_staging, run

KILLS = 400 if SOAK else 40
ROWS = 250_000


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some 14 MB; every 50,000th row has a field too many."""
    path = tmp_path_factory.mktemp("kill") / "in.csv"
    with path.open("w") as f:
        f.write("id,group,price,text\n")
        for i in range(ROWS):
            f.write(f"{i},g{i % 5},{i * 0.01:.2f},some text that fills the row {i}\n")
    return path


def start(*arguments: object) -> subprocess.Popen:
    return subprocess.Popen(
        [BINARY, *map(str, arguments)],
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def rows_below(path: Path) -> int | None:
    """Rows of all Parquet files at a final name, each of which has to be whole; None: there is nothing."""
    if not path.exists():
        return None
    files = [path] if path.is_file() else [f for f in path.rglob("*") if f.is_file()]
    return sum(pq.ParquetFile(f).read(columns=["id"]).num_rows for f in files)


def staging_depth(name: str) -> int:
    return next(i for i, part in enumerate(Path(name).parts) if is_staging(part))


def kill_again_and_again(
    command: Callable[[Path], list[object]],
    output: Path,
    seed: str,
    before: Callable[[], None],
    allowed: set[int | None],
) -> None:
    pick = random.Random(seed)
    before()
    began = time.monotonic()
    assert run(*command(output)).code == 0
    length = time.monotonic() - began
    seen = set()
    for _ in range(KILLS // 4):
        before()
        process = start(*command(output))
        time.sleep(pick.uniform(0, length * 1.1))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=20)
        seen.add(rows_below(output))
        assert seen <= allowed, (seen, allowed)
        if process.returncode == 0:
            assert rows_below(output) == ROWS
    before()
    done = run(*command(output))
    assert done.code == 0, done.stderr
    assert rows_below(output) == ROWS
    left = [name for name in files_below(output.parent) if is_staging(name)]
    # Killed before its mark was complete or after it was removed: documented to go once it is an hour old.
    marks = [(output.parent / name).read_text() for name in left if name.endswith("/owner")]
    assert not any(mark.endswith("\nend\n") for mark in marks), marks
    hour_old = time.time() - 3700
    for folder in {Path(*Path(name).parts[: depth + 1]) for name in left for depth in [staging_depth(name)]}:
        os.utime(output.parent / folder, (hour_old, hour_old))
    before()
    assert run(*command(output)).code == 0
    assert not [name for name in files_below(output.parent) if is_staging(name)]


@pytest.mark.parametrize("threads", [1, 2])
def test_kill_one_file(source: Path, tmp_path: Path, threads: int) -> None:
    output = tmp_path / "lake" / "out.parquet"
    output.parent.mkdir()

    def command(to: Path) -> list[object]:
        return ["convert", "-j", threads, "-m", "64M", source, to]

    kill_again_and_again(command, output, f"file {threads}", lambda: output.unlink(missing_ok=True), {None, ROWS})


def test_kill_folder(source: Path, tmp_path: Path) -> None:
    output = tmp_path / "lake" / "out"
    output.parent.mkdir()

    def command(to: Path) -> list[object]:
        return ["convert", "-j", 2, "-m", "64M", "--partition-by", "group", source, f"{to}/"]

    kill_again_and_again(command, output, "folder", lambda: shutil.rmtree(output, ignore_errors=True), {None, ROWS})


@pytest.mark.parametrize("folder", [False, True], ids=["file", "folder"])
def test_kill_while_overwriting(source: Path, tmp_path: Path, folder: bool) -> None:
    output = tmp_path / "lake" / ("out" if folder else "out.parquet")
    output.parent.mkdir()
    old = tmp_path / "old.csv"
    old.write_text("id,group\n1,g0\n2,g1\n3,g1\n")
    options = ["--partition-by", "group"] if folder else []

    def command(to: Path) -> list[object]:
        return ["convert", "--overwrite", "-j", 2, "-m", "64M", *options, source, to]

    def before() -> None:
        if rows_below(output) != 3:
            done = run("convert", "--overwrite", *options, old, output)
            assert done.code == 0, done.stderr

    kill_again_and_again(command, output, f"overwrite {folder}", before, {3, ROWS})


def test_kill_with_quarantine(source: Path, tmp_path: Path) -> None:
    """Bad rows: their file is whole or not there, and no hidden folder outlives the next run."""
    text = source.read_text()
    bad = tmp_path / "bad.csv"
    bad.write_text(text + "1,2,3,4,5\n")
    lake = tmp_path / "lake"
    lake.mkdir()
    output, quarantine = lake / "out.parquet", lake / "bad"

    def command(to: Path) -> list[object]:
        return ["convert", "-m", "64M", "-j", 2, "--on-error", "quarantine", "--quarantine", quarantine, bad, to]

    def before() -> None:
        output.unlink(missing_ok=True)
        for path in quarantine.rglob("*.parquet"):
            if not is_staging(str(path)):
                assert pq.ParquetFile(path).read().num_rows == 1

    kill_again_and_again(command, output, "quarantine", before, {None, ROWS})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("share", [0.1, 0.4, 0.7])
def test_signal_leaves_nothing(source: Path, tmp_path: Path, number: signal.Signals, share: float) -> None:
    """Asked to stop: it does within two seconds, says so, and the old output stands."""
    lake = tmp_path / "lake"
    lake.mkdir()
    output = lake / "out"
    old = tmp_path / "old.csv"
    old.write_text("id,group\n1,g0\n2,g1\n")
    replace = ["convert", "--overwrite", "-m", "64M", "--partition-by", "group"]
    command = [*replace, "--dedupe", "id", "--on-error", "quarantine", "--quarantine", lake / "bad", *[source] * 4]
    began = time.monotonic()
    assert run(*command, output).code == 0
    length = time.monotonic() - began
    while True:
        assert run(*replace, old, output).code == 0
        kept = files_below(lake)
        process = start(*command, output)
        time.sleep(length * share)
        process.send_signal(number)
        asked = time.monotonic()
        error = process.communicate(timeout=20)[1].decode()
        if process.returncode != 0:
            break
        length *= 0.8  # it was ready sooner than the first time
    assert time.monotonic() - asked < 2
    assert process.returncode == 130, error
    assert "cancelled" in error
    assert files_below(lake) == kept


def test_signal_while_waiting_for_input(tmp_path: Path) -> None:
    """Standard input that gives nothing must not hold the program back."""
    read_end, write_end = os.pipe()
    os.write(write_end, b"id,name\n1,a\n")
    process = subprocess.Popen(
        [BINARY, "convert", "-", tmp_path / "out.parquet"],
        env=environment(),
        stdin=read_end,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    os.close(read_end)
    try:
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        error = process.communicate(timeout=2)[1].decode()
    finally:
        process.kill()
        process.communicate()
        os.close(write_end)
    assert process.returncode == 130, error
    assert os.listdir(tmp_path) == []
