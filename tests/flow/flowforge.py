"""Runs the program as a user does and returns what came back."""

import json
import os
import pathlib
import subprocess
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = (ROOT / os.environ.get("FLOWFORGE", "build/release/flowforge")).resolve()
SOAK = bool(os.environ.get("FLOWFORGE_SOAK"))
# So many threads with the least memory make the smallest chunks there are: 64 KiB.
SMALL_CHUNKS = ("--memory", "64M", "--threads", "190")


@dataclass
class Result:
    code: int
    report: dict | None
    out: bytes
    err: str

    @property
    def rows(self):
        return self.report["rows"]


def call(*words, stdin=None, timeout=120, cwd=None):
    """Run the program with these words; any path or number may be one."""
    done = subprocess.run(
        [str(PROGRAM), *map(str, words)],
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        timeout=timeout,
        cwd=cwd,
        check=False,
    )
    assert done.returncode >= 0, f"died of signal {-done.returncode}: {words}\n{done.stderr[-2000:]!r}"
    return Result(done.returncode, None, done.stdout, done.stderr.decode("utf-8", "replace"))


def account(report):
    """The identity of DESIGN 3.5: no row is lost or made."""
    rows = report["rows"]
    assert rows["read"] == rows["written"] + rows["rejected"] + rows["deduped"] + rows["filtered"], rows
    assert sum(report["rejects_by_code"].values()) == rows["rejected"]
    assert sum(one["rows"] for one in report["inputs"]) == rows["read"]
    if report["files"]:
        assert sum(one["rows"] for one in report["files"]) == rows["written"]
    assert sum(one["bytes"] for one in report["files"]) == report["bytes_out"]


def convert(inputs, output, *options, ok=True, stdin=None, timeout=120, cwd=None):
    """Convert with a report. `ok`: it has to succeed (True), to fail (False), or either (None)."""
    inputs = inputs if isinstance(inputs, list | tuple) else [inputs]
    settings = [] if {"--memory", "-m"} & set(options) else ["--memory", "64M"]
    settings += [] if {"--threads", "-j"} & set(options) else ["--threads", "2"]
    words = ["convert", "--quiet", "--report", "-", *settings, *options, *inputs, output]
    result = call(*words, stdin=stdin, timeout=timeout, cwd=cwd)
    command = " ".join(map(str, words))
    if result.out:
        result.report = json.loads(result.out)
    if ok is True:
        assert result.code == 0, f"{command}\n{result.err}"
        account(result.report)
        assert result.report["status"] in ("completed", "completed_with_rejects")
    elif ok is False:
        assert result.code in (1, 2), f"{command}\nexit code {result.code}\n{result.err}"
        assert result.err.strip(), f"{command}: a failure says why"
        if result.report:
            assert result.report["status"] == "failed"
            assert result.report["files"] == []
    return result


def preview(path, *options, ok=True):
    result = call("preview", "--json", *options, path)
    if ok:
        assert result.code == 0, result.err
        result.report = json.loads(result.out)
    else:
        assert result.code in (1, 2)
    return result
