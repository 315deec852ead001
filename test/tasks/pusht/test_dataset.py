"""Push-T data on disk: the same bytes whoever makes it, taken up where it was left, and read back as it happened."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from lingbot_ros.errors import ErrorCode, InputError, ResourceError
from lingbot_ros.tasks.pusht.dataset.episode import SPLIT_DIGITS, EpisodeMaker, episode_seed
from lingbot_ros.tasks.pusht.dataset.layout import DatasetPlan
from lingbot_ros.tasks.pusht.dataset.reader import ClipSampler, PushTDataset
from lingbot_ros.tasks.pusht.dataset.writer import make_shards, missing_shards, plan_dataset
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator, PushTState

EPISODES, STEPS = 7, 24


@pytest.fixture(scope="module")
def plan() -> DatasetPlan:
    return plan_dataset("train", 3, EPISODES, STEPS, shard_episodes=3)


@pytest.fixture(scope="module")
def folder(plan: DatasetPlan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pusht")
    made = sum(make_shards(root, plan, missing_shards(root, plan), workers=2))
    assert made == EPISODES
    return root


@pytest.fixture(scope="module")
def dataset(folder: Path) -> PushTDataset:
    return PushTDataset(folder)


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_splits_and_base_seeds_never_share_a_scene() -> None:
    seeds = [episode_seed(split, base, i) for split in SPLIT_DIGITS for base in (0, 1) for i in range(3000)]
    assert len(set(seeds)) == len(seeds)
    assert {seed % 10 for seed in seeds} == set(range(10))


def test_same_bytes_from_one_worker_in_another_order(folder: Path, plan: DatasetPlan, tmp_path: Path) -> None:
    missing = missing_shards(tmp_path, plan)
    list(make_shards(tmp_path, plan, missing[::-1], workers=1))
    assert contents(tmp_path) == contents(folder)


def test_takes_up_what_is_missing_and_clears_what_was_half_made(
    folder: Path, plan: DatasetPlan, tmp_path: Path
) -> None:
    root = tmp_path / "set"
    shutil.copytree(folder, root)
    shutil.rmtree(root / "shard_00001")
    (root / ".shard_00001.99999").mkdir()
    with pytest.raises(InputError, match="1 missing of 3 shards"):
        PushTDataset(root)
    assert missing_shards(root, plan) == [1]
    list(make_shards(root, plan, [1], workers=1))
    assert contents(root) == contents(folder)


@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("seed", plan_dataset("train", 4, EPISODES, STEPS, 3)),
        ("split", plan_dataset("test", 3, EPISODES, STEPS, 3)),
        ("episodes", plan_dataset("train", 3, EPISODES + 1, STEPS, 3)),
        ("steps", plan_dataset("train", 3, EPISODES, STEPS + 1, 3)),
    ],
)
def test_another_set_in_the_same_folder_is_refused(folder: Path, field: str, other: DatasetPlan) -> None:
    before = contents(folder)
    with pytest.raises(InputError, match=f"^{field}: got"):
        missing_shards(folder, other)
    assert contents(folder) == before


@pytest.mark.parametrize(
    "arguments",
    [("train", 0, 0, 10), ("train", 0, 5, 0), ("train", -1, 5, 5), ("holdout", 0, 5, 5), ("train", 0, 2_000_000, 5)],
    ids=str,
)
def test_sizes_that_make_no_set_are_refused(arguments: tuple[str, int, int, int]) -> None:
    with pytest.raises(InputError):
        plan_dataset(*arguments)


def test_a_set_larger_than_the_disk_is_refused_before_it_is_begun(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="GB free") as caught:
        missing_shards(tmp_path, plan_dataset("train", 0, 1_000_000, 100_000))
    assert caught.value.code == ErrorCode.DISK


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path, plan: DatasetPlan) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="^out: got .*give a folder that can be written"):
        missing_shards(tmp_path / "file" / "set", plan)


def test_states_and_images_are_those_of_the_simulator(dataset: PushTDataset) -> None:
    simulator = PushTSimulator()
    for episode in range(EPISODES):
        state = simulator.reset(int(dataset.seed[episode]))
        for t in range(STEPS):
            np.testing.assert_array_equal(dataset.frames(episode)[t], simulator.render())
            np.testing.assert_allclose(dataset.pusher[episode, t], state.pusher, atol=1e-3)
            np.testing.assert_allclose(dataset.pusher_velocity[episode, t], state.pusher_velocity, atol=1e-3)
            np.testing.assert_allclose(dataset.block[episode, t], state.block, atol=1e-3)
            state = simulator.step(dataset.actions[episode, t])
            assert dataset.contact[episode, t] == state.contact


def test_clip_actions_lead_from_one_frame_to_the_next(dataset: PushTDataset) -> None:
    clips = dataset.clips([[2, 5], [6, 15]], length=6)
    assert clips.frames.shape == (2, 6, 96, 96, 3)
    assert clips.actions.shape == (2, 5, 2)
    simulator = PushTSimulator()
    simulator.set_state(PushTState(clips.pusher[1, 2], clips.pusher_velocity[1, 2], clips.block[1, 2]))
    after = simulator.step(clips.actions[1, 2])
    np.testing.assert_allclose(after.pusher, clips.pusher[1, 3], atol=1e-2)
    np.testing.assert_array_equal(clips.frames[1], dataset.frames(6)[15:21])


def test_moving_windows_are_those_with_a_moving_block(dataset: PushTDataset) -> None:
    windows = dataset.windows(5)
    assert len(windows) == EPISODES * (STEPS + 1 - 4)
    expected = []
    for episode, start in windows:
        steps = np.diff(dataset.block[episode, start : start + 5], axis=0)
        expected.append(bool((np.hypot(steps[:, 0], steps[:, 1]) > 0.25).any() or (abs(steps[:, 2]) > 0.00375).any()))
    np.testing.assert_array_equal(dataset.moving(windows, 5), expected)
    assert 0 < sum(expected) < len(expected)


@pytest.mark.parametrize("share", [0.0, 0.8, 1.0])
def test_sampler_draws_the_share_asked_for(dataset: PushTDataset, share: float) -> None:
    drawn = ClipSampler(dataset, 5, share).draw(4000, np.random.default_rng(0))
    natural = dataset.moving(dataset.windows(5), 5).mean()
    assert dataset.moving(drawn, 5).mean() == pytest.approx(share + (1 - share) * natural, abs=0.03)


@pytest.mark.parametrize("length", [1, STEPS + 2])
def test_clip_length_that_does_not_fit_is_refused(dataset: PushTDataset, length: int) -> None:
    with pytest.raises(InputError, match="clip length"):
        dataset.windows(length)


def test_damaged_shard_is_named(folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "set"
    shutil.copytree(folder, root)
    file = root / "shard_00002" / "actions.npy"
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(InputError, match=r"shard_00002.actions\.npy"):
        PushTDataset(root)


def test_folder_without_a_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"dataset\.json"):
        PushTDataset(tmp_path)


def test_making_an_episode_leaves_no_trace_in_the_next() -> None:
    maker = EpisodeMaker()
    maker.make(21, 12)
    second = maker.make(34, 12)
    alone = EpisodeMaker().make(34, 12)
    np.testing.assert_array_equal(second.frames, alone.frames)
    np.testing.assert_array_equal(second.actions, alone.actions)


COMMAND = (
    "import argparse, sys; from lingbot_ros.cli import dataset; p = argparse.ArgumentParser();"
    "dataset.add_arguments(p); sys.exit(dataset.run(p.parse_args()))"
)


def command(root: Path) -> list[str]:
    return [sys.executable, "-c", COMMAND, "pusht", "--out", str(root), "--episodes", "60", "--steps", "10"]


def begin(root: Path) -> "subprocess.Popen[str]":
    """The real command, with its first shard made."""
    process = subprocess.Popen(command(root), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not list(root.glob("shard_*")) and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.01)
    return process


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=lambda sent: sent.name)
def test_interrupted_command_says_so_and_is_taken_up(tmp_path: Path, sent: signal.Signals) -> None:
    root = tmp_path / "set"
    process = begin(root)
    process.send_signal(sent)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "repeat the same command to resume" in stdout
    assert not list(root.glob(".shard_*"))

    done = subprocess.run(command(root), capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.endswith("complete\n")
    assert len(PushTDataset(root)) == 60


def test_workers_end_with_a_killed_command(tmp_path: Path) -> None:
    process = begin(tmp_path / "set")
    process.kill()
    # Workers hold the other ends of its pipes: end of file comes only when the last of them is gone.
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
