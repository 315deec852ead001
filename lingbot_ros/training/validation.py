"""Validation of a model while it is trained: held-out windows imagined open loop, beside repeating the last frame."""

from dataclasses import dataclass

import numpy as np

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.metric import Frames, Metric, image_by_image
from lingbot_ros.evaluate.open_loop import imagine
from lingbot_ros.evaluate.windows import Windows
from lingbot_ros.world import World

STRIP_WINDOWS = 4
"""As many windows are shown as images, the same in every validation."""

_GAP = 2


@dataclass(frozen=True)
class Figure:
    """Means over the windows at each measured frame: of the model, and of the last real frame repeated."""

    model: tuple[float, ...]
    baseline: tuple[float, ...]


@dataclass(frozen=True)
class ValidationResult:
    """`figures` by metric's name at open-loop `frames` (1 is the first imagined); an image uint8 RGB.

    In the image each pair of rows is a window, real above imagined, and each column one of `frames`.
    """

    frames: tuple[int, ...]
    figures: dict[str, Figure]
    strip: Frames

    def at(self, name: str, frame: int) -> tuple[float, float]:
        """A figure of the model, and its baseline, at one open-loop frame."""
        index = self.frames.index(frame)
        return self.figures[name].model[index], self.figures[name].baseline[index]


@dataclass(frozen=True)
class Validation:
    """Windows and the metrics taken on them, for any kind of data; call it with a world."""

    windows: Windows
    metrics: tuple[Metric, ...]
    also_frame: int = 1

    @property
    def frames(self) -> tuple[int, ...]:
        """The open-loop frames that are measured: 1, 2, 4, ..., the last, and `also_frame` if it is among them."""
        horizon = self.windows.horizon
        wanted = {2**power for power in range(horizon.bit_length())} | {horizon, self.also_frame}
        return tuple(sorted(frame for frame in wanted if 1 <= frame <= horizon))

    def metric(self, name: str) -> Metric:
        """The metric of that name. Raises InputError that lists those there are."""
        for metric in self.metrics:
            if metric.name == name:
                return metric
        raise InputError("gate.figure", name, f"this data has {', '.join(m.name for m in self.metrics)}")

    def __call__(self, world: World) -> ValidationResult:
        """Imagine every window. Raises InputError for windows that do not fit the world."""
        windows, at = self.windows, np.array(self.frames) - 1
        past, future = windows.past, windows.future[:, at]
        before, after = windows.past_actions, windows.future_actions
        imagined = np.stack([imagine(world, past[n], before[n], after[n], seed=n).frames[at] for n in range(len(past))])
        repeat = np.repeat(past[:, -1:], len(at), axis=1)
        figures = {
            metric.name: Figure(_means(metric, imagined, future), _means(metric, repeat, future))
            for metric in self.metrics
        }
        return ValidationResult(self.frames, figures, strip(future[:STRIP_WINDOWS], imagined[:STRIP_WINDOWS]))


def _means(metric: Metric, frames: Frames, real: Frames) -> tuple[float, ...]:
    return tuple(float(value) for value in image_by_image(metric.of, frames, real).mean(axis=0))


def strip(real: Frames, imagined: Frames) -> Frames:
    """Images [N, F, h, w, 3] of both as one uint8 [N * 2 * (h + gap), F * (w + gap), 3]."""
    pairs = np.stack((real, imagined), axis=1)
    padded = np.pad(pairs, ((0, 0), (0, 0), (0, 0), (0, _GAP), (0, _GAP), (0, 0)), constant_values=128)
    windows, rows, frames, height, width, _ = padded.shape
    return padded.transpose(0, 1, 3, 2, 4, 5).reshape(windows * rows * height, frames * width, 3)
