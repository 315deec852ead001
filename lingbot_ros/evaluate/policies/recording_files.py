"""Reads recorded actions: npy files, bags, LeRobot data sets."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from lingbot_ros.datasets.bag.action_types import ACTION_TYPES, ActionColumn
from lingbot_ros.datasets.bag.open_bag import Bag
from lingbot_ros.datasets.left_out import LeftOut
from lingbot_ros.datasets.lerobot.layout import open_actions
from lingbot_ros.datasets.lerobot.rows import RowReader
from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.policies.contract import Actions
from lingbot_ros.input_files.arrays import load_array

_SUFFIXES_OF_BAGS = (".mcap", ".bag", ".db3")

_LONGEST_NS = 10**9
"""A joint that another publisher names keeps its value for so long."""


def load_actions(
    path: Path, topic: str | None = None, episode: int | None = None, action_key: str | None = None
) -> Mapping[str, Actions] | Actions:
    """Actions [steps, dim] for all starts, or by the start's id.

    An npy file, or a folder of such files named START_ID.npy. A bag: every message of `topic` is one action, in the
    order in which they came. A LeRobot data set: the rows of `episode` in the feature `action_key`, by default
    "action". Raises InputError for what is missing, unreadable or of another shape.
    """
    if (path / "meta" / "info.json").is_file():
        _only("topic", topic)
        return _of_lerobot(path, episode, action_key or "action")
    _only("episode", episode)
    _only("action_key", action_key)
    if path.suffix in _SUFFIXES_OF_BAGS or (path / "metadata.yaml").is_file():
        return _of_bag(path, topic)
    _only("topic", topic)
    if path.is_dir():
        files = sorted(path.glob("*.npy"))
        if not files:
            fix = "give an npy file, a folder of START_ID.npy, a bag or a LeRobot data set"
            raise InputError("actions", path, fix)
        return {file.stem: _of_npy(file) for file in files}
    return _of_npy(path)


def _only(key: str, value: object) -> None:
    if value is not None:
        raise InputError(key, value, "leave it out: these actions are recorded in another way")


def _of_npy(path: Path) -> Actions:
    try:
        values = load_array(path)
    except (OSError, ValueError) as error:
        raise InputError("actions", path, f"give a readable npy file ({error})") from error
    if values.ndim != 2 or not np.issubdtype(values.dtype, np.number):
        raise InputError("actions", path, "give an npy file of numbers [steps, dim]")
    return values.astype(np.float64)


def _of_bag(path: Path, topic: str | None) -> Actions:
    with Bag(path) as bag:
        if topic is None:
            fitting = [name for name, kinds in bag.topics().items() if set(kinds) & set(ACTION_TYPES)]
            raise InputError("topic", "none", f"give the topic of the actions, one of {', '.join(fitting) or 'none'}")
        kinds, left_out = bag.types_of(topic, "topic", ACTION_TYPES), LeftOut(topic, "actions")
        column, stamps = ActionColumn(topic, kinds, "position"), []
        for received_ns, message in bag.messages(topic, kinds):
            column.add(message)
            stamps.append(received_ns)
    actions = column.finish(left_out)
    left_out.check(len(stamps), 0.0)
    values, known = actions.filled(np.array(stamps, np.int64), np.zeros(len(stamps), np.int64), _LONGEST_NS)
    if not known.any():
        raise InputError("topic", topic, "it has no action; give another topic or bag")
    return values[known].astype(np.float64)


def _of_lerobot(path: Path, episode: int | None, action_key: str) -> Actions:
    recorded = open_actions(path, action_key)
    numbers = [listed.number for listed in recorded.episodes]
    if episode not in numbers:
        raise InputError("episode", episode, f"give one of {numbers[0]} to {numbers[-1]}")
    chosen = recorded.episodes[numbers.index(episode)]
    rows = RowReader(recorded).of(chosen)
    for fault in (*rows.faults.values(), *rows.gaps.values()):
        raise fault
    return rows.actions.astype(np.float64)
