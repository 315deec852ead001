"""Where policies come from: what the keys of an entry in the file of policies mean."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lingbot_ros.compat import have
from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.policies.batched import Batched
from lingbot_ros.evaluate.policies.contract import RowPolicies
from lingbot_ros.evaluate.policies.each_row import EachRow
from lingbot_ros.evaluate.policies.entry import check_keys, flag, patience, steps, table, text
from lingbot_ros.evaluate.policies.entry_point import load_factory
from lingbot_ros.evaluate.policies.recorded import RecordedActions
from lingbot_ros.evaluate.policies.recording_files import load_actions

Kind = Callable[[str, Mapping[str, Any], Path], RowPolicies]
"""Makes a policy of its name, its entry in the file, and the folder of the file."""

_SPOKEN_WITH = ("msgpack", "websockets")


def entry_point_policy(name: str, entry: Mapping[str, Any], folder: Path) -> RowPolicies:
    """A policy of the key `entry_point`: a function that makes one for each row, or with `batch` one for all rows."""
    if "python" in entry:
        return _elsewhere("entry_point_elsewhere")(name, entry, folder)
    check_keys(entry, {"entry_point", "config", "answer_within_s", "batch", "python"})
    config, limits = table(entry, "config"), patience(entry)
    factory = load_factory(str(entry["entry_point"]), config)
    return Batched(name, factory, limits) if flag(entry, "batch") else EachRow(name, factory, limits)


def recorded_policy(name: str, entry: Mapping[str, Any], folder: Path) -> RowPolicies:
    """A policy of the key `actions`: recorded ones, of an npy file or a folder of them, a bag or a LeRobot data set."""
    check_keys(entry, {"actions", "topic", "episode", "action_key"})
    path = folder / text(entry, "actions")
    topic, action_key = text(entry, "topic", None), text(entry, "action_key", None)
    return RecordedActions(name, load_actions(path, topic, steps(entry, "episode", least=0), action_key))


def _elsewhere(kind: str) -> Kind:
    """A kind of `server.kinds`, whose packages are imported once it is used."""

    def make(name: str, entry: Mapping[str, Any], folder: Path) -> RowPolicies:
        missing = [module for module in _SPOKEN_WITH if not have(module)]
        if missing:
            fix = f"policies in other processes need {' and '.join(missing)}: run `pip install {' '.join(missing)}`"
            raise InputError("policy", name, fix)
        from lingbot_ros.evaluate.policies.server import kinds  # noqa: PLC0415 - optional packages

        found: Kind = getattr(kinds, kind)
        return found(name, entry, folder)

    return make


KINDS: Mapping[str, Kind] = {
    "entry_point": entry_point_policy,
    "lerobot": _elsewhere("lerobot_policy"),
    "server": _elsewhere("served_policy"),
    "actions": recorded_policy,
}
"""By the key that an entry of this kind has and no other kind has."""
