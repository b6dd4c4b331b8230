"""Full and unwritable places, and inputs that are not there: the message names what and why, and nothing is left."""

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from mounts import in_own_mounts, needs_root
from program import BINARY, files_below, run

if os.geteuid() != 0:

    def test_in_own_mounts() -> None:
        in_own_mounts(Path(__file__), "-k", "not unreadable")


def csv(path: Path, rows: int) -> Path:
    """Text that no codec makes small."""
    path.write_text("id,t\n" + "".join(f"{i},{os.urandom(100).hex()}\n" for i in range(rows)))
    return path


def refused(done: object, *words: str) -> None:
    assert done.code == 1, done
    assert done.stderr.startswith("flowforge: "), done
    for word in words:
        assert word in done.stderr, (word, done)


@needs_root
@pytest.mark.parametrize("output", ["out.parquet", "out.csv", "out.csv.gz", "out.ndjson"])
@pytest.mark.parametrize("threads", [1, 2])
def test_output_disk_full(tmp_path: Path, mount: Callable[..., Path], output: str, threads: int) -> None:
    small = mount("small", size="512k")
    done = run("convert", "-j", threads, csv(tmp_path / "in.csv", 20000), small / output)
    refused(done, output, "No space left on device", "free some space")
    assert files_below(small) == {}


@needs_root
def test_output_disk_full_in_partitions(tmp_path: Path, mount: Callable[..., Path]) -> None:
    small = mount("small", size="512k")
    source = tmp_path / "in.csv"
    source.write_text("k,t\n" + "".join(f"{i % 10},{os.urandom(100).hex()}\n" for i in range(20000)))
    done = run("convert", "--partition-by", "k", source, small / "out")
    refused(done, str(small), "No space left on device")
    assert files_below(small) == {}


@needs_root
def test_overwritten_output_survives_a_full_disk(tmp_path: Path, mount: Callable[..., Path]) -> None:
    small = mount("small", size="512k")
    output = small / "out.parquet"
    assert run("convert", csv(tmp_path / "old.csv", 10), output).code == 0
    kept = files_below(small)
    refused(run("convert", "--overwrite", csv(tmp_path / "in.csv", 20000), output), "No space left on device")
    assert files_below(small) == kept


@needs_root
def test_no_inodes(tmp_path: Path, mount: Callable[..., Path]) -> None:
    small = mount("small", nr_inodes="2")
    refused(run("convert", csv(tmp_path / "in.csv", 10), small / "out.parquet"), "No space left on device")
    assert files_below(small) == {}


@needs_root
def test_temp_disk_full_in_dedupe(tmp_path: Path, mount: Callable[..., Path]) -> None:
    small = mount("small", size="512k")
    source = tmp_path / "in.csv"
    filler = "z" * 4000
    source.write_text("id,v\n" + "".join(f"{i},{i:05}{filler}\n" for i in range(8000)))
    lake = tmp_path / "lake"
    lake.mkdir()
    spare = ["--temp-dir", small, "-m", "64M"]
    done = run("convert", *spare, "--dedupe", "id", "--order-by", "v", source, lake / "out.parquet")
    refused(done, str(small), "No space left on device")
    assert files_below(lake) == files_below(small) == {}


@needs_root
def test_temp_disk_full_with_standard_input(tmp_path: Path, mount: Callable[..., Path]) -> None:
    small = mount("small", size="512k")
    source = csv(tmp_path / "in.csv", 20000)
    lake = tmp_path / "lake"
    lake.mkdir()
    command = [BINARY, "convert", "--temp-dir", small, "-", lake / "out.parquet"]
    with source.open("rb") as stdin:
        done = subprocess.run(command, stdin=stdin, capture_output=True, timeout=20)
    assert done.returncode == 1
    assert b"No space left on device" in done.stderr
    assert str(small).encode() in done.stderr
    assert files_below(lake) == files_below(small) == {}


@needs_root
def test_quarantine_disk_full(tmp_path: Path, mount: Callable[..., Path]) -> None:
    small = mount("small", size="256k")
    source = tmp_path / "in.csv"
    good = "".join(f"{i},{'g' * 100}\n" for i in range(20000))
    source.write_text("id,t\n" + good + "".join(f"{i},x,{os.urandom(100).hex()}\n" for i in range(20000)))
    lake = tmp_path / "lake"
    lake.mkdir()
    done = run("convert", "--on-error", "quarantine", "--quarantine", small / "bad", source, lake / "out.parquet")
    refused(done, str(small), "rejects-", "No space left on device")
    assert files_below(lake) == files_below(small) == {}


@needs_root
def test_read_only_file_system(tmp_path: Path, mount: Callable[..., Path]) -> None:
    fixed = mount("fixed", ro="")
    source = csv(tmp_path / "in.csv", 10)
    refused(run("convert", source, fixed / "out.parquet"), str(fixed / "out.parquet"), "Read-only file system")
    refused(run("convert", source, fixed / "new/out.parquet"), str(fixed / "new"), "Read-only file system")
    refused(run("convert", "--sync", "--partition-by", "id", source, fixed / "out"), "Read-only file system")


