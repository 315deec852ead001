"""A look at a model while it is trained: held-out windows imagined open loop, beside doing nothing."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.open_loop import imagine
from lingbot_ros.world import World

Frames = NDArray[np.uint8]

STRIP_WINDOWS = 4
"""As many windows are pictured, the same in every look."""

_GAP = 2


@dataclass(frozen=True)
class LookWindows:
    """N stretches of C context frames and H that followed.

    frames uint8 [N, C+H, h, w, 3] RGB; actions float32 [N, C+H-1, dim] in the units that a session takes;
    actions[:, k] leads from frame k to frame k + 1.
    """

    frames: Frames
    actions: NDArray[np.float32]
    context: int

    @property
    def horizon(self) -> int:
        """H, the number of frames to be imagined."""
        return int(self.frames.shape[1]) - self.context


@dataclass(frozen=True)
class Measure:
    """How good one imagined picture is beside the real one.

    `of` takes (imagined, real), uint8 [h, w, 3]. `nothing` is what doing nothing is called, `shortfall` what it means
    that a model is not good enough.
    """

    name: str
    of: Callable[[Frames, Frames], float]
    nothing: str
    shortfall: str
    lower_is_better: bool = False


@dataclass(frozen=True)
class Figure:
    """Means over the windows at each of the look's frames: of the model, and of the last real frame repeated."""

    model: tuple[float, ...]
    still: tuple[float, ...]


@dataclass(frozen=True)
class Looked:
    """What was seen: `figures` by measure's name at open-loop `frames` (1 is the first imagined); a picture uint8 RGB.

    In the picture each pair of rows is a window, real above imagined, and each column one of `frames`.
    """

    frames: tuple[int, ...]
    figures: dict[str, Figure]
    strip: Frames

    def at(self, name: str, frame: int) -> tuple[float, float]:
        """A figure of the model, and that of doing nothing, at one open-loop frame."""
        index = self.frames.index(frame)
        return self.figures[name].model[index], self.figures[name].still[index]


@dataclass(frozen=True)
class Look:
    """Windows and what is measured on them, for any kind of data; call it with a world."""

    windows: LookWindows
    measures: tuple[Measure, ...]
    also_frame: int = 1

    @property
    def frames(self) -> tuple[int, ...]:
        """The open-loop frames that are measured: 1, 2, 4, ..., the last, and `also_frame` if it is among them."""
        horizon = self.windows.horizon
        wanted = {2**power for power in range(horizon.bit_length())} | {horizon, self.also_frame}
        return tuple(sorted(frame for frame in wanted if 1 <= frame <= horizon))

    def measure(self, name: str) -> Measure:
        """The measure of that name. Raises InputError that lists those there are."""
        for measure in self.measures:
            if measure.name == name:
                return measure
        raise InputError("gate.figure", name, f"this data has {', '.join(m.name for m in self.measures)}")

    def __call__(self, world: World) -> Looked:
        """Imagine every window. Raises InputError for windows that do not fit the world."""
        windows, at = self.windows, np.array(self.frames) - 1
        past, future = windows.frames[:, : windows.context], windows.frames[:, windows.context :][:, at]
        before, after = windows.actions[:, : windows.context - 1], windows.actions[:, windows.context - 1 :]
        imagined = np.stack([imagine(world, past[n], before[n], after[n], seed=n).frames[at] for n in range(len(past))])
        still = np.repeat(past[:, -1:], len(at), axis=1)
        figures = {
            measure.name: Figure(_means(measure, imagined, future), _means(measure, still, future))
            for measure in self.measures
        }
        return Looked(self.frames, figures, strip(future[:STRIP_WINDOWS], imagined[:STRIP_WINDOWS]))


def _means(measure: Measure, pictures: Frames, real: Frames) -> tuple[float, ...]:
    values = [
        [measure.of(mine, theirs) for mine, theirs in zip(row, true, strict=True)]
        for row, true in zip(pictures, real, strict=True)
    ]
    return tuple(float(value) for value in np.mean(values, axis=0))


def strip(real: Frames, imagined: Frames) -> Frames:
    """Pictures [N, F, h, w, 3] of both as one uint8 [N * 2 * (h + gap), F * (w + gap), 3]."""
    pairs = np.stack((real, imagined), axis=1)
    padded = np.pad(pairs, ((0, 0), (0, 0), (0, 0), (0, _GAP), (0, _GAP), (0, 0)), constant_values=128)
    windows, rows, frames, height, width, _ = padded.shape
    return padded.transpose(0, 1, 3, 2, 4, 5).reshape(windows * rows * height, frames * width, 3)
