"""Small file systems in memory, for tests of full and unwritable places."""

import os
import subprocess
import sys
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
