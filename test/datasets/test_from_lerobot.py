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
from lingbot_ros.datasets.lerobot.video import Film
from lingbot_ros.datasets.plan import PlanOptions
from lingbot_ros.datasets.reader import ClipSet
from lingbot_ros.datasets.writer import ClipSetWriter
from lingbot_ros.errors import InputError

pytest.importorskip("pyarrow", reason="the optional package pyarrow is not installed")
pytest.importorskip("av", reason="the optional package av is not installed")
from test.support.lerobot_sets import (
    CAMERA,
    FPS,
    LENGTHS,
    SIZE,
    action,
    picture,
    read_table,
    rows,
    write_film,
    write_table,
    write_timed_film,
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
        (change_info(features={"left": 5}), "it has no features and fps"),
        (change_info(fps=0), "it has no features and fps"),
        (lambda root: (root / "meta" / "info.json").unlink(), "give a folder with meta/info.json"),
        (lambda root: (root / "meta" / "episodes.jsonl").unlink(), "episodes.jsonl'; it cannot be read"),
        (lambda root: next(root.rglob("episode_000001.mp4")).unlink(), "000001.mp4; it is no video that can be"),
        (lambda root: next(root.rglob("episode_000001.parquet")).unlink(), "episode_000001.parquet; it cannot be read"),
        (lambda root: write_film(next(root.rglob("episode_000001.mp4")), (picture(1, k) for k in range(4))),
         "5 of 43 rows .* 0.200 s into episode 1"),
        (lambda root: write_table(next(root.rglob("episode_000001.parquet")), rows([0])),
         "episode 1: got 0 rows; the list of episodes says 9"),
        (lambda root: write_table(next(root.rglob("episode_000001.parquet")), {"index": [1]}),
         "no column episode_index, frame_index, timestamp, action, only index"),
        (change_info(features={CAMERA: TWO_CAMERAS["left"], "action": {"dtype": "float32", "shape": [3]}}),
         "give 3 finite numbers, as info.json says"),
    ],
    ids=["version", "which camera", "no camera", "no action", "path", "odd feature", "no rate", "no info",
         "no list", "no film", "no table",
         "short film", "rows missing", "no columns", "components"],
)  # fmt: skip
def test_what_does_not_fit_is_said(damage: Callable[[Path], Any], message: str, tmp_path: Path) -> None:
    root = write_v2(tmp_path / "lerobot")
    damage(root)
    with pytest.raises(InputError, match=message):
        convert(root, tmp_path / "set")


def film_of(root: Path) -> Path:
    return root / "videos" / CAMERA / "chunk-000" / "file-000.mp4"


def two_episodes(gap: int = 0, start: int = 0) -> list[tuple[NDArray[np.uint8], int]]:
    """The images of episodes 0 and 1, each with when it is shown, in frames."""
    first = [(picture(0, k), start + k) for k in range(LENGTHS[0])]
    return first + [(picture(1, k), start + LENGTHS[0] + gap + k) for k in range(LENGTHS[1])]


def rewrite_rows(change: Callable[[dict[str, list[Any]]], None]) -> Callable[[Path], None]:
    def rewrite(root: Path) -> None:
        table = rows([0, 1, 2])
        change(table)
        write_table(root / "data" / "chunk-000" / "file-000.parquet", table)

    return rewrite


def move_starts(root: Path, starts: list[float]) -> None:
    path = root / "meta" / "episodes" / "chunk-000" / "file-000.parquet"
    table = read_table(path)
    write_table(path, table | {f"videos/{CAMERA}/from_timestamp": starts})


@pytest.mark.parametrize(("gap", "start"), [(3, 0), (0, 2), (5, 3)], ids=["gap", "late start", "both"])
def test_frames_of_a_joined_film_are_found_by_their_time(gap: int, start: int, tmp_path: Path) -> None:
    root = write_v3(tmp_path / "lerobot")
    write_timed_film(film_of(root), two_episodes(gap, start))
    move_starts(root, [start / FPS, (start + LENGTHS[0] + gap) / FPS, 0.0])
    clips = convert(root, tmp_path / "set")
    assert [told(clips.frames(e)) for e in range(3)] == [[(e, k) for k in range(n)] for e, n in enumerate(LENGTHS)]


