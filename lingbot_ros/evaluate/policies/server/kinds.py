"""Entries of the file of policies whose policy is played by another process."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.policies.contract import RowPolicies
from lingbot_ros.evaluate.policies.entry import check_keys, check_python, names, patience, steps, table, text
from lingbot_ros.evaluate.policies.patience import Patience
from lingbot_ros.evaluate.policies.server.client import STATE_KEY, Asking
from lingbot_ros.evaluate.policies.server.process import Order, Worker
from lingbot_ros.evaluate.policies.server.rows import WorkerPolicy, server_policy

_LEROBOT_FACTORY = "lingbot_ros.evaluate.policies.lerobot_folder:make_policy"


def entry_point_elsewhere(name: str, entry: Mapping[str, Any], folder: Path) -> RowPolicies:
    """A policy of the keys `entry_point` and `python`: made and played in that Python's environment."""
    check_keys(entry, {"entry_point", "config", "answer_within_s", "python"})
    python = check_python(entry, folder)
    return _in_worker(name, python, text(entry, "entry_point"), table(entry, "config"), folder, patience(entry))


def lerobot_policy(name: str, entry: Mapping[str, Any], folder: Path) -> RowPolicies:
    """A policy of the key `lerobot`: a folder that LeRobot's training wrote, played by LeRobot itself."""
    check_keys(entry, {"lerobot", "python", "device", "image_keys", "answer_within_s"})
    path = folder / text(entry, "lerobot")
    for needed in ("config.json", "model.safetensors"):
        if not (path / needed).is_file():
            fix = f"give the folder `pretrained_model` of a LeRobot checkpoint; {needed} is missing"
            raise InputError("lerobot", path, fix)
    python = check_python(entry, folder) if "python" in entry else Path(sys.executable)
    config: dict[str, Any] = {"path": str(path.resolve()), "device": text(entry, "device", "cpu")}
    if "image_keys" in entry:
        config["image_keys"] = list(names(entry, "image_keys"))
    return _in_worker(name, python, _LEROBOT_FACTORY, config, folder, patience(entry))


def served_policy(name: str, entry: Mapping[str, Any], folder: Path) -> RowPolicies:
    """A policy of the key `server`: the ws:// address of a policy server of the openpi kind."""
    known = {"server", "image_keys", "prompt_key", "state_key", "constants", "execute_steps", "answer_within_s"}
    check_keys(entry, known)
    address, limits = text(entry, "server"), patience(entry)
    if not address.startswith(("ws://", "wss://")):
        raise InputError("server", repr(address), "give an address such as ws://127.0.0.1:8000")
    asking = Asking(
        names(entry, "image_keys", Asking.image_keys),
        text(entry, "prompt_key", Asking.prompt_key),
        text(entry, "state_key", None),
        {key: _constant(value) for key, value in table(entry, "constants").items()},
        steps(entry, "execute_steps"),
        answer_within_s=2 * limits.give_up_after_s,
    )
    return server_policy(name, address, asking, limits)


def _in_worker(
    name: str, python: Path, entry_point: str, config: Mapping[str, Any], folder: Path, limits: Patience
) -> WorkerPolicy:
    order = Order(python, entry_point, config, folder)
    order.check()
    asking = Asking(state_key=STATE_KEY, answer_within_s=2 * limits.give_up_after_s)
    return WorkerPolicy(name, Worker(order), asking, limits)


def _constant(value: Any) -> Any:
    """Lists of numbers go as arrays, which is what such servers expect of a robot's state."""
    return np.array(value, np.float32) if isinstance(value, list) else value
