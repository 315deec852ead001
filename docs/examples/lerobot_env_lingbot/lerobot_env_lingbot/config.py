"""LeRobot's configuration of the environment: every field is an option, such as `--env.model=pusht-small`."""

import functools
from dataclasses import dataclass, field
from typing import Any

import gymnasium
from lerobot.configs import FeatureType, PolicyFeature
from lerobot.envs.configs import EnvConfig
from lerobot.utils.constants import ACTION, OBS_IMAGE, OBS_STATE

from lerobot_env_lingbot.env import PushTForLeRobot

_TYPE = "lingbot_pusht"


@EnvConfig.register_subclass(_TYPE)
@dataclass
class LingbotPushT(EnvConfig):
    """episode_length: frames; the model's card says for how many it is reliable (`max_horizon`)."""

    task: str | None = "PushT"
    fps: int = 10
    episode_length: int = 200
    model: str = "pusht-lasting"
    head: str = "pusht-outcome"
    start: str = "simulator"
    threads: int = 1
    features: dict[str, PolicyFeature] = field(
        default_factory=lambda: {
            ACTION: PolicyFeature(type=FeatureType.ACTION, shape=(2,)),
            "agent_pos": PolicyFeature(type=FeatureType.STATE, shape=(2,)),
            "pixels": PolicyFeature(type=FeatureType.VISUAL, shape=(96, 96, 3)),
        }
    )
    features_map: dict[str, str] = field(
        default_factory=lambda: {ACTION: ACTION, "agent_pos": OBS_STATE, "pixels": OBS_IMAGE}
    )

    @property
    def gym_kwargs(self) -> dict[str, Any]:
        """Arguments of `PushTForLeRobot`."""
        return {
            "model": self.model,
            "head": self.head,
            "start": self.start,
            "episode_length": self.episode_length,
            "threads": self.threads,
        }

    def create_envs(
        self, n_envs: int, use_async_envs: bool = False
    ) -> dict[str, dict[int, gymnasium.vector.VectorEnv[Any, Any, Any]]]:
        """`n_envs` copies, in processes of their own with `use_async_envs`."""
        make = functools.partial(PushTForLeRobot, **self.gym_kwargs)
        kind = gymnasium.vector.AsyncVectorEnv if use_async_envs and n_envs > 1 else gymnasium.vector.SyncVectorEnv
        return {_TYPE: {0: kind([make] * n_envs)}}