def drop_frame(root: Path) -> None:
    write_timed_film(film_of(root), two_episodes()[:6] + two_episodes()[7:])


def set_value(column: str, row: int, value: Any) -> Callable[[Path], None]:
    return rewrite_rows(lambda table: table[column].__setitem__(row, value))


def drop_row(table: dict[str, list[Any]]) -> None:
    for values in table.values():
        del values[6]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (drop_frame, r"file-000.mp4, 0.300 s; .* 0.300 s into episode 0"),
        (set_value("action", 6, [np.nan, 1.0]), "episode 0, row 6, action: got .*nan"),
        (set_value("action", 6, None), "episode 0, row 6, action: got None"),
        (set_value("action", 6, [1.0]), "episode 0, row 6, action"),
        (set_value("timestamp", 6, 0.36), "episode 0, row 6, timestamp: got 0.36; frame 6 .* is at 0.300 s"),
        (set_value("timestamp", 6, None), "episode 0, row 6, timestamp: got None"),
        (set_value("frame_index", 6, None), "episode 0, frame_index: got 5 then 7"),
        (rewrite_rows(drop_row), "episode 0, frame_index: got 5 then 7"),
    ],
    ids=["no frame", "NaN", "null action", "short action", "late", "no time", "no index", "no row"],
)
def test_a_bad_row_is_left_out_and_ends_the_episode(
    damage: Callable[[Path], None], message: str, tmp_path: Path
) -> None:
    root = write_v3(tmp_path / "lerobot")
    damage(root)
    with pytest.raises(InputError, match=f"1 of 43 rows .* --bad-share; the first: .*{message}"):
        survey(open_set(root, None), 1, OPTIONS)
    recorded = open_set(root, None)
    clips = survey(recorded, 1, OPTIONS, bad_share=0.05)
    assert "1 rows left out" in clips.story[-1]
    writer = ClipSetWriter(tmp_path / "set", clips.plan)
    list(write_missing(recorded, clips, writer))
    writer.finish()
    found = ClipSet(tmp_path / "set")
    shown = [told(found.frames(episode)) for episode in range(len(found))]
    assert shown == [
        [(0, k) for k in range(6)], [(0, k) for k in range(7, 13)], [(1, k) for k in range(9)],
        [(2, k) for k in range(21)],
    ]  # fmt: skip
    np.testing.assert_array_equal(found.actions[1], [action(0, k) for k in range(7, 12)])


def test_images_in_tables_are_looked_at(tmp_path: Path) -> None:
    root = write_v2_images(tmp_path / "lerobot")
    path = next(root.rglob("episode_000001.parquet"))
    table = read_table(path)
    table[CAMERA][4] = {"bytes": table[CAMERA][4]["bytes"][:-9], "path": ""}
    table[CAMERA][5] = None
    write_table(path, table)
    story = survey(open_set(root, None), 1, OPTIONS, bad_share=0.05).story[-1]
    assert "2 rows left out" in story and "episode 1, row 4" in story and "ends early" in story
    assert "episode 1, row 5: got no image" in story


def test_a_film_is_decoded_from_anywhere(tmp_path: Path) -> None:
    write_timed_film(tmp_path / "x.mp4", [(picture(0, k % 20), 2 * k) for k in range(60)])
    film = Film(tmp_path / "x.mp4")
    assert film.nearest(0.2, 0.025) == 2 and film.nearest(0.25, 0.025) is None
    for number in (0, 1, 59, 3, 2, 30, 30, 7):
        assert told(film.frame(number)[None]) == [(0, number % 20)]
    film.close()


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
