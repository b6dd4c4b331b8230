"""Holds every #include in src/ to the arrows of docs/architecture.md.

The list between ```arrows and ``` says which rooms a room may include; itself it always may. Besides: no room that
the list does not know, no cycle in the list, no included .c file, no include of a file that is not there, no
relative include, and no umbrella header (one that declares nothing and only includes others).
"""

import re
import sys
from pathlib import Path

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
# The system has a header of that name too, and no other declares flock.
ALSO_SYSTEM = {"sys/file.h"}
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)


def read_arrows(text: str) -> dict[str, set[str]]:
    block = re.search(r"^```arrows\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    if not block:
        raise ValueError("docs/architecture.md has no ```arrows block")
    arrows = {}
    for line in block.group(1).splitlines():
        if not line.strip():
            continue
        room, arrow, targets = line.partition("->")
        if not arrow:
            raise ValueError(f"docs/architecture.md: not an arrow: {line!r}")
        arrows[room.strip()] = set(targets.split())
    return arrows


def check_list(arrows: dict[str, set[str]]) -> list[str]:
    """Rooms that are not defined, and cycles: arrows point down only."""
    problems = []
    for room, targets in arrows.items():
        problems += [f"arrows: {room} -> {t}, and {t} is no room" for t in sorted(targets - arrows.keys())]
    remaining = {room: targets & arrows.keys() for room, targets in arrows.items()}
    while remaining:
        ground = [room for room, targets in remaining.items() if not targets & remaining.keys()]
        if not ground:
            problems.append(f"arrows: a cycle among {', '.join(sorted(remaining))}")
            break
        for room in ground:
            del remaining[room]
    return problems


def is_umbrella(text: str, includes: int) -> bool:
    """A header of two or more includes in which nothing is left without comments and directives."""
    code = [line for line in COMMENT.sub("", text).splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return includes >= 2 and not code


def check_file(path: Path, src: Path, arrows: dict[str, set[str]]) -> list[str]:
    text = path.read_text(encoding="utf-8")
    room = path.relative_to(src).parts[0]
    name = path.relative_to(src.parent)
    if room not in arrows:
        return [f"{name}: {room}/ is no room of docs/architecture.md"]
    problems = []
    found = INCLUDE.findall(COMMENT.sub("", text))
    for quote, target in found:
        if target.endswith(".c"):
            problems.append(f"{name}: includes the source file {target}")
        elif quote == '"' and not (src / target).is_file():
            problems.append(f'{name}: "{target}" is not a file below src/ (system headers go in <>)')
        elif quote == '"' and (to := target.split("/")[0]) != room and to not in arrows[room]:
            problems.append(f"{name}: {room} may not include {to} ({target})")
        elif quote == "<" and target not in ALSO_SYSTEM and (src / target).is_file():
            problems.append(f'{name}: <{target}> is ours: "{target}"')
    if path.suffix == ".h" and is_umbrella(text, len(found)):
        problems.append(f"{name}: an umbrella header")
    return problems


def main(root: Path) -> int:
    src = root / "src"
    arrows = read_arrows((root / "docs/architecture.md").read_text(encoding="utf-8"))
    problems = check_list(arrows)
    failed = 1 if problems else 0
    files = sorted(p for pattern in ("*.c", "*.h", "*.def") for p in src.rglob(pattern))
    passed = 0
    for path in files:
        of_file = check_file(path, src, arrows)
        passed += not of_file
        failed += bool(of_file)
        problems += of_file
    for problem in problems:
        print(problem)
    print(f"COUNT {passed} {failed}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent))
