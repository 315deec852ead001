"""N imagined Push-T environments, one batched forward a step."""

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from lingbot_ros.control.actions import check_actions
from lingbot_ros.errors import InputError
from lingbot_ros.tasks.pusht.env.parts import Parts, StartScene, infos
from lingbot_ros.world.batch import Batch

Observations = NDArray[np.uint8]


class ImaginedPushTVector(VectorEnv):  # type: ignore[misc, unused-ignore]
    """See `ImaginedPushT`. Environments that ended begin anew at the next step (autoreset NEXT_STEP).

    Environment i of a seed s behaves like a single one of seed s + i.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 - declared so by gymnasium
        "render_modes": ["rgb_array"],
        "render_fps": 10,
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }

    def __init__(
        self,
        num_envs: int = 1,
        render_mode: str | None = None,
        model: str | Path = "pusht-small",
        head: str | Path = "pusht-outcome",
        start: StartScene = "simulator",
        horizon: int | None = None,
        device: str = "auto",
        precision: str = "auto",
        threads: int = 0,
    ) -> None:
        """The arguments of the single environment, and how many of them. Raises InputError, ModelError."""
        self.parts = Parts.load(model, head, start, horizon, device, precision, threads)
        self.num_envs, self.render_mode = num_envs, render_mode
        self.batch = Batch(self.parts.world, num_envs)
        self.single_observation_space, self.single_action_space = self.parts.observation_space, self.parts.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._generators = [np.random.default_rng() for _ in range(num_envs)]
        self._images = np.zeros((num_envs, *self.parts.observation_space.shape), np.uint8)
        self._age = np.zeros(num_envs, np.int64)
        self._ended = np.zeros(num_envs, np.bool_)
        self._begun = False

    def __getstate__(self) -> dict[str, Any]:
        """What copies and pickles hold: each row as a snapshot, so that both go on alike and apart."""
        started = np.flatnonzero(self.batch.frame_index >= 0)
        return {**self.__dict__, "batch": {int(row): self.batch.session(int(row)).snapshot() for row in started}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.batch = Batch(self.parts.world, self.num_envs)
        for row, snapshot in state["batch"].items():
            self.batch.spread(snapshot, [row])

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, dict[str, Any]]:
        """Begin all anew; `seed` is one number, or one (or None) per environment; `options` as in the single one.

        With `options={"reset_mask": mask}`, bool [num_envs], only these begin anew and the others stay as they are.
        """
        chosen, options = self._chosen(options)
        seeds = (
            [None if seed is None else seed + i for i in range(self.num_envs)] if not isinstance(seed, list) else seed
        )
        if len(seeds) != self.num_envs:
            raise InputError("seed", f"{len(seeds)} of them", f"give one, or {self.num_envs}")
        for row in np.flatnonzero(chosen):
            one = seeds[row]
            if one is not None:
                self._generators[row] = gymnasium.utils.seeding.np_random(one)[0]
            self._start(int(row), options)
        self._begun = True
        return self._images.copy(), infos(self.parts.head(self._images))

    def step(
        self, actions: NDArray[np.float32]
    ) -> tuple[Observations, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Imagine 0.1 s everywhere; an environment that ended before is reset instead, its action not looked at."""
        if not self._begun:
            raise gymnasium.error.ResetNeeded("call reset before step")
        values = np.array(actions, np.float64)
        if values.shape != (self.num_envs, *self.parts.action_space.shape):
            fix = f"give {[self.num_envs, *self.parts.action_space.shape]}"
            raise InputError("actions", f"shape {list(values.shape)}", fix)
        again = self._ended.copy()
        going = np.flatnonzero(~again)
        for row in going:  # a batch would end the row alone
            self._check_action(int(row), values[row])
        self._images = self.batch.step(values[:, None], going.tolist())[:, 0].copy()
        self._age += 1
        for row in np.flatnonzero(again):
            self._start(int(row), None)
        outcome = self.parts.head(self._images)
        terminated = outcome.terminated & ~again
        truncated = (self._age >= self.parts.horizon) & ~again
        self._ended = terminated | truncated
        reward = np.where(again, 0.0, outcome.reward)
        return self._images.copy(), reward, terminated, truncated, infos(outcome)

    def render(self) -> tuple[Observations, ...] | None:
        """The images, with render_mode "rgb_array"."""
        return tuple(self._images.copy()) if self.render_mode == "rgb_array" else None

    def _chosen(self, options: dict[str, Any] | None) -> tuple[NDArray[np.bool_], dict[str, Any] | None]:
        """Which environments begin anew, and the options for each of them."""
        if not options or "reset_mask" not in options:
            return np.ones(self.num_envs, np.bool_), options
        mask = options["reset_mask"]
        if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_ or mask.shape != (self.num_envs,):
            raise InputError("reset_mask", mask, f"give a bool array of {self.num_envs}")
        if not mask.any():
            raise InputError("reset_mask", mask.tolist(), "choose at least one environment")
        if not (self._begun or mask.all()):
            raise InputError("reset_mask", mask.tolist(), "reset all environments first")
        return mask, {name: value for name, value in options.items() if name != "reset_mask"}

    def _check_action(self, row: int, action: NDArray[np.float64]) -> None:
        try:
            check_actions(action[None], 1, self.parts.world.card.control)
        except InputError as error:
            raise InputError(f"row {row}: {error.field}", error.value, error.fix) from error

    def _start(self, row: int, options: dict[str, Any] | None) -> None:
        rng = self._generators[row]
        picture = self.parts.scene(rng, options)
        self.batch.start(row, picture, seed=int(rng.integers(2**31)))
        self._images[row], self._age[row], self._ended[row] = picture, 0, False