@needs_root
def test_read_only_quarantine_and_temp(tmp_path: Path, mount: Callable[..., Path]) -> None:
    fixed = mount("fixed", ro="")
    source = tmp_path / "in.csv"
    source.write_text("id,t\n1,a\n2,b,c\n")
    output = tmp_path / "lake" / "out.parquet"
    output.parent.mkdir()
    done = run("convert", "--on-error", "quarantine", "--quarantine", fixed / "bad", source, output)
    refused(done, str(fixed / "bad"), "Read-only file system")
    with source.open("rb") as stdin:
        command = [BINARY, "convert", "--temp-dir", fixed, "-", output]
        again = subprocess.run(command, stdin=stdin, capture_output=True, timeout=20)
    assert again.returncode == 1
    assert b"Read-only file system" in again.stderr
    assert files_below(output.parent) == {}


def test_parent_of_output_is_made(tmp_path: Path) -> None:
    """Documented in lake/staging.h: missing parents are made, and go again if nothing is published."""
    output = tmp_path / "lake/a/b/out.parquet"
    assert run("convert", csv(tmp_path / "in.csv", 10), output).code == 0
    assert list(files_below(tmp_path / "lake")) == ["a/b/out.parquet"]
    bad = tmp_path / "bad.csv"
    bad.write_text("a,b\n1,2\n1,2,3\n")
    refused(run("convert", bad, tmp_path / "other/a/b/out.parquet"), "TOO_MANY_COLUMNS")
    assert not (tmp_path / "other").exists()


def test_output_is_a_folder(tmp_path: Path) -> None:
    """A folder takes a file named by --filename-pattern; one with contents has to be meant by --overwrite."""
    source = csv(tmp_path / "in.csv", 10)
    lake = tmp_path / "lake"
    lake.mkdir()
    assert run("convert", "--filename-pattern", "{filename}", source, lake).code == 0
    assert list(files_below(lake)) == ["in.parquet"]
    kept = files_below(lake)
    refused(run("convert", source, lake), str(lake), "exists already")
    refused(run("convert", source, lake / "in.parquet"), "in.parquet", "exists already")
    refused(run("convert", "--partition-by", "id", source, lake / "in.parquet"), "in.parquet", "file")
    refused(run("convert", source, lake / "in.parquet/below.parquet"), "in.parquet", "Not a directory")
    assert files_below(lake) == kept


def test_input_missing(tmp_path: Path) -> None:
    refused(run("convert", tmp_path / "none.csv", tmp_path / "o.parquet"), "none.csv", "No such file or directory")
    assert files_below(tmp_path) == {}


def test_input_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    refused(run("convert", tmp_path / "folder", tmp_path / "o.parquet"), "folder", "is a directory", "/*.csv")
    assert files_below(tmp_path) == {"folder/": b""}


def test_input_unreadable() -> None:
    """As somebody whom the file's mode keeps out: root is not such a one."""
    place = Path("/var/tmp" if os.access("/var/tmp", os.W_OK) else "/tmp") / f"flowforge-unreadable-{os.getpid()}"
    other = {"user": 65534, "group": 65534} if os.geteuid() == 0 else {}
    place.mkdir()
    try:
        source = csv(place / "in.csv", 10)
        source.chmod(0o000)
        shutil.copy(BINARY, place / "flowforge")
        if other:
            os.chown(place, 65534, 65534)
        command = [place / "flowforge", "convert", source, place / "out.parquet"]
        done = subprocess.run(command, capture_output=True, **other)
        assert done.returncode == 1, done
        assert b"in.csv" in done.stderr
        assert b"Permission denied" in done.stderr
        assert sorted(os.listdir(place)) == ["flowforge", "in.csv"]
    finally:
        shutil.rmtree(place)


def test_input_grows_while_it_is_read(tmp_path: Path) -> None:
    """Two passes, between which rows are added: never an output that holds some of them."""
    source, lake = tmp_path / "in.csv", tmp_path / "lake"
    lake.mkdir()
    with source.open("w") as f:
        f.write("id,t\n" + "".join(f"{i % 200000},text number {i}\n" for i in range(400000)))
    stop = threading.Event()

    def grow() -> None:
        with source.open("a") as f:
            while not stop.is_set():
                f.write("1,more\n" * 100)
                f.flush()
                time.sleep(0.002)

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        done = run("convert", "-m", "64M", "--dedupe", "id", source, lake / "out.parquet")
    finally:
        stop.set()
        writer.join()
    refused(done, "in.csv", "changed while it was read", "run again")
    assert files_below(lake) == {}


def test_input_shrinks_while_it_is_read(tmp_path: Path) -> None:
    source, lake = tmp_path / "in.csv", tmp_path / "lake"
    lake.mkdir()
    with source.open("w") as f:
        f.write("id,t\n" + "".join(f"{i},text number {i}\n" for i in range(800000)))
    process = subprocess.Popen(
        [BINARY, "convert", "-m", "64M", "--dedupe", "id", source, lake / "out.parquet"], stderr=subprocess.PIPE
    )
    time.sleep(0.02)
    os.truncate(source, 1000)
    error = process.communicate(timeout=20)[1].decode()
    assert process.returncode == 1, error
    assert "changed while it was read" in error or "became shorter" in error
    assert files_below(lake) == {}
