"""Reads the YAML file that lists the policies of an evaluation.

policies:
  - name: expert                      # 16 such entries are an evaluation
    entry_point: my_robot.policies:make_expert
    config: {noise: 8}                # keywords of make_expert, if any
    answer_within_s: 5                # later answers do not count; 5 where it is left out
    batch: false                      # true: what it makes answers for many rows at once
  - name: replay
    actions: recorded/expert.npy      # [steps, dim], or a folder of START_ID.npy; relative to this file
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.policies.batched import Batched
from lingbot_ros.evaluate.policies.contract import RowPolicies
from lingbot_ros.evaluate.policies.each_row import EachRow
from lingbot_ros.evaluate.policies.entry_point import load_factory
from lingbot_ros.evaluate.policies.patience import Patience
from lingbot_ros.evaluate.policies.recorded import RecordedActions, load_actions
from lingbot_ros.input_files.regular import read_text
from lingbot_ros.input_files.yaml_text import parse_yaml

Kind = Callable[[str, Mapping[str, Any], Path], RowPolicies]
"""Makes a policy of its name, its entry in the file, and the folder of the file."""

_GIVE_UP_FACTOR = 6


def entry_point_policy(name: str, entry: Mapping[str, Any], folder: Path) -> RowPolicies:
    """A policy of the key `entry_point`: a function that makes one for each row, or with `batch` one for all rows."""
    _known(entry, {"entry_point", "config", "answer_within_s", "batch"})
    config, limit = entry.get("config", {}), entry.get("answer_within_s", Patience.late_after_s)
    batch = entry.get("batch", False)
    if not isinstance(config, Mapping):
        raise InputError("config", config, "give keywords of the factory, NAME: VALUE")
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not 0 < limit < float("inf"):
        raise InputError("answer_within_s", limit, "give seconds above 0")
    if not isinstance(batch, bool):
        raise InputError("batch", batch, "give true for a policy that answers for many rows at once, else false")
    factory = load_factory(str(entry["entry_point"]), config)
    patience = Patience(late_after_s=float(limit), give_up_after_s=_GIVE_UP_FACTOR * float(limit))
    return Batched(name, factory, patience) if batch else EachRow(name, factory, patience)


def recorded_policy(name: str, entry: Mapping[str, Any], folder: Path) -> RowPolicies:
    """A policy of the key `actions`."""
    _known(entry, {"actions"})
    return RecordedActions(name, load_actions(folder / str(entry["actions"])))


KINDS: Mapping[str, Kind] = {"entry_point": entry_point_policy, "actions": recorded_policy}
"""By the key that an entry of this kind has and no other kind has."""


def read_policies(path: Path, kinds: Mapping[str, Kind] = KINDS) -> list[RowPolicies]:
    """The policies of the file, in its order. Raises InputError that names the entry and what is wrong with it."""
    content = parse_yaml(read_text(path, "policies"), f"policies in {path}")
    entries = content.get("policies") if isinstance(content, Mapping) else None
    if not isinstance(entries, list) or not entries:
        raise InputError("policies", path, "give a file with the list `policies:`, of one entry or more")
    found: list[RowPolicies] = []
    for index, entry in enumerate(entries):
        policy = _policy(f"policies[{index}]", entry, path.parent, kinds)
        if policy.name in (other.name for other in found):
            raise InputError(f"policies[{index}].name", repr(policy.name), "give every policy a name of its own")
        found.append(policy)
    return found


def _policy(where: str, entry: object, folder: Path, kinds: Mapping[str, Kind]) -> RowPolicies:
    if not isinstance(entry, Mapping):
        raise InputError(where, repr(entry), "give an entry with a name and where the policy comes from")
    name = entry.get("name")
    if not isinstance(name, str) or not name:
        raise InputError(f"{where}.name", repr(name), "give a name")
    chosen = [key for key in kinds if key in entry]
    if len(chosen) != 1:
        raise InputError(
            f"{where} ({name})", f"the keys {', '.join(map(str, entry))}", f"give one of {', '.join(kinds)}"
        )
    try:
        return kinds[chosen[0]](name, {key: value for key, value in entry.items() if key != "name"}, folder)
    except InputError as error:
        raise InputError(f"{where}.{error.field}", error.value, error.fix) from error


def _known(entry: Mapping[str, Any], keys: set[str]) -> None:
    for key in entry:
        if key not in keys:
            raise InputError(str(key), repr(entry[key]), f"leave it out; known: name, {', '.join(sorted(keys))}")
