"""docs/planning.md: its commands run, each on one goal with a small search, and so does its program."""

import re
import shlex
from pathlib import Path

import pytest

from lingbot_ros.cli.main import main
from lingbot_ros.planning.plan import Plan

PAGE = (Path(__file__).parents[2] / "docs" / "planning.md").read_text()
COMMANDS = re.findall(r"^\./lingbot (plan .+)$", PAGE, flags=re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_commands(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*shlex.split(command), "--goals", "1", "--samples", "2", "--iterations", "1"]) == 0


def test_the_program() -> None:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    names: dict[str, object] = {}
    exec(program, names)
    found = names["plan"]
    assert isinstance(found, Plan)
    assert found.actions.shape == (15, 2)
