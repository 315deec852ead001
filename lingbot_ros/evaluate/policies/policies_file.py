"""Reads the YAML file that lists the policies of an evaluation.

policies:
  - name: expert                      # 16 such entries are an evaluation
    entry_point: my_robot.policies:make_expert
    config: {noise: 8}                # keywords of make_expert, if any
    answer_within_s: 5                # later answers do not count; 5 where it is left out
    batch: false                      # true: what it makes answers for many rows at once
    python: ../env/bin/python         # if given: the environment that it is played in
  - name: act
    lerobot: outputs/act/checkpoints/last/pretrained_model
    python: ../lerobot-env/bin/python
    device: cpu                       # cuda, ...
    image_keys: observation.image     # the images that it is shown; all that it knows where this is left out
  - name: pi0
    server: ws://127.0.0.1:8000       # a policy server of the openpi kind
    image_keys: observation/image     # one name or several, under which the image is sent
    prompt_key: prompt
    state_key: observation/state      # if given: the robot's state is sent, where the task reads it off the image
    constants: {observation/state: [0.0, 0.0]}   # what else the server wants, always the same
    execute_steps: 8                  # of an answer that is a chunk; all where it is left out
  - name: replay
    actions: recorded/expert.npy      # [steps, dim], or a folder of START_ID.npy
  - {name: drive, actions: bags/drive, topic: /action}           # of a bag
  - {name: human, actions: datasets/lab, episode: 3}             # of a LeRobot data set

Paths are relative to the file.
"""

from collections.abc import Mapping
from pathlib import Path

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.policies.contract import RowPolicies
from lingbot_ros.evaluate.policies.kinds import KINDS, Kind
from lingbot_ros.input_files.regular import read_text
from lingbot_ros.input_files.yaml_text import parse_yaml


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
