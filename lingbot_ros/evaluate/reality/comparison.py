"""One stretch of a recording against what the model imagines under its actions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.image_metrics.pixels import mse, psnr_of_mse, ssim
from lingbot_ros.evaluate.policies.contract import Actions
from lingbot_ros.evaluate.reality.deviation import local_error
from lingbot_ros.evaluate.reality.episodes import Episode
from lingbot_ros.evaluate.reality.imagining import imagine_along
from lingbot_ros.evaluate.rollouts.stepper import Frames, ObservingStepper

Floats = NDArray[np.float64]

DIVERGENCE_LIMIT = 30.0
"""Grey levels of `local_error`: an object of a quarter of a patch, of medium contrast, is elsewhere."""

_DIVERGENCE_HOLD = 3


@dataclass(frozen=True)
class Window:
    """C frames of an episode that the model is shown, and T that it imagines.

    images uint8 [C + T, h, w, 3], actions float64 [C + T - 1, dim].
    """

    name: str
    images: Frames
    actions: Actions
    context: int = 1


@dataclass(frozen=True)
class Comparison:
    """Imagined frames 1..T of one window: mse, ssim, local_error [T]; frozen_mse [T] of repeating the last real image.

    other, other_mse [T]: frames and errors under other actions, None where that was not tried. diverged: the first
    frame from which the worst patch is beyond the limit for 3 frames; None: it never is.
    """

    name: str
    imagined: Frames
    real: Frames
    mse: Floats
    ssim: Floats
    local_error: Floats
    frozen_mse: Floats
    other: Frames | None
    other_mse: Floats | None
    diverged: int | None

    @property
    def psnr_db(self) -> Floats:
        return psnr(self.mse)


def psnr(errors: Floats) -> Floats:
    """Decibels of mean squared errors, at most 100."""
    return np.array([psnr_of_mse(float(error)) for error in errors])


def cut_windows(episodes: Sequence[Episode], length: int, context: int = 1) -> Iterator[Window]:
    """Windows of `context` and `length` frames, end to end; what is left over at the end of an episode is left out."""
    frames = context + length
    for episode in episodes:
        for first in range(0, episode.steps + 2 - frames, frames):
            name = f"{episode.name}, frame {first + context - 1}"
            # Copied out: what is mapped from disk cannot be written to, which PyTorch warns of.
            images = np.array(episode.images[first : first + frames])
            yield Window(name, images, episode.actions[first : first + frames - 1], context)


def compare(
    stepper: ObservingStepper,
    window: Window,
    *,
    other: Actions | None = None,
    limit: float = DIVERGENCE_LIMIT,
    seed: int = 0,
) -> Comparison:
    """Imagine the window after its context under its actions, and with `other` [T, dim] also under these.

    Raises InputError and LingbotError as `imagine_along`.
    """
    if len(window.images) != len(window.actions) + 1:
        what = f"{len(window.images)} images and {len(window.actions)} actions"
        raise InputError("images, actions", what, "give one action for each image after the first")
    past = window.images[: window.context]
    imagined = imagine_along(stepper, 0, past, window.actions, seed)
    real = fitted(window.images[window.context : window.context + len(imagined)], imagined)
    wrong = None
    if other is not None:
        shown = window.actions[: window.context - 1]
        wrong = imagine_along(stepper, 0, past, np.concatenate([shown, other]), seed)
    pairs = list(zip(imagined, real, strict=True))
    local = np.array([local_error(imagined=one, reference=true) for one, true in pairs])
    return Comparison(
        name=window.name,
        imagined=imagined,
        real=real,
        mse=_errors(imagined, real),
        ssim=np.array([ssim(imagined=one, reference=true) for one, true in pairs]),
        local_error=local,
        frozen_mse=_errors(np.broadcast_to(past[-1:], real.shape), real),
        other=wrong,
        other_mse=None if wrong is None else _errors(wrong, real),
        diverged=divergence_frame(local, limit),
    )


def divergence_frame(errors: Floats, limit: float = DIVERGENCE_LIMIT) -> int | None:
    """The first frame, counted from 1, from which `errors` [T] stay beyond `limit` for 3 frames or to the end."""
    beyond = errors > limit
    for first in np.flatnonzero(beyond):
        if beyond[first : first + _DIVERGENCE_HOLD].all():
            return int(first) + 1
    return None


def fitted(images: Frames, like: Frames) -> Frames:
    """The images at the size of the frames `like`. Raises InputError for another size: resize where they are read."""
    if images.shape[1:] != like.shape[1:]:
        size = f"{images.shape[1]}x{images.shape[2]}"
        raise InputError("images", size, f"resize them to the model's {like.shape[1]}x{like.shape[2]}")
    return images


def _errors(frames: Frames, real: Frames) -> Floats:
    return np.array([mse(imagined=one, reference=true) for one, true in zip(frames, real, strict=True)])
