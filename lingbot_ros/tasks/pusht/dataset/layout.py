"""How a Push-T data set lies on disk.

DIR/dataset.json            the plan: what the set holds once it is complete, and by which versions it is made
DIR/shard_00000/NAME.npy    one array per field, first axis = episode of the shard; plain npy, so it can be mapped
DIR/shard_00000/            appears under this name only when it is whole (written aside, then renamed)
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lingbot_ros.datasets.parts import part_folder, read_task_plan

SCHEMA_VERSION = 1
PART = "shard"

# Field, dtype and shape of one episode of T steps; -1 stands for T, -2 for T + 1. See `episode.Episode`.
FIELDS: dict[str, tuple[type[np.generic], tuple[int, ...]]] = {
    "frames": (np.uint8, (-2, 96, 96, 3)),
    "actions": (np.float32, (-1, 2)),
    "pusher": (np.float32, (-2, 2)),
    "pusher_velocity": (np.float32, (-2, 2)),
    "block": (np.float32, (-2, 3)),
    "contact": (np.uint8, (-1,)),
    "seed": (np.int64, ()),
    "policy": (np.uint8, ()),
}


@dataclass(frozen=True)
class DatasetPlan:
    """All that decides a data set's bytes. `versions` names the packages that simulate and draw."""

    task: str
    split: str
    seed: int
    episodes: int
    steps: int
    shard_episodes: int
    policies: tuple[str, ...]
    versions: dict[str, str]
    schema_version: int = SCHEMA_VERSION

    @property
    def shards(self) -> int:
        return -(-self.episodes // self.shard_episodes)

    @property
    def bytes(self) -> int:
        """Size of the complete set, without the few hundred bytes of headers per shard."""
        return self.episodes * sum(
            np.dtype(dtype).itemsize * int(np.prod(field_shape(name, self.steps)))
            for name, (dtype, _) in FIELDS.items()
        )

    def shard_range(self, shard: int) -> range:
        """The episode indices that shard number `shard` holds."""
        return range(shard * self.shard_episodes, min((shard + 1) * self.shard_episodes, self.episodes))


def field_shape(name: str, steps: int) -> tuple[int, ...]:
    """The shape of one episode's field `name` with `steps` actions."""
    lengths = {-1: steps, -2: steps + 1}
    return tuple(lengths.get(n, n) for n in FIELDS[name][1])


def shard_folder(root: Path, shard: int) -> Path:
    """Where shard number `shard` of the set in `root` lies once it is whole."""
    return part_folder(root, PART, shard)


def read_plan(root: Path) -> DatasetPlan:
    """The plan of the data set in `root`. Raises InputError when there is none or it is of another schema."""
    content = read_task_plan(root, "pusht", "Push-T", SCHEMA_VERSION)
    return DatasetPlan(**{**content, "policies": tuple(content["policies"])})
