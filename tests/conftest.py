"""Where the tests find what the build made."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def build_dir() -> Path:
    """FLOWFORGE names the program under test; what was built with it lies beside it."""
    return Path(os.environ.get("FLOWFORGE", ROOT / "build/release/flowforge")).resolve().parent
