"""A set of clips on disk: whole or not there, taken up where it was left, read back as it was written."""

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lingbot_ros.datasets.layout import ClipPlan, episode_folder, is_clip_set
from lingbot_ros.datasets.limits import quantile_limits, scale
from lingbot_ros.datasets.plan import PlanOptions, choose_components, cut, make_plan, split
from lingbot_ros.datasets.reader import ClipSet
from lingbot_ros.datasets.writer import ClipSetWriter
from lingbot_ros.errors import ErrorCode, InputError, ResourceError
from lingbot_ros.tasks.data import open_training_data
from lingbot_ros.tasks.pusht.dataset.reader import PushTDataset
from lingbot_ros.training.clip_source import ClipSetSource, check_config, median_image
from test.support.own_clips import SMALL, small_plan, write_small_set
from test.support.own_clips import TINY_CONFIG as CONFIG


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_set(tmp_path_factory.mktemp("clips"))


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@given(steps=st.integers(0, 500), longest=st.integers(1, 120))
def test_parts_are_few_equal_and_lose_nothing(steps: int, longest: int) -> None:
    parts = cut(steps, longest)
    assert [start for start, _ in parts] == np.cumsum([0, *(count for _, count in parts)]).tolist()[: len(parts)]
    assert sum(count for _, count in parts) == steps
    assert len(parts) == -(-steps // longest)
    assert not parts or max(c for _, c in parts) - min(c for _, c in parts) <= 1


@given(episodes=st.integers(2, 300), share=st.floats(0.01, 0.99), seed=st.integers(0, 50))
def test_the_split_is_by_seed_alone_and_leaves_both_something(episodes: int, share: float, seed: int) -> None:
    held = split(episodes, share, seed)
    assert held == split(episodes, share, seed) == tuple(sorted(set(held)))
    assert 1 <= len(held) < episodes and held[0] >= 0 and held[-1] < episodes
    assert abs(len(held) - share * episodes) <= 1


def test_training_never_sees_a_held_back_episode(folder: Path) -> None:
    clips = ClipSet(folder)
    assert set(clips.plan.training) | set(clips.plan.validation) == set(range(len(clips)))
    marks = {int(clips.frames(episode)[0, 0, 0, 0]) for episode in clips.plan.training}
    source = ClipSetSource(clips, frames=4, moving_fraction=0.5)
    rng = np.random.default_rng(0)
    assert {int(source.sample(rng).frames[0, 0, 0, 0]) for _ in range(200)} == marks


def test_it_is_read_back_as_it_was_written(folder: Path) -> None:
    clips = ClipSet(folder)
    assert is_clip_set(folder) and len(clips) == len(SMALL)
    for episode, (frames, actions) in enumerate(SMALL):
        np.testing.assert_array_equal(clips.frames(episode), frames)
        np.testing.assert_array_equal(clips.actions[episode], actions)
        change = np.abs(np.diff(frames.astype(float), axis=0)).mean(axis=(1, 2, 3))
        np.testing.assert_allclose(clips.motion[episode], change, rtol=1e-6)


def test_a_clip_is_a_window_with_scaled_actions(folder: Path) -> None:
    clips = ClipSet(folder)
    clip = ClipSetSource(clips, frames=4, moving_fraction=0.5).sample(np.random.default_rng(1))
    assert clip.frames.shape == (6, 16, 16, 3) and clip.actions.shape == (5, 2) and clip.actions.dtype == np.float32
    episode = next(n for n in clips.plan.training if clips.frames(n)[0, 0, 0, 0] == clip.frames[0, 0, 0, 0])
    start = next(k for k in range(9) if np.array_equal(clips.frames(episode)[k : k + 6], clip.frames))
    np.testing.assert_array_equal(clip.actions, scale(clips.actions[episode][start : start + 5], clips.low, clips.high))


def test_moving_windows_are_preferred(folder: Path) -> None:
    clips = ClipSet(folder)
    windows = clips.windows(clips.plan.training, 6)
    moving = windows[clips.moving(windows, 6)]
    assert 0 < len(moving) <= len(windows) / 2
    source = ClipSetSource(clips, frames=4, moving_fraction=1.0)
    allowed = {clips.frames(e)[s : s + 6].tobytes() for e, s in moving}
    rng = np.random.default_rng(2)
    assert all(source.sample(rng).frames.tobytes() in allowed for _ in range(50))


def test_the_median_image_is_the_scene_without_what_moves(folder: Path) -> None:
    np.testing.assert_array_equal(median_image(ClipSet(folder))[8:, 8:], np.full((8, 8, 3), 200, np.uint8))


def test_an_interrupted_set_is_taken_up(folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "set"
    shutil.copytree(folder, root)
    shutil.rmtree(episode_folder(root, 1))
    (root / "complete.json").unlink()
    (root / ".episode_00001.99999").mkdir()
    with pytest.raises(InputError, match="not complete: repeat the command that created it"):
        ClipSet(root)
    writer = ClipSetWriter(root, small_plan())
    assert writer.missing() == [1]
    with pytest.raises(InputError, match="1 of its episodes are missing"):
        writer.finish()
    writer.write(1, iter(SMALL[1][0]), SMALL[1][1])
    writer.finish()
    assert contents(root) == contents(folder)


def test_a_killed_writer_leaves_whole_episodes_only(tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import sys, time
        from pathlib import Path
        from lingbot_ros.datasets.writer import ClipSetWriter
        from test.support.own_clips import SMALL, small_plan

        writer = ClipSetWriter(Path(sys.argv[1]), small_plan())
        writer.write(0, iter(SMALL[0][0]), SMALL[0][1])

        def hanging():
            yield SMALL[1][0][0]
            print("half way", flush=True)
            time.sleep(600)

        writer.write(1, hanging(), SMALL[1][1])
    """)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", program, str(tmp_path / "set")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None and process.stdout.readline() == b"half way\n"
        process.send_signal(signal.SIGKILL)
    assert ClipSetWriter(tmp_path / "set", small_plan()).missing() == [1, 2, 3]
    assert not list((tmp_path / "set").glob(".episode_*"))


@pytest.mark.parametrize(
    ("change", "field"),
    [({"fps": 5.0}, "fps"), ({"steps": (12, 12, 12, 11)}, "steps"), ({"source": {"type": "other"}}, "source")],
    ids=["rate", "episodes", "source"],
)
def test_another_set_in_the_same_folder_is_refused(folder: Path, change: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError, match=f"^{field}: .* was created with"):
        ClipSetWriter(folder, replace(small_plan(), **change))


def bad_frames(count: int, size: int = 16, dtype: type[np.generic] = np.uint8) -> Iterator[NDArray[Any]]:
    return (np.zeros((size, size, 3), dtype) for _ in range(count))


@pytest.mark.parametrize(
    ("frames", "actions", "message"),
    [
        (bad_frames(12), np.zeros((12, 2)), r"12 frames; the plan says 13"),
        (bad_frames(13, size=15), np.zeros((12, 2)), r"uint8 \[15, 15, 3\]; give uint8 \[16, 16, 3\]"),
        (bad_frames(13, dtype=np.float32), np.zeros((12, 2)), "float32"),
        (bad_frames(13), np.zeros((12, 3)), r"give 12 finite actions of 2 components \(x, y\)"),
        (bad_frames(13), np.full((12, 2), np.nan), "finite"),
    ],
    ids=["too few frames", "wrong size", "wrong type", "wrong dimension", "not finite"],
)
def test_an_episode_that_is_not_as_planned_is_refused_and_leaves_nothing(
    tmp_path: Path, frames: Iterator[NDArray[Any]], actions: NDArray[Any], message: str
) -> None:
    writer = ClipSetWriter(tmp_path, small_plan())
    with pytest.raises(InputError, match=message):
        writer.write(0, frames, actions)
    assert [path.name for path in tmp_path.iterdir()] == ["dataset.json"]


def test_a_full_disk_is_said_before_and_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ResourceError, match="0.1 GB needed, 0.0 GB free") as refused:
        ClipSetWriter(tmp_path / "set", small_plan())
    assert refused.value.code == ErrorCode.DISK
    monkeypatch.undo()
    writer = ClipSetWriter(tmp_path / "set", small_plan())

    def full() -> Iterator[NDArray[np.uint8]]:
        yield SMALL[0][0][0]
        raise OSError(28, "No space left on device")

    with pytest.raises(ResourceError, match="No space left on device"):
        writer.write(0, full(), SMALL[0][1])
    assert writer.missing() == [0, 1, 2, 3] and not list((tmp_path / "set").glob(".episode_*"))


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("frames.npy", lambda path: path.write_bytes(path.read_bytes()[:-7])),
        ("frames.npy", lambda path: path.write_bytes(b"")),
        ("actions.npy", lambda path: path.write_bytes(b"PK\x03\x04")),
        ("actions.npy", lambda path: np.save(path, np.zeros((12, 2), np.float32))),
        ("actions.npy", lambda path: np.save(path, np.zeros((11, 2), np.float32))),
        ("motion.npy", lambda path: path.unlink()),
    ],
    ids=["short file", "empty file", "no array", "other actions", "other length", "no file"],
)
def test_a_damaged_episode_is_named(folder: Path, tmp_path: Path, name: str, damage: Any) -> None:
    root = tmp_path / "set"
    shutil.copytree(folder, root)
    damage(episode_folder(root, 2) / name)
    with pytest.raises(InputError, match="episode_00002"):
        ClipSet(root)


def test_ranges_are_of_quantiles_and_constant_components_have_one() -> None:
    actions = np.column_stack([np.arange(1001), np.full(1001, 3.0)]).astype(np.float32)
    actions[0, 0] = -1e6
    low, high = quantile_limits(actions, 0.001)
    assert low == pytest.approx((1.0, 2.0)) and high == pytest.approx((999.0, 4.0))
    assert scale(actions, low, high).min() == -1 and scale(actions, low, high).max() == 1
    np.testing.assert_array_equal(scale(actions, low, high)[:, 1], 0)
    assert quantile_limits(actions, 0)[0][0] == -1e6


def test_the_set_keeps_given_ranges_and_says_what_is_beyond(tmp_path: Path) -> None:
    root = write_small_set(tmp_path, low=(-1.0, 0.0), high=(1.0, 0.5))
    done = json.loads((root / "complete.json").read_text())
    assert (done["low"], done["high"]) == ([-1.0, 0.0], [1.0, 0.5])
    values = np.concatenate([actions for _, actions in SMALL])
    assert done["outside"] == pytest.approx([0.0, np.mean((values[:, 1] < 0) | (values[:, 1] > 0.5))])
    assert done["constant"] == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (PlanOptions(validation=1.0), "validation: got 1.0"),
        (PlanOptions(shortest=9, longest=8), "shortest, longest"),
        (PlanOptions(low=(0.0, 0.0)), "give both or none"),
        (PlanOptions(low=(0.0,), high=(1.0,)), r"give 2 numbers: x, y"),
        (PlanOptions(low=(0.0, 2.0), high=(1.0, 1.0)), "range of y: got 2 to 1"),
        (PlanOptions(size=(0, 16)), "size: got 0x16"),
        (PlanOptions(quantile=0.5), "quantile"),
    ],
)
def test_options_that_make_no_set_are_named(options: PlanOptions, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_plan({}, 10.0, ("x", "y"), [12, 12], options)


def test_one_episode_or_an_unknown_component_is_refused() -> None:
    with pytest.raises(InputError, match="at least 2 are needed"):
        make_plan({}, 10.0, ("x", "y"), [12], PlanOptions())
    assert choose_components(("x", "y", "z"), ("z", "x")) == [2, 0]
    for wanted in (("w",), ("x", "x")):
        with pytest.raises(InputError, match="out of x, y, z"):
            choose_components(("x", "y", "z"), wanted)


def test_a_folder_of_another_kind_is_no_set(folder: Path, tmp_path: Path) -> None:
    assert not is_clip_set(tmp_path)
    with pytest.raises(InputError, match="from-bag"):
        ClipSet(tmp_path)
    with pytest.raises(InputError, match="it is not a Push-T data set"):
        PushTDataset(folder)
    plan = ClipPlan(**{**json.loads((folder / "dataset.json").read_text()), "schema_version": 2})
    (tmp_path / "dataset.json").write_text(json.dumps(plan.__dict__))
    with pytest.raises(InputError, match="schema is 2"):
        ClipSet(tmp_path)


def test_a_network_that_does_not_take_the_data_is_said_before_training(folder: Path) -> None:
    clips, network = ClipSet(folder), CONFIG.transformer
    check_config(clips, CONFIG)
    assert network.control is not None and network.control.kind == "action"
    other = replace(CONFIG, transformer=replace(network, control=replace(network.control, dim=7)))
    with pytest.raises(InputError, match=r"control.dim: got 7; the actions of .* have 2 components \(x, y\)"):
        open_training_data(folder, other)
    with pytest.raises(InputError, match="patches of 32x32 do not fill it"):
        open_training_data(folder, replace(CONFIG, transformer=replace(network, patch_size=(1, 32, 32))))
    with pytest.raises(InputError, match="the longest of these episodes has 13"):
        open_training_data(folder, replace(CONFIG, rollout=replace(CONFIG.rollout, clip_frames=12)))
