"""The imagined Push-T with the observations that LeRobot's policies of Push-T take."""

from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

import lingbot_ros.gym  # noqa: F401 - registers the environment
from lingbot_ros.tasks.pusht.image_reader import pusher_position

ID = "lingbot/PushT-v0"
UNITS = 512.0


class PushTForLeRobot(gymnasium.ObservationWrapper[Any, Any, Any]):
    """`pixels`: uint8 [96, 96, 3] RGB. `agent_pos`: float32 [2], the pusher's place in simulator units, 0..512.

    It is read off the image; where the image shows no pusher, it is the last one that was read.
    """

    task = "pusht"
    task_description = "Push the T-shaped block onto the T-shaped target."

    def __init__(self, model: str, head: str, start: str, episode_length: int, threads: int) -> None:
        environment = gymnasium.make(ID, render_mode="rgb_array", model=model, head=head, start=start,
                                     horizon=episode_length, threads=threads)  # fmt: skip
        super().__init__(environment)
        self._max_episode_steps = episode_length  # LeRobot asks for it by this name
        self._agent = np.full(2, UNITS / 2, np.float32)
        self.observation_space = gymnasium.spaces.Dict(
            {
                "pixels": environment.observation_space,
                "agent_pos": gymnasium.spaces.Box(0.0, UNITS, (2,), np.float32),
            }
        )

    def observation(self, observation: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
        """The two parts of an image."""
        place = np.asarray(pusher_position(observation), np.float32)
        if np.isfinite(place).all():
            self._agent = np.clip(place, 0.0, UNITS)
        return {"pixels": observation, "agent_pos": self._agent.copy()}
