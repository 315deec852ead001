"""A policy folder of LeRobot, played by LeRobot: runs in an environment that has it, never in the evaluator's own."""

import copy
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.policies.contract import Actions, Observation

_STATE = "observation.state"


def make_policy(path: str, device: str = "cpu", image_keys: Sequence[str] | None = None) -> "LeRobotPolicy":
    """The policy of a folder with config.json and model.safetensors, and its processors where they are beside it.

    image_keys: the images among its inputs that it is shown; all where it is None. The weights are loaded once per
    process and shared by all policies of the folder. Raises InputError for a folder that wants more than images and
    the robot's state.
    """
    return LeRobotPolicy(_load(path, device), image_keys)


class _Loaded:
    """Network, processors and input features of a folder."""

    def __init__(self, path: str, device: str) -> None:
        from lerobot.configs import PreTrainedConfig  # noqa: PLC0415 - not in this environment
        from lerobot.policies import get_policy_class, make_pre_post_processors  # noqa: PLC0415

        config: Any = PreTrainedConfig.from_pretrained(path, local_files_only=True)
        config.device, config.pretrained_path = device, Path(path)
        self.device = device
        self.network: Any = get_policy_class(config.type).from_pretrained(path, config=config, local_files_only=True)
        self.network.eval()
        self.before, self.after = make_pre_post_processors(
            config, path, preprocessor_overrides={"device_processor": {"device": device}}
        )
        self.images = list(config.image_features)
        others = [key for key in config.input_features if key not in (*self.images, _STATE)]
        if others:
            fix = f"it also reads {', '.join(others)}; give a policy that reads images and {_STATE} alone"
            raise InputError("lerobot", path, fix)


@lru_cache(maxsize=1)
def _load(path: str, device: str) -> _Loaded:
    return _Loaded(path, device)


class LeRobotPolicy:
    """One rollout at a time. Queues of observations and actions are its own; the weights are shared."""

    def __init__(self, loaded: _Loaded, image_keys: Sequence[str] | None) -> None:
        unknown = [key for key in image_keys or () if key not in loaded.images]
        if unknown:
            raise InputError("image_keys", unknown, f"the policy knows {', '.join(loaded.images)}")
        self._loaded, self._keys = loaded, list(image_keys or loaded.images)
        self._network = _with_memory_of_its_own(loaded.network)
        self._random = torch.random.get_rng_state()

    def reset(self, seed: int) -> None:
        self._network.reset()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._random = torch.random.get_rng_state()

    def act(self, observation: Observation) -> Actions:
        """One action: LeRobot's own queue holds the chunk that it belongs to."""
        image = torch.from_numpy(np.ascontiguousarray(observation.image)).permute(2, 0, 1)[None].float() / 255
        batch: dict[str, Any] = dict.fromkeys(self._keys, image)
        batch["task"] = [observation.instruction]
        if (state := observation.state) is not None:
            batch[_STATE] = torch.from_numpy(state)[None].float()
        with torch.inference_mode(), torch.random.fork_rng(devices=[]):
            # Rollouts take turns in one process; each must draw its own numbers whatever the others do.
            torch.random.set_rng_state(self._random)
            action = self._loaded.after(self._network.select_action(self._loaded.before(batch)))
            self._random = torch.random.get_rng_state()
        found: Actions = action.squeeze(0).double().cpu().numpy()
        return found


def _with_memory_of_its_own(network: Any) -> Any:
    """A copy that shares all weights; what else the network keeps is copied."""
    mine = copy.copy(network)
    for name, value in vars(network).items():
        if not name.startswith(("_parameters", "_buffers", "_modules", "config")) and not isinstance(
            value, torch.nn.Module
        ):
            vars(mine)[name] = copy.deepcopy(value)
    return mine
