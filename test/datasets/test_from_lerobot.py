"""LeRobot sets of both layouts become clips."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lingbot_ros.cli.main import BAD_INPUT, FAILED, main
from lingbot_ros.datasets.lerobot import tables
from lingbot_ros.datasets.lerobot.from_lerobot import survey, write_missing
from lingbot_ros.datasets.lerobot.layout import action_names, open_set
from lingbot_ros.datasets.plan import PlanOptions
from lingbot_ros.datasets.reader import ClipSet
from lingbot_ros.datasets.writer import ClipSetWriter
from lingbot_ros.errors import InputError

pytest.importorskip("pyarrow", reason="the optional package pyarrow is not installed")
from test.support.lerobot_sets import (
    CAMERA,
    FPS,
    LENGTHS,
    SIZE,
    action,
    picture,
    rows,
    write_film,
    write_table,
    write_v2,
    write_v2_images,
    write_v3,
)

OPTIONS = PlanOptions(size=(SIZE, SIZE), longest=100, shortest=4)

LAYOUTS = [write_v2, write_v3, write_v2_images]


def convert(root: Path, out: Path, every: int = 1, options: PlanOptions = OPTIONS) -> ClipSet:
    recorded = open_set(root, None)
    clips = survey(recorded, every, options)
    writer = ClipSetWriter(out, clips.plan)
    list(write_missing(recorded, clips, writer))
    writer.finish()
    return ClipSet(out)


def told(frames: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Which episode and frame each image shows."""
    np.testing.assert_allclose(frames[:, :, -2:].mean(axis=(0, 1, 2)), (220, 20, 20), atol=12)
    upper, lower = frames[:, 4:12, 4:16].mean(axis=(1, 2, 3)), frames[:, 20:28, 4:16].mean(axis=(1, 2, 3))
    return [(round((a - 40) / 60), round((b - 20) / 10)) for a, b in zip(upper, lower, strict=True)]


@pytest.mark.parametrize("write", LAYOUTS, ids=lambda write: write.__name__)
def test_every_layout_gives_the_same_clips(write: Callable[[Path], Path], tmp_path: Path) -> None:
    clips = convert(write(tmp_path / "lerobot"), tmp_path / "set")
    assert clips.plan.fps == FPS and clips.plan.action_names == ("pan", "lift")
    assert clips.plan.steps == tuple(length - 1 for length in LENGTHS)
    for episode, length in enumerate(LENGTHS):
        assert told(clips.frames(episode)) == [(episode, k) for k in range(length)]
        np.testing.assert_array_equal(clips.actions[episode], [action(episode, k) for k in range(length - 1)])


@pytest.mark.parametrize("write", LAYOUTS, ids=lambda write: write.__name__)
def test_frames_are_thinned_and_episodes_cut(write: Callable[[Path], Path], tmp_path: Path) -> None:
    options = replace(OPTIONS, longest=5, shortest=5, components=("lift",))
    clips = convert(write(tmp_path / "lerobot"), tmp_path / "set", every=2, options=options)
    assert clips.plan.fps == 10 and clips.plan.steps == (5, 5) and clips.plan.action_names == ("lift",)
    assert told(clips.frames(0)) == [(2, k) for k in range(0, 11, 2)]
    assert told(clips.frames(1)) == [(2, k) for k in range(10, 21, 2)]
    np.testing.assert_array_equal(clips.actions[1], [[10], [12], [14], [16], [18]])


@pytest.mark.parametrize(
    ("names", "shape", "expected"),
    [
        (["x", "y"], [2], ("x", "y")),
        ({"motors": ["x"], "gripper": ["g"]}, [2], ("x", "g")),
        ([["x", "y"]], [2], ("x", "y")),
        (["dim"], [3], ("a0", "a1", "a2")),
        (None, [1], ("a0",)),
    ],
)
def test_components_have_names_however_they_are_listed(names: Any, shape: list[int], expected: Any) -> None:
    assert action_names({"names": names, "shape": shape}) == expected


def change_info(**changes: Any) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        path = root / "meta" / "info.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return change


TWO_CAMERAS = {name: {"dtype": "video", "shape": [1, 1, 3]} for name in ("left", "right")}


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (change_info(codebase_version="v1.6"), "codebase_version 'v1.6'; give a set of format v2.0, v2.1, v3.0"),
        (change_info(features=TWO_CAMERAS), "--camera: got None; give one of left, right"),
        (change_info(features={"action": {"dtype": "float32"}}), "the set has no images"),
        (change_info(features={"left": TWO_CAMERAS["left"]}), "--action: got action; the set has left"),
        (change_info(data_path="data/{nothing}.parquet"), "not of format v2.1 .*nothing"),
        (lambda root: (root / "meta" / "info.json").unlink(), "give a folder with meta/info.json"),
        (lambda root: (root / "meta" / "episodes.jsonl").unlink(), "episodes.jsonl; it cannot be read"),
        (lambda root: next(root.rglob("episode_000001.mp4")).unlink(), "episode_000001.mp4; it has no video"),
        (lambda root: next(root.rglob("episode_000001.parquet")).unlink(), "episode_000001.parquet; it cannot be read"),
        (lambda root: write_film(next(root.rglob("episode_000001.mp4")), (picture(1, k) for k in range(4))),
         "4 frames; it ends before frame 4"),
        (lambda root: write_table(next(root.rglob("episode_000001.parquet")), rows([0])),
         "episode 1: got 0 rows; the list of episodes says 9"),
        (lambda root: write_table(next(root.rglob("episode_000001.parquet")), {"index": [1]}),
         "no column episode_index, frame_index, action, only index"),
        (change_info(features={CAMERA: TWO_CAMERAS["left"], "action": {"dtype": "float32", "shape": [3]}}),
         "3 components in info.json; its rows hold others"),
    ],
    ids=["version", "which camera", "no camera", "no action", "path", "no info", "no list", "no film", "no table",
         "short film", "rows missing", "no columns", "components"],
)  # fmt: skip
def test_what_does_not_fit_is_said(damage: Callable[[Path], Any], message: str, tmp_path: Path) -> None:
    root = write_v2(tmp_path / "lerobot")
    damage(root)
    with pytest.raises(InputError, match=message):
        convert(root, tmp_path / "set")


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    write_v3(tmp_path / "lerobot")
    command = ["dataset", "from-lerobot", "lerobot", "--out", "set", "--size", "32x32", "--shortest", "4"]
    assert main(command) == 0
    assert "LeRobot v3.0" in capsys.readouterr().out and len(ClipSet("set")) == 3
    assert main([*command, "--camera", "wrist"]) == BAD_INPUT
    assert f"give one of {CAMERA}" in capsys.readouterr().err


def test_without_pyarrow_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tables, "have", lambda _: False)
    assert main(["dataset", "from-lerobot", str(tmp_path), "--out", str(tmp_path / "set")]) == FAILED
    assert "pip install pyarrow" in capsys.readouterr().err
