"""Which change calls for which stage."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lingbot_ros.environment.layout import Layout
from lingbot_ros.environment.stages import stages

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what the keys are made from."""
    tree = tmp_path / "lingbot"
    requirements = Layout(tree).requirements
    shutil.copytree(Layout(ROOT).requirements, requirements)
    shutil.copytree(ROOT / "lingbot_msgs", tree / "lingbot_msgs")
    return tree


def keys(tree: Path) -> dict[str, str]:
    return {stage.name: stage.key for stage in stages(Layout(tree))}


def append(name: str) -> Callable[[Path], None]:
    def change(tree: Path) -> None:
        with open(tree / name, "a") as file:
            file.write("# a change\n")

    return change


LISTS = "lingbot_ros/environment/requirements/"


@pytest.mark.parametrize(
    ("change", "due"),
    [
        pytest.param(lambda _tree: None, set(), id="nothing"),
        pytest.param(append("lingbot_msgs/msg/FrameInfo.msg"), {"messages"}, id="a message"),
        pytest.param(append("lingbot_msgs/CMakeLists.txt"), {"messages"}, id="how messages are built"),
        pytest.param(
            lambda tree: (tree / "lingbot_msgs/msg/FrameInfo.msg").rename(tree / "lingbot_msgs/msg/Frame.msg"),
            {"messages"},
            id="a message's name",
        ),
        pytest.param(
            lambda tree: (tree / "lingbot_msgs/srv/Step.srv").unlink(), {"messages"}, id="a service that is gone"
        ),
        pytest.param(append(f"{LISTS}ros.txt"), {"ros", "messages"}, id="ROS wheels"),
        pytest.param(append(f"{LISTS}torch.txt"), {"torch"}, id="torch"),
        pytest.param(append(f"{LISTS}alone.txt"), {"libraries"}, id="a library"),
        pytest.param(
            append(f"{LISTS}constraints.txt"), {"ros", "torch", "libraries", "messages"}, id="an indirect version"
        ),
    ],
)
def test_a_change_touches_only_the_stages_it_concerns(
    tree: Path, change: Callable[[Path], None], due: set[str]
) -> None:
    before = keys(tree)
    change(tree)
    after = keys(tree)
    assert {name for name in before if before[name] != after[name]} == due


def test_another_folder_needs_another_environment(tree: Path) -> None:
    before = keys(tree)
    after = keys(tree.rename(tree.with_name("moved")))
    assert {name for name in before if before[name] != after[name]} == {"environment"}


def test_every_direct_requirement_is_pinned_exactly() -> None:
    for path in Layout(ROOT).requirements.glob("*.txt"):
        for line in path.read_text().splitlines():
            requirement = line.partition("#")[0].strip()
            assert not requirement or "==" in requirement, f"{path.name}: {requirement}"
