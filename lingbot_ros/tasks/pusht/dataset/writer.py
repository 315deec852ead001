"""Makes a Push-T data set shard by shard in several processes; what is there already is kept."""

import os
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from importlib.metadata import version
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread

import numpy as np

from lingbot_ros.errors import ErrorCode, InputError, ResourceError
from lingbot_ros.tasks.pusht.dataset.episode import EpisodeMaker, episode_seed
from lingbot_ros.tasks.pusht.dataset.layout import (
    FIELDS,
    PLAN_FILE,
    DatasetPlan,
    field_shape,
    read_plan,
    shard_folder,
    write_plan,
)
from lingbot_ros.tasks.pusht.simulator.policies import POLICY_NAMES

_VERSIONED = ("gym-pusht", "pymunk", "pygame", "numpy")
_SPARE_BYTES = 200_000_000


def plan_dataset(split: str, seed: int, episodes: int, steps: int, shard_episodes: int = 20) -> DatasetPlan:
    """The plan of a set to be made here. Raises InputError for an unknown split or sizes that make no set."""
    for field, value in (("episodes", episodes), ("steps", steps), ("shard episodes", shard_episodes)):
        if value < 1:
            raise InputError(field, value, "give 1 or more")
    episode_seed(split, seed, episodes - 1)
    versions = {name: version(name) for name in _VERSIONED}
    return DatasetPlan("pusht", split, seed, episodes, steps, shard_episodes, POLICY_NAMES, versions)


def missing_shards(root: Path, plan: DatasetPlan) -> list[int]:
    """Start or take up the set in `root`: the numbers of the shards that are not there yet, after checking for disk.

    Raises InputError when `root` holds a set of another plan, ResourceError when the disk cannot take the rest.
    """
    if (root / PLAN_FILE).exists():
        _check_same(root, read_plan(root), plan)
    else:
        write_plan(root, plan)
    for leftover in root.glob(".shard_*"):
        shutil.rmtree(leftover, ignore_errors=True)
    missing = [shard for shard in range(plan.shards) if not shard_folder(root, shard).exists()]
    needed = plan.bytes * len(missing) // plan.shards + _SPARE_BYTES
    free = shutil.disk_usage(root).free
    if missing and free < needed:
        raise _disk_error(root, f"{needed / 1e9:.1f} GB needed, {free / 1e9:.1f} GB free")
    return missing


def make_shards(root: Path, plan: DatasetPlan, shards: list[int], workers: int) -> Iterator[int]:
    """Make `shards` of the set in `root` with `workers` processes; yields how many episodes each finished shard holds.

    Raises ResourceError when the disk fills up or a worker is killed. However it ends, the shards yielded are whole
    and the next call takes up from them.
    """
    if workers < 1:
        raise InputError("workers", workers, "give 1 or more")
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_follow_parent)
    pending = {pool.submit(write_shard, root, plan, shard) for shard in shards}
    try:
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    except BrokenProcessPool as error:
        raise ResourceError(
            "workers: one was killed, most often for lack of memory; run the same command again with fewer workers"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def write_shard(root: Path, plan: DatasetPlan, shard: int) -> int:
    """Make shard number `shard` and put it in place in one move; returns how many episodes it holds."""
    indices = plan.shard_range(shard)
    aside = root / f".shard_{shard:05d}.{os.getpid()}"
    try:
        aside.mkdir()
        columns = {
            name: np.lib.format.open_memmap(
                aside / f"{name}.npy", "w+", dtype, (len(indices), *field_shape(name, plan.steps))
            )
            for name, (dtype, _) in FIELDS.items()
            if name != "frames"
        }
        # Frames go through ordinary writes: a full disk is then an error, where a mapped file would end the process.
        with open(aside / "frames.npy", "wb") as file:
            header = {
                "descr": "|u1",
                "fortran_order": False,
                "shape": (len(indices), *field_shape("frames", plan.steps)),
            }
            np.lib.format.write_array_header_1_0(file, header)
            maker = EpisodeMaker()
            for row, index in enumerate(indices):
                episode = maker.make(episode_seed(plan.split, plan.seed, index), plan.steps)
                file.write(episode.frames.tobytes())
                for name, column in columns.items():
                    column[row] = getattr(episode, name)
        for column in columns.values():
            column.flush()
        aside.rename(shard_folder(root, shard))
    except OSError as error:
        shutil.rmtree(aside, ignore_errors=True)
        raise _disk_error(root, f"writing a shard failed ({error.strerror})") from error
    return len(indices)


def _follow_parent() -> None:
    # Ctrl-C reaches every process of the terminal; the parent alone decides, and the workers finish their shard.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # A parent that was killed cannot end its workers; they would wait for tasks for ever.
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _check_same(root: Path, there: DatasetPlan, wanted: DatasetPlan) -> None:
    for field in DatasetPlan.__dataclass_fields__:
        old, new = getattr(there, field), getattr(wanted, field)
        if old != new:
            raise InputError(field, new, f"the set in {root} was created with {old}; use that, or another folder")


def _disk_error(root: Path, reason: str) -> ResourceError:
    return ResourceError(f"disk of {root}: {reason}; free some space or use another folder", ErrorCode.DISK)
