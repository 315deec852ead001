"""One imagined house as a Gymnasium environment."""

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from lingbot_ros.tasks.rooms.env.errand import LIMIT, Errand, House, Observation, StartScene
from lingbot_ros.world.session import Session


class ImaginedRooms(gymnasium.Env[Any, Any]):
    """Find the place that an image shows.

    Observation: `image` and `goal`, uint8 [128, 128, 3] RGB. Action: metres per second ahead and radians per second to
    the left, float32 [2], -1..1. Reward: by how many metres the goal is nearer, and 1 when it is reached: within 0.4 m
    and 0.35 rad. The goal was imagined on a walk before the episode, so that it is there to be found. `info` has
    `distance_m`, `angle_rad`, `is_success`, and after a step `motion_blocked` and `unknown_share`. Equal seeds and
    actions give equal episodes, which are truncated after 256 steps.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 16}  # noqa: RUF012

    def __init__(
        self,
        render_mode: str | None = None,
        model: str | Path = "rooms-small",
        start: StartScene = "card",
        threads: int = 0,
    ) -> None:
        """`start`: the card's image, or the view into a simulated house per seed. Raises InputError, ModelError."""
        self._house = House(model, start, threads)
        self.observation_space, self.action_space = self._house.observation_space, self._house.action_space
        self.render_mode = render_mode
        self._session: Session | None = None
        self._errand: Errand | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin at a first image, with another goal."""
        super().reset(seed=seed)
        self.close()
        image = self._house.first_image(self.np_random)
        self._session = self._house.world.start(image)
        self._errand = Errand.begin(self._session, image, self._house.period_s, self.np_random)
        return self._errand.observation(), self._errand.info()

    def step(self, action: NDArray[np.float32]) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Imagine 1/16 s. Raises InputError for an action outside the space."""
        if self._session is None or self._errand is None:
            raise gymnasium.error.ResetNeeded("call reset before step")
        image = self._session.step(self._errand.after(np.asarray(action))[None])[0]
        reward, reached, info = self._errand.arrive(self._session, image)
        return self._errand.observation(), reward, reached, self._errand.steps >= LIMIT, info

    def render(self) -> NDArray[np.uint8] | None:
        """The image, with render_mode "rgb_array"."""
        if self.render_mode != "rgb_array" or self._errand is None:
            return None
        return self._errand.image.copy()

    def close(self) -> None:
        """Free the session."""
        if self._session is not None:
            self._session.close()
            self._session = None
