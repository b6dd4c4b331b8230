import flowforge
import pytest
import server as servers
from postgres import postgres, postgres_server  # noqa: F401 # fixtures


@pytest.fixture(scope="session", autouse=True)
def program():
    assert flowforge.PROGRAM.exists(), "build the program first: make"
    return flowforge.PROGRAM


@pytest.fixture
def server(tmp_path):
    """A server of its own, on an empty home; files for file_local jobs go into server.inbox."""
    with servers.Server(tmp_path / "home") as one:
        yield one
