"""The README's commands exist and its Python runs."""

import re
import shlex
from pathlib import Path

import pytest

from lingbot_ros.cli.main import _parser, find_verbs
from test.support.bouncing_ball import SOURCE, declare_example_task

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), flags=re.DOTALL)


def start_script_lines() -> list[str]:
    lines = [line for page in PAGES for block in blocks(page, "bash") for line in block.splitlines()]
    return sorted({line.split(" && ")[-1].split("#")[0].strip() for line in lines if line.startswith("./lingbot")})


@pytest.fixture
def example_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page on tasks installs one before it uses its commands."""
    declare_example_task(tmp_path)
    for folder in (SOURCE, tmp_path):
        monkeypatch.syspath_prepend(folder)


@pytest.mark.usefixtures("example_task")
@pytest.mark.parametrize("line", start_script_lines())
def test_start_script_commands_parse(line: str) -> None:
    program, verb, *arguments = shlex.split(line)
    assert program == "./lingbot"
    if arguments[:2] == ["-m", "pip"]:
        assert (ROOT / arguments[-1] / "pyproject.toml").is_file()
        return
    if verb == "python":
        assert (ROOT / next(argument for argument in arguments if argument not in ("-m", "pytest"))).exists()
        return
    parser, _ = _parser({verb: find_verbs()[verb]})
    parser.parse_args([verb, *arguments])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code = "\n".join(blocks(page, "python"))
    exec(compile(code, str(page), "exec"), {"__name__": "documentation"})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_images_exist(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert "://" in target or (page.parent / target).exists(), target


def test_ros_commands_name_what_the_package_has() -> None:
    text = (ROOT / "README.md").read_text()
    for launch_file in re.findall(r"ros2 launch lingbot_ros ([\w.]+)", text):
        assert (ROOT / "launch" / launch_file).is_file()
    for kind, name in re.findall(r"lingbot_msgs/(srv|msg|action)/(\w+)", text):
        assert (ROOT / "lingbot_msgs" / kind / f"{name}.{kind}").is_file()
