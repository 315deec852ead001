"""The tutorial on a drive through an own place, command by command, as it stands."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml

from lingbot_ros.cli.main import BAD_INPUT, main
from lingbot_ros.world import World

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tutorials" / "train_on_a_drive.md"
PATIENCE_S = 240


def commands() -> dict[str, list[str]]:
    """The page's commands by their verb, without `./lingbot`."""
    blocks = re.findall(r"```bash\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    lines = [shlex.split(line)[1:] for block in blocks for line in block.splitlines()]
    return {line[0]: line for line in lines}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which the first commands were run, with the files of the project that they name."""
    folder = tmp_path_factory.mktemp("drive")
    for name in ("config", "docs"):
        (folder / name).symlink_to(ROOT / name)
    before = Path.cwd()
    os.chdir(folder)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    subprocess.run([sys.executable, *commands()["python"][1:]], env=environment, timeout=PATIENCE_S, check=True)
    yield folder
    os.chdir(before)


def test_a_bag_becomes_a_world(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(commands()["dataset"]) == 0
    told = capsys.readouterr().out
    for line in re.findall(r"^(?:/camera|/odom|6 drives|data/room).*$", PAGE.read_text(), flags=re.MULTILINE):
        assert line in told
    assert main(commands()["train"]) == 0
    assert "a view warped from its neighbours by the predicted depth" in capsys.readouterr().out
    card = yaml.safe_load((place / "models" / "room" / "card.yaml").read_text())
    assert "without depth" in card["training"]["supervision"]
    assert {"warped_db", "turned_db"} == set(card["training"]["held_out"])
    wrong = [word.replace("scene.yaml", "small.yaml") for word in commands()["train"]]
    assert main(wrong) == BAD_INPUT and "scene.yaml" in capsys.readouterr().err
    world = World.load(place / "models" / "room")
    session = world.start(world.seed_image())
    poses = np.load(place / "models" / "room" / "demo_poses.npy")
    assert session.step(poses[:1]).shape == (1, 96, 128, 3)
    other = session.fork()
    assert np.array_equal(other.step(poses[1:2]), session.step(poses[1:2]))


def test_the_world_is_imagined_on_topics(place: Path) -> None:
    pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
    pytest.importorskip("lingbot_msgs.msg", reason="lingbot_msgs is not built")
    from test.support.imagination import isolated_environment

    command = [sys.executable, "-m", "lingbot_ros.cli.main", *commands()["imagine"]]
    done = subprocess.run(
        command, env=isolated_environment(), cwd=place, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (place / "out" / "imagined.mp4").is_file()
