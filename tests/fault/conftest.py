import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


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
