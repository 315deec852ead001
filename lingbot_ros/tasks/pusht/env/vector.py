"""N imagined Push-T environments, one batched forward a step."""

from collections.abc import Sequence
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
    """See `ImaginedPushT`. What happens to environments that ended is gymnasium's `autoreset_mode`.

    NEXT_STEP: they begin anew at the next step. SAME_STEP: at once; `info` has `final_obs` and `final_info`. DISABLED:
    by `reset(options={"reset_mask": mask})`. Environment i of a seed s behaves like a single one of seed s + i.
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
        max_episode_steps: int | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
    ) -> None:
        """The arguments of the single environment, and how many of them. Raises InputError, ModelError.

        max_episode_steps: truncation after so many, where the horizon does not come first.
        """
        self.parts = Parts.load(model, head, start, horizon, device, precision, threads)
        self._limit = self.parts.horizon if max_episode_steps is None else min(self.parts.horizon, max_episode_steps)
        if self._limit < 1:
            raise InputError("max_episode_steps", max_episode_steps, "give 1 or more")
        self._autoreset = _mode(autoreset_mode)
        self.metadata = {**self.metadata, "autoreset_mode": self._autoreset}
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
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, dict[str, Any]]:
        """Begin all anew; `seed` is one number, or one (or None) per environment; `options` as in the single one.

        `options["reset_mask"]`, bool [num_envs], leaves the others as they are.
        """
        self._require_open()
        seeds, mask = self._seeds(seed), self._reset_mask(options)
        for row in np.flatnonzero(mask):
            if seeds[row] is not None:
                self._generators[row] = gymnasium.utils.seeding.np_random(seeds[row])[0]
            self._start(int(row), options)
        self._begun = True
        return self._images.copy(), infos(self.parts.head(self._images), self._trust())

    def step(
        self, actions: NDArray[np.float32]
    ) -> tuple[Observations, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Imagine 0.1 s everywhere; an environment that ended before is reset instead, its action not looked at."""
        self._require_open()
        if not self._begun:
            raise gymnasium.error.ResetNeeded("call reset before step")
        values = np.array(actions, np.float64)
        if values.shape != (self.num_envs, *self.parts.action_space.shape):
            fix = f"give {[self.num_envs, *self.parts.action_space.shape]}"
            raise InputError("actions", f"shape {list(values.shape)}", fix)
        again = self._ended.copy()
        if again.any() and self._autoreset is AutoresetMode.DISABLED:
            rows = np.flatnonzero(again).tolist()
            raise gymnasium.error.ResetNeeded(f"environments {rows} ended: call reset with options reset_mask")
        going = np.flatnonzero(~again)
        for row in going:  # a batch would end the row alone
            self._check_action(int(row), values[row])
        self._images = self.batch.step(values[:, None], going.tolist())[:, 0].copy()
        self._age += 1
        for row in np.flatnonzero(again):
            self._start(int(row), None)
        outcome = self.parts.head(self._images)
        terminated = outcome.terminated & ~again
        truncated = (self._age >= self._limit) & ~again
        self._ended = terminated | truncated
        reward, info = np.where(again, 0.0, outcome.reward), infos(outcome, self._trust())
        if self._autoreset is AutoresetMode.SAME_STEP and self._ended.any():
            info = self._begin_ended(info)
        return self._images.copy(), reward, terminated, truncated, info

    def render(self) -> tuple[Observations, ...] | None:
        """The images, with render_mode "rgb_array"."""
        return tuple(self._images.copy()) if self.render_mode == "rgb_array" else None

    def _trust(self) -> list[float]:
        return [self.batch.session(row).trust for row in range(self.num_envs)]

    def close_extras(self, **kwargs: Any) -> None:
        """Free the worlds of all environments; called once, by `close`."""
        self._begun = False

    def _begin_ended(self, info: dict[str, Any]) -> dict[str, Any]:
        """Begin anew at once; `info` keeps the last image and figures of those that ended, as gymnasium's own does."""
        rows = np.flatnonzero(self._ended)
        last = np.full(self.num_envs, None, dtype=object)
        for row in rows:
            last[row] = self._images[row].copy()
        ended = self._ended.copy()
        for row in rows:
            self._start(int(row), None)
        now = infos(self.parts.head(self._images), self._trust())
        return {**now, "final_obs": last, "_final_obs": ended, "final_info": info, "_final_info": ended}

    def _require_open(self) -> None:
        if self.closed:
            raise gymnasium.error.ClosedEnvironmentError("the environment was closed; make another one")

    def _seeds(self, seed: int | Sequence[int | None] | None) -> list[int | None]:
        if isinstance(seed, int | np.integer):
            super().reset(seed=int(seed))
            return [int(seed) + row for row in range(self.num_envs)]
        if seed is None:
            return [None] * self.num_envs
        seeds = [None if one is None else int(one) for one in seed]
        if len(seeds) != self.num_envs:
            raise InputError("seed", f"{len(seeds)} of them", f"give one, or {self.num_envs}")
        return seeds

    def _reset_mask(self, options: dict[str, Any] | None) -> NDArray[np.bool_]:
        if not options or "reset_mask" not in options:
            return np.ones(self.num_envs, np.bool_)
        mask = np.asarray(options["reset_mask"])
        if mask.shape != (self.num_envs,) or mask.dtype != np.bool_ or not mask.any():
            fix = f"give {self.num_envs} booleans of which one is true, or more"
            raise InputError("options['reset_mask']", options["reset_mask"], fix)
        if not self._begun and not mask.all():
            raise gymnasium.error.ResetNeeded("reset all environments before some of them")
        return mask

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


def _mode(mode: AutoresetMode | str) -> AutoresetMode:
    """Also by name, since gymnasium keeps the arguments of an environment as plain values."""
    for known in AutoresetMode:
        if mode is known or mode in (known.name, known.value):
            return known
    raise InputError("autoreset_mode", repr(mode), f"use one of {', '.join(known.name for known in AutoresetMode)}")
