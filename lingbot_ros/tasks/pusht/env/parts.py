"""What the single and the vector environment have in common: the model, its spaces, its scenes and its judge."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.tasks.pusht.heads.outcome import Outcome, OutcomeHead
from lingbot_ros.world.world import World

StartScene = Literal["simulator", "card"]


@dataclass(frozen=True)
class Parts:
    """A loaded Push-T world and what an environment needs beside it.

    Copies share the world; a pickle holds `arguments`, those of `load`, and loads the world anew.
    """

    world: World
    head: OutcomeHead
    start: StartScene
    horizon: int
    observation_space: spaces.Box
    action_space: spaces.Box
    arguments: tuple[Any, ...] = ()

    def __deepcopy__(self, memo: dict[int, Any]) -> "Parts":
        return self

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return Parts.load, self.arguments

    @classmethod
    def load(
        cls,
        model: str | Path,
        head: str | Path,
        start: StartScene,
        max_episode_steps: int | None,
        device: str,
        precision: str,
        threads: int,
    ) -> "Parts":
        """Read weights and check that they fit; raises InputError and ModelError."""
        world = World.load(model, device=device, precision=precision, threads=threads)
        info = world.info
        if info.control.kind != "action" or info.frames_per_chunk != 1 or (info.height, info.width) != (96, 96):
            raise InputError("model", info.name, "give a Push-T model: actions, one frame a step, images of 96 x 96")
        if start not in ("simulator", "card"):
            raise InputError(
                "start", repr(start), "use 'simulator' (a scene per seed) or 'card' (always the shipped one)"
            )
        horizon = max_episode_steps if max_episode_steps is not None else info.max_horizon
        if horizon is None or horizon < 1:
            raise InputError("max_episode_steps", horizon, f"give 1 or more; the card of {info.name} names no horizon")
        low, high = (np.array(bound, np.float32) for bound in (info.control.low, info.control.high))
        return cls(
            world,
            OutcomeHead(head, world.model.engine),
            start,
            horizon,
            spaces.Box(0, 255, (info.height, info.width, 3), np.uint8),
            spaces.Box(low, high, dtype=np.float32),
            (model, head, start, max_episode_steps, device, precision, threads),
        )

    def scene(self, rng: np.random.Generator, options: dict[str, Any] | None) -> NDArray[np.uint8]:
        """The first image: `options["image"]`, else a simulated scene drawn from `rng`, else the card's."""
        if options and "image" in options:
            return self.world.fit_image(options["image"])
        if self.start == "simulator":
            from lingbot_ros.tasks.pusht.simulator.simulator import reset_frame  # noqa: PLC0415 - an optional package

            return reset_frame(int(rng.integers(2**31)))
        image = self.world.seed_image()
        if image is None:
            raise InputError(
                "start", "'card'", f"the card of {self.world.info.name} has no seed image; use 'simulator'"
            )
        return self.world.fit_image(image)


def infos(outcome: Outcome, trust: Sequence[float]) -> dict[str, NDArray[Any]]:
    """What `info` says of B images, each an array [B]; their trust only where the model estimates it."""
    estimated = {} if np.isnan(trust).any() else {"trust": np.array(trust, np.float64)}
    return estimated | {
        "coverage": outcome.coverage,
        "success_probability": outcome.success,
        "is_success": outcome.terminated,
    }
