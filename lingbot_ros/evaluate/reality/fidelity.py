"""Does the model do what it is told, when it is told, and for how long does it look right? Of compared windows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.evaluate.fidelity.action_reader import ActionReader
from lingbot_ros.evaluate.fidelity.causality import latency_frames, looks_ahead
from lingbot_ros.evaluate.fidelity.horizon import Horizon, usable_horizon
from lingbot_ros.evaluate.fidelity.inverse import Following, action_following, relative_following
from lingbot_ros.evaluate.fidelity.sensitivity import BLIND_BELOW, LEAST_STARTS, effect_ratio
from lingbot_ros.evaluate.image_metrics import appearance
from lingbot_ros.evaluate.image_metrics.pixels import Video
from lingbot_ros.evaluate.policies.contract import Actions, StateReader
from lingbot_ros.evaluate.reality.comparison import Comparison, Window
from lingbot_ros.evaluate.reality.imagining import imagine_along
from lingbot_ros.evaluate.rollouts.stepper import ObservingStepper
from lingbot_ros.evaluate.seeds import generator

USABLE_DB = 20.0

Looks = dict[str, list[float]]

_LOOKS: dict[str, Callable[[Video], NDArray[np.float64]]] = {
    "sharpness": appearance.sharpness_ratio,
    "contrast": appearance.contrast_ratio,
    "saturation": appearance.saturation_ratio,
    "exposure": appearance.exposure_shift,
}


@dataclass(frozen=True)
class Changed:
    """What one window becomes under other actions, with another seed, and with actions that change at action `step`.

    Videos uint8 [T + 1, h, w, 3] that begin with the last real image.
    """

    own: Video
    other_actions: Video
    other_seed: Video
    changed_late: Video
    step: int


@dataclass(frozen=True)
class Fidelity:
    """Over all windows; None where there are too few of them to tell.

    effect_ratio: how much more frames change with the actions than with the seed. latency_frames: the median number of
    frames by which a changed action shows late; looks_ahead: it shows before it is sent. following: of actions that an
    estimator reads off imagined frames, following_real: off real ones of windows it was not fitted to;
    following_share: the first over the second, None where the estimator is too weak. usable: how long the PSNR keeps 20
    dB. flicker: 1 - mean change between frames. looks: sharpness, contrast and saturation over those of the last real
    image, exposure less its, by frame 1..T, means over windows.
    """

    effect_ratio: float | None
    latency_frames: float | None
    looks_ahead: bool | None
    following: Following | None
    following_real: Following | None
    following_share: float | None
    usable: Horizon
    flicker: float | None
    flicker_real: float | None
    looks: Looks
    looks_real: Looks

    @property
    def blind(self) -> bool | None:
        """Whether actions change little more than chance does; None where there are too few windows to tell."""
        return None if self.effect_ratio is None else self.effect_ratio < BLIND_BELOW


def change(stepper: ObservingStepper, window: Window, other: Actions, compared: Comparison) -> Changed:
    """Two more rollouts of a window that was compared with `other` [T, dim]. Raises as `imagine_along`."""
    past, shown = window.images[: window.context], window.actions[: window.context - 1]
    future, step = window.actions[window.context - 1 :], len(other) // 2
    late = np.concatenate([shown, future[:step], other[step:]])
    assert compared.other is not None
    return Changed(
        _from(past, compared.imagined),
        _from(past, compared.other),
        _from(past, imagine_along(stepper, 0, past, window.actions, seed=1)),
        _from(past, imagine_along(stepper, 0, past, late)),
        step,
    )


def measure_fidelity(
    windows: Sequence[Window],
    compared: Sequence[Comparison],
    changed: Sequence[Changed],
    read_state: StateReader | None = None,
) -> Fidelity:
    """`changed`: of the first windows. read_state: reads the robot's state off an image, where the task can."""
    imagined, real = (
        [_from(window.images[: window.context], frames) for window, frames in zip(windows, all_frames, strict=True)]
        for all_frames in ([one.imagined for one in compared], [one.real for one in compared])
    )
    following, following_real = _following(windows, imagined, real, read_state)
    late = [latency_frames(one.own, one.changed_late, one.step) for one in changed]
    seen = [frames for frames in late if frames is not None]
    return Fidelity(
        effect_ratio=effect_ratio(
            other_actions=[(one.own, one.other_actions) for one in changed],
            other_seeds=[(one.own, one.other_seed) for one in changed],
        ),
        latency_frames=float(np.median(seen)) if seen else None,
        looks_ahead=any(looks_ahead(one.own, one.changed_late, one.step) for one in changed) if changed else None,
        following=following,
        following_real=following_real,
        following_share=(
            relative_following(imagined=following, reference=following_real) if following and following_real else None
        ),
        usable=usable_horizon(np.stack([one.psnr_db for one in compared]), USABLE_DB, generator(0, "horizon")),
        flicker=_mean_flicker(imagined),
        flicker_real=_mean_flicker(real),
        looks=_looks(imagined),
        looks_real=_looks(real),
    )


def _following(
    windows: Sequence[Window], imagined: Sequence[Video], real: Sequence[Video], read_state: StateReader | None
) -> tuple[Following | None, Following | None]:
    """Each half of the windows is read by an estimator that was fitted to the real images of the other half."""
    if len(windows) < LEAST_STARTS:
        return None, None
    actions = [
        window.actions[window.context - 1 :][: len(video) - 1] for window, video in zip(windows, imagined, strict=True)
    ]
    half = len(windows) // 2
    read: dict[str, list[NDArray[np.float64]]] = {"imagined": [], "real": []}
    for learned, tried in ((slice(half), slice(half, None)), (slice(half, None), slice(half))):
        reader = ActionReader(real[learned], actions[learned], read_state)
        # In the order of the second half first, as `commanded` below.
        read["imagined"] += [reader.read(video) for video in imagined[tried]]
        read["real"] += [reader.read(video) for video in real[tried]]
    commanded = np.concatenate([*actions[half:], *actions[:half]])
    found = (action_following(estimated=np.concatenate(one), commanded=commanded) for one in read.values())
    return next(found), next(found)


def _mean_flicker(videos: Sequence[Video]) -> float | None:
    values = [value for video in videos if (value := appearance.flicker(video[1:])) is not None]
    return float(np.mean(values)) if values else None


def _looks(videos: Sequence[Video]) -> Looks:
    return {name: np.mean([of(video)[1:] for video in videos], axis=0).tolist() for name, of in _LOOKS.items()}


def _from(past: Video, frames: Video) -> Video:
    """The frames after the last real image."""
    return np.concatenate([past[-1:], frames])
