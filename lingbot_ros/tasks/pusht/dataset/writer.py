"""Makes a Push-T data set shard by shard in several processes; what is there already is kept."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from importlib.metadata import version
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread

import numpy as np

from lingbot_ros.datasets.parts import SPARE_BYTES, missing_parts, new_part, require_space, write_task_plan
from lingbot_ros.errors import InputError, ResourceError
from lingbot_ros.tasks.pusht.dataset.episode import EpisodeMaker, episode_seed
from lingbot_ros.tasks.pusht.dataset.layout import FIELDS, PART, DatasetPlan, field_shape, read_plan
from lingbot_ros.tasks.pusht.simulator.policies import POLICY_NAMES

_VERSIONED = ("gym-pusht", "pymunk", "pygame", "numpy")


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
    missing = missing_parts(root, plan, read_plan, write_task_plan, PART, plan.shards)
    if missing:
        require_space(root, plan.bytes * len(missing) // plan.shards + SPARE_BYTES)
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
    with new_part(root, PART, shard) as folder:
        columns = {
            name: np.lib.format.open_memmap(
                folder / f"{name}.npy", "w+", dtype, (len(indices), *field_shape(name, plan.steps))
            )
            for name, (dtype, _) in FIELDS.items()
            if name != "frames"
        }
        # Frames go through ordinary writes: a full disk is then an error, where a mapped file would end the process.
        with open(folder / "frames.npy", "wb") as file:
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
