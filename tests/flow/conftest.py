import flowforge
import pytest


@pytest.fixture(scope="session", autouse=True)
def program():
    assert flowforge.PROGRAM.exists(), "build the program first: make"
    return flowforge.PROGRAM
