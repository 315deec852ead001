"""N imagined houses; the network looks into all of them in one forward."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.tasks.rooms.env.errand import LIMIT, Errand, House, Observation, StartScene
from lingbot_ros.world.batch import Batch


class ImaginedRoomsVector(VectorEnv):  # type: ignore[misc, unused-ignore]
    """See `ImaginedRooms`. What has ended begins anew at the next step, whose action is not looked at.

    Environment i of a seed s begins like a single one of seed s + i.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 - declared so by gymnasium
        "render_modes": ["rgb_array"],
        "render_fps": 16,
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }

    def __init__(
        self,
        num_envs: int = 1,
        render_mode: str | None = None,
        model: str | Path = "rooms-small",
        start: StartScene = "card",
        threads: int = 0,
    ) -> None:
        """The arguments of the single environment, and how many of them. Raises InputError, ModelError."""
        self._house = House(model, start, threads)
        self.num_envs, self.render_mode = num_envs, render_mode
        self.batch = Batch(self._house.world, num_envs)
        self.single_observation_space = self._house.observation_space
        self.single_action_space = self._house.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._generators = [np.random.default_rng() for _ in range(num_envs)]
        self._errands: list[Errand] = []
        self._ended = np.zeros(num_envs, np.bool_)

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin all anew; `seed` is one number, or one (or None) per environment."""
        seeds = [seed + row for row in range(self.num_envs)] if isinstance(seed, int) else seed
        if seeds is not None and len(seeds) != self.num_envs:
            raise InputError("seed", f"{len(seeds)} of them", f"give one, or {self.num_envs}")
        for row, one in enumerate(seeds or ()):
            if one is not None:
                self._generators[row] = gymnasium.utils.seeding.np_random(one)[0]
        self._errands = [self._begin(row) for row in range(self.num_envs)]
        self._ended[:] = False
        return self._observations(), _together([errand.info() for errand in self._errands])

    def step(
        self, actions: NDArray[np.float32]
    ) -> tuple[Observation, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Imagine 1/16 s everywhere. Raises InputError for actions outside the space."""
        if not self._errands:
            raise gymnasium.error.ResetNeeded("call reset before step")
        values = np.asarray(actions)
        if values.shape != (self.num_envs, 2):
            raise InputError("actions", f"shape {list(values.shape)}", f"give {[self.num_envs, 2]}")
        again, poses = self._ended.copy(), np.tile(np.eye(4), (self.num_envs, 1, 1))
        going = [int(row) for row in np.flatnonzero(~again)]
        for row in going:
            poses[row] = self._errands[row].after(values[row])
        images = self.batch.step(poses[:, None], going)[:, 0]
        reward, terminated = np.zeros(self.num_envs), np.zeros(self.num_envs, np.bool_)
        infos: list[dict[str, Any]] = []
        for row, errand in enumerate(self._errands):
            if again[row]:
                self._errands[row] = self._begin(row)
                infos.append(self._errands[row].info() | {"motion_blocked": False, "unknown_share": 0.0})
                continue
            reward[row], terminated[row], info = errand.arrive(self.batch.session(row), images[row].copy())
            infos.append(info)
        truncated = np.array([errand.steps >= LIMIT for errand in self._errands])
        self._ended = terminated | truncated
        return self._observations(), reward, terminated, truncated, _together(infos)

    def render(self) -> tuple[NDArray[np.uint8], ...] | None:
        """The images, with render_mode "rgb_array"."""
        return tuple(e.image.copy() for e in self._errands) if self.render_mode == "rgb_array" else None

    def _begin(self, row: int) -> Errand:
        rng = self._generators[row]
        image = self._house.first_image(rng)
        self.batch.start(row, image)
        return Errand.begin(self.batch.session(row), image, self._house.period_s, rng)

    def _observations(self) -> Observation:
        seen = [errand.observation() for errand in self._errands]
        return {name: np.stack([one[name] for one in seen]) for name in ("image", "goal")}


def _together(infos: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: np.array([info[name] for info in infos]) for name in infos[0]}
