"""A set of clips as the rollout pool wants it."""

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.datasets.limits import scale
from lingbot_ros.datasets.reader import ClipSet
from lingbot_ros.errors import InputError
from lingbot_ros.training.config import TrainConfig
from lingbot_ros.training.pool import Clip

_CONTEXT = 2


class ClipSetSource:
    """Training clips of `frames` predicted frames and two of context.

    `moving_fraction` of the draws are from those windows that move more than the median one (`ClipSet.moving`), the
    rest from all: where nothing moves there is little to learn.
    """

    def __init__(self, clips: ClipSet, frames: int, moving_fraction: float) -> None:
        self._clips, self._length, self._share = clips, frames + _CONTEXT, moving_fraction
        self._windows = clips.windows(clips.plan.training, self._length)
        self._moving = self._windows[clips.moving(self._windows, self._length)]

    def sample(self, rng: np.random.Generator) -> Clip:
        """See `pool.ClipSource`."""
        chosen = self._moving if len(self._moving) and rng.random() < self._share else self._windows
        episode, start = chosen[rng.integers(len(chosen))]
        actions = self._clips.actions[episode][start : start + self._length - 1]
        return Clip(
            frames=np.array(self._clips.frames(episode)[start : start + self._length]),
            actions=scale(actions, self._clips.low, self._clips.high),
        )


def median_image(clips: ClipSet, samples: int = 300) -> NDArray[np.uint8]:
    """What the scene looks like without anything that moves: the per-pixel median of frames spread over training."""
    frames = [(episode, k) for episode in clips.plan.training for k in range(clips.plan.steps[episode] + 1)]
    chosen = np.linspace(0, len(frames) - 1, min(samples, len(frames))).astype(int)
    return np.median([clips.frames(frames[n][0])[frames[n][1]] for n in chosen], axis=0).astype(np.uint8)


def check_config(clips: ClipSet, config: TrainConfig) -> None:
    """Raise InputError unless the network of `config` takes the set's actions and frames."""
    plan, network = clips.plan, config.transformer
    control = network.control
    if control is None or control.kind != "action":
        raise InputError("transformer.control", control, f"give {{kind: action, dim: {plan.dim}}}")
    if control.dim != plan.dim:
        fix = f"the actions of {clips.root} have {plan.dim} components ({', '.join(plan.action_names)}): set it to that"
        raise InputError("transformer.control.dim", control.dim, fix)
    _, rows, columns = network.patch_size
    if plan.height % rows or plan.width % columns:
        fix = f"patches of {rows}x{columns} do not fill it: create the set with another --size, or change patch_size"
        raise InputError("data set", f"frames of {plan.height}x{plan.width}", fix)
