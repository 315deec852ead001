"""docs/architecture.md: its rooms are those of the tree, and it says of every dependency what it is for."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from test.test_rooms import PACKAGE, ROOMS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"


def first_cells(heading: str) -> list[str]:
    """The names in the first column of the table below a heading."""
    section = PAGE.read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def test_the_table_of_rooms_is_the_tree() -> None:
    present = {path.name.removesuffix(".py") for path in PACKAGE.iterdir() if not path.name.startswith(("_", "."))}
    assert first_cells("Rooms") == [room for room in ROOMS if room in present]
    assert present - set(ROOMS) <= {"py.typed"}


def strings_of_setup() -> Iterator[str]:
    call = next(node for node in ast.walk(ast.parse((ROOT / "setup.py").read_text())) if is_setup(node))
    for keyword in call.keywords:
        if keyword.arg in ("install_requires", "extras_require"):
            value = ast.literal_eval(keyword.value)
            yield from value if isinstance(value, list) else (item for items in value.values() for item in items)


def is_setup(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "setup"


def declared() -> set[str]:
    """Every package that setup.py, the lists of `./lingbot` and package.xml name, but for the constraints."""
    lists = (ROOT / "lingbot_ros" / "environment" / "requirements").glob("*.txt")
    lines = [line for path in lists if path.name != "constraints.txt" for line in path.read_text().splitlines()]
    pinned = [re.split(r"[^\w.-]", text)[0] for text in [*strings_of_setup(), *lines] if re.match(r"\w", text)]
    manifest = ElementTree.parse(ROOT / "package.xml").getroot()
    named = [item.text or "" for item in manifest if item.tag.endswith("depend")]
    return {name.removeprefix("python3-") for name in [*pinned, *named]} - {"opencv", "yaml"}


def test_every_dependency_has_a_line() -> None:
    told = first_cells("What each dependency earns")
    assert len(told) == len(set(told))
    written = {name for name in told if not name.startswith("python3-")}
    assert declared() - written == set()
    assert written - declared() == set()
