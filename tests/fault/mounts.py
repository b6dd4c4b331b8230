"""Small file systems in memory, for tests of full and unwritable places."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="run inside test_in_own_mounts")


def in_own_mounts(tests: Path, *options: str) -> None:
    """Where the tests do not run as root: mounts in a user and mount namespace, in which they are run again."""
    done = subprocess.run(
        ["unshare", "-rm", sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", *options, str(tests)],
        capture_output=True,
    )
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Mounts a small file system in memory; mount("small", size="1m")."""
    mounted = []

    def make(name: str, **options: str) -> Path:
        at = tmp_path / name
        at.mkdir()
        settings = ",".join(f"{k}={v}" if v else k for k, v in options.items())
        subprocess.run(["mount", "-t", "tmpfs", "-o", settings, "tmpfs", at], check=True)
        mounted.append(at)
        return at

    yield make
    for at in mounted:
        subprocess.run(["umount", "-l", at], check=True)
