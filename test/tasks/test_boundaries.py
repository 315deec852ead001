"""What knows one task lives in its folder: no other file of the package names it."""

import re
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "lingbot_ros"
NAMES = re.compile(r"push_?t|\btee\b", re.IGNORECASE)

REGISTRY = PACKAGE / "tasks" / "registry.py"
PACKAGES_TO_INSTALL = PACKAGE / "environment" / "requirements"
"""The start script installs gym-pusht and what it imports by these lists; a package cannot be renamed."""


def files_that_name_it() -> set[Path]:
    found = {path for path in PACKAGE.rglob("*.*") if path.suffix in (".py", ".txt") and NAMES.search(path.read_text())}
    return {path for path in found if not path.is_relative_to(PACKAGE / "tasks" / "pusht")}


def test_only_the_registry_names_the_built_in_task() -> None:
    named = {path for path in files_that_name_it() if not path.is_relative_to(PACKAGES_TO_INSTALL)}
    assert named == {REGISTRY}
    lines = [line for line in REGISTRY.read_text().splitlines() if NAMES.search(line)]
    assert [line.partition(" =")[0] for line in lines] == ["BUILT_IN", "DEFAULT_TASK", "DEFAULT_MODEL", "DEFAULT_SCENE"]


def test_the_lists_of_packages_name_it_as_a_package_alone() -> None:
    for path in files_that_name_it() - {REGISTRY}:
        named = [found.group() for found in re.finditer(r"[\w-]*push_?t[\w-]*", path.read_text(), re.IGNORECASE)]
        assert set(named) == {"gym-pusht"}, path
