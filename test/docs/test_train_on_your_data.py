"""The tutorial on own data, command by command, as it stands."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from lingbot_ros.cli.main import main
from lingbot_ros.training.config import TrainConfig
from lingbot_ros.world import World

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tutorials" / "train_on_your_data.md"
PATIENCE_S = 240


def commands() -> dict[str, list[str]]:
    """The page's commands by their verb, without `./lingbot`: those that build on one another, from the first bag."""
    others = ("--record", "imagined_*", "layers.yaml")
    lines = [shlex.split(line)[1:] for line in written() if not any(other in line for other in others)]
    return {line[1] if line[0] == "dataset" else line[0]: line for line in lines}


def written() -> list[str]:
    """Every line of the page that is to be typed into a shell."""
    blocks = re.findall(r"```bash\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder to run the commands in, with the files of the project that they name."""
    folder = tmp_path_factory.mktemp("tutorial")
    for name in ("config", "docs", "lingbot_msgs"):
        (folder / name).symlink_to(ROOT / name)
    before = Path.cwd()
    os.chdir(folder)
    yield folder
    os.chdir(before)


@pytest.fixture(scope="module")
def model(place: Path) -> Path:
    """What the first four commands make."""
    told = commands()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    subprocess.run([sys.executable, *told["python"][1:]], env=environment, timeout=PATIENCE_S, check=True)
    for verb in ("from-bag", "train", "eval-model"):
        assert main(told[verb]) == 0, verb
    return place / "models" / "table"


def test_a_bag_becomes_a_model_that_runs(model: Path) -> None:
    world = World.load(model)
    assert (world.info.name, world.info.fps, world.info.control.names) == ("table", 10.0, ("x", "y"))
    session = world.start(world.seed_image())
    low, high = world.info.control.low, world.info.control.high
    middle = [(a + b) / 2 for a, b in zip(low, high, strict=True)]
    assert session.step([middle]).shape == (1, 96, 96, 3)


def test_the_same_clips_become_rigid_layers(place: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = (line for line in written() if "layers.yaml" in line)
    assert main(shlex.split(line)[1:]) == 0
    assert "better than repeating the last frame" in capsys.readouterr().out
    world = World.load(place / "models" / "layers")
    card = world.card
    assert "11 episodes (1100 steps), no colours, states or shapes" in card.training["needed"]
    assert card.training["found"]["colours_of_each_layer"] == [2, 2]
    assert card.quality["wrong_actions_cost_db"][0] > 1 and any("disc" in limit for limit in card.limits)
    session = world.start(world.seed_image())
    low, high = np.array(card.control.low), np.array(card.control.high)
    imagined = session.step([(0.8 * low + 0.2 * high)])
    assert imagined.shape == (1, 96, 96, 3) and (imagined[0] != world.seed_image()).any()


def test_the_report_lies_where_the_page_says(place: Path, model: Path) -> None:
    strips = cv2.imread(str(place / "report" / "strips.png"))
    assert strips is not None and strips.shape[0] > 300
    assert "repeating the last real frame" in (place / "report" / "report.txt").read_text()


def test_the_page_quotes_what_is_printed(place: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(commands()["from-bag"]) == 0
    told = capsys.readouterr().out
    for line in re.findall(r"^(?:/camera|12 episodes|data/table).*$", PAGE.read_text(), flags=re.MULTILINE):
        assert line.removesuffix("...") in told


def test_a_lerobot_set_becomes_clips(place: Path) -> None:
    pytest.importorskip("pyarrow", reason="the optional package pyarrow is not installed")
    from test.support.lerobot_sets import write_v3

    write_v3(place / "lerobot" / "pick_cube")
    assert main(commands()["from-lerobot"]) == 0


def test_the_shipped_training_file_is_read() -> None:
    path = ROOT / "config" / "training" / "small.yaml"
    control = TrainConfig.load(path).transformer.control
    assert control is not None and control.kind == "action"
    assert yaml.safe_load(path.read_text())["name"] == "small"


def test_the_model_is_driven_on_topics(place: Path, model: Path) -> None:
    pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
    pytest.importorskip("lingbot_msgs.msg", reason="lingbot_msgs is not built")
    from test.support.imagination import isolated_environment

    command = [sys.executable, "-m", "lingbot_ros.cli.main", *commands()["imagine"]]
    done = subprocess.run(
        command, env=isolated_environment(), cwd=place, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 0, done.stderr
    frames = re.search(r"^(\d+) frames in .* errors: 0$", done.stdout, flags=re.MULTILINE)
    assert frames is not None and int(frames[1]) > 0, done.stdout
    assert (place / "out" / "imagined.mp4").is_file()


def test_what_the_node_recorded_becomes_data(place: Path, tmp_path: Path) -> None:
    """As typed: the shell finds the bag. A line of another tutorial imagines the same bag again."""
    pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
    pytest.importorskip("lingbot_msgs.msg", reason="lingbot_msgs is not built")
    from test.support.imagination import isolated_environment

    record, convert = (line for line in written() if "--record" in line or "imagined_*" in line)
    (tmp_path / "lingbot").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m lingbot_ros.cli.main "$@"\n')
    (tmp_path / "lingbot").chmod(0o755)
    environment = {**isolated_environment(), "HOME": str(tmp_path)}
    environment.pop("ROS_HOME", None)
    told = {}
    other = (ROOT / "docs" / "tutorials" / "record_and_replay.md").read_text()
    again = next(line for line in other.splitlines() if line.startswith("./lingbot replay") and "imagined_*" in line)
    for line in (record, convert, again):
        done = subprocess.run(
            ["bash", "-c", line], env=environment, cwd=tmp_path, capture_output=True, text=True,
            timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        told[line] = done.stdout
    assert "/imagination/control: 1 without values; an episode begins at each" in told[convert]
    assert "all bit-identical" in told[again]
    assert (tmp_path / "data" / "imagined" / "dataset.json").is_file()
