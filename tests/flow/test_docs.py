"""What the documents claim and a machine can check."""

import re

import flowforge
import pytest

DOCS = [flowforge.ROOT / "README.md", *sorted((flowforge.ROOT / "docs").rglob("*.md"))]


def test_api_page_has_all_routes(server):
    page = (flowforge.ROOT / "docs/api.md").read_text()
    listed = re.search(r"```routes\n(.*?)```", page, re.DOTALL).group(1)
    written = sorted(tuple(line.split()) for line in listed.splitlines())
    served = sorted(
        (operation["x-role"], method.upper(), path)
        for path, methods in server.get("/api/openapi.json")["paths"].items()
        for method, operation in methods.items()
        if method in ("get", "put", "post", "patch", "delete")
    )
    assert written == served


def test_api_page_shows_no_route_that_is_not_there(server):
    page = (flowforge.ROOT / "docs/api.md").read_text()
    served = [re.sub(r"\{\w+\}", "[^/]+", path) for path in server.get("/api/openapi.json")["paths"]]
    named = set(re.findall(r"`(?:[A-Z, `]+ )?(/api/[\w/{}.-]*)", page))
    assert len(named) > 20
    assert [path for path in named if not any(re.fullmatch(one, path) for one in served)] == []


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(flowforge.ROOT)))
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#\s]+)", path.read_text()):
        assert target.startswith("http") or (path.parent / target).exists(), target


def test_commands_of_the_readme_exist():
    commands = set(re.findall(r"flowforge ([a-z]+) ", (flowforge.ROOT / "README.md").read_text()))
    assert commands
    for command in commands:
        assert flowforge.call(command, "--help").code == 0, command


def test_readme_options_exist():
    text = (flowforge.ROOT / "README.md").read_text()
    shown = re.findall(r"flowforge ([a-z]+) ([^\n`]*)", text)
    for command, rest in shown:
        known = flowforge.call(command, "--help").out.decode()
        for option in re.findall(r"(?<!\S)--[a-z-]+", rest.split("#")[0]):
            assert option in known, (command, option)


def test_files_that_are_named_exist():
    """`src/...`, `tests/...` and headers like `base/error.h`, in the pages about the program itself."""
    for page in ("README.md", "docs/architecture.md", "docs/development.md", "docs/pipelines.md"):
        for name in re.findall(
            r"`((?:[a-z_]+/)+[a-z0-9_]+\.(?:[ch]|py|sh|sql|def|md|yaml))`", (flowforge.ROOT / page).read_text()
        ):
            found = [flowforge.ROOT / name, flowforge.ROOT / "src" / name]
            assert any(one.exists() for one in found), (page, name)
