"""A recording against a model: every window compared, and what follows from all of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.bootstrap import Summary, summarise
from lingbot_ros.evaluate.fidelity.sensitivity import LEAST_STARTS
from lingbot_ros.evaluate.policies.contract import StateReader
from lingbot_ros.evaluate.reality.calibration import Calibration
from lingbot_ros.evaluate.reality.comparison import DIVERGENCE_LIMIT, Comparison, Window, compare, psnr
from lingbot_ros.evaluate.reality.fidelity import Changed, Fidelity, change, measure_fidelity
from lingbot_ros.evaluate.rollouts.stepper import ObservingStepper

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Study:
    """Figures per frame 1..T over N windows.

    psnr_db, ssim, local_error: of the imagined frames. frozen_db: of repeating the last real image. other_db: under
    another window's actions. skill: 1 - error / error of repeating, summed over windows; NaN where nothing moved.
    follows_db: what the other actions cost, mean over frames, paired by window. diverged: by window the first frame
    that is far off, None where there is none. fidelity: see there.
    """

    names: Sequence[str]
    psnr_db: Sequence[Summary]
    ssim: Sequence[Summary]
    local_error: Sequence[Summary]
    frozen_db: Sequence[Summary]
    other_db: Sequence[Summary]
    skill: Sequence[float]
    follows_db: Summary
    diverged: Sequence[int | None]
    context: int
    limit: float
    fps: float
    calibration: Calibration | None
    fidelity: Fidelity

    @property
    def horizon(self) -> int:
        return len(self.psnr_db)

    @property
    def follows(self) -> bool:
        """Whether other actions surely make it worse."""
        return self.follows_db.low > 0

    @property
    def usable_frames(self) -> int:
        """Leading frames at which it knows more than that nothing moves."""
        worse = [frame for frame, skill in enumerate(self.skill, 1) if skill <= 0]
        return worse[0] - 1 if worse else self.horizon

    @property
    def kept(self) -> int:
        """How many windows never diverge."""
        return sum(frame is None for frame in self.diverged)

    @property
    def divergence_s(self) -> float:
        """The median divergence time over windows; infinite where most never diverge."""
        times = [float("inf") if frame is None else frame / self.fps for frame in self.diverged]
        return float(np.quantile(times, 0.5, method="lower"))


def study(
    stepper: ObservingStepper,
    windows: Sequence[Window],
    *,
    calibration: Calibration | None = None,
    read_state: StateReader | None = None,
    limit: float = DIVERGENCE_LIMIT,
    progress: Callable[[], None] = lambda: None,
) -> tuple[Study, list[Comparison]]:
    """Compare every window; `progress` is called after each. read_state: reads the robot's state off an image, where
    the task can. Raises InputError for no window, and as `compare`.
    """
    if not windows:
        raise InputError("--horizon", "no window", "give a shorter horizon or a longer recording")
    found, changed = list[Comparison](), list[Changed]()
    for window, other in zip(windows, _other_actions(windows), strict=True):
        found.append(compare(stepper, window, other=other, limit=limit))
        if len(changed) < LEAST_STARTS:
            changed.append(change(stepper, window, other, found[-1]))
        progress()
    fidelity = measure_fidelity(windows, found, changed, read_state)
    return _judge(found, windows[0].context, limit, stepper.fps, calibration, fidelity), found


def _other_actions(windows: Sequence[Window]) -> list[Floats]:
    """Those of the window half way round; of a single window, its own in reverse order."""
    if len(windows) == 1:
        return [_future(windows[0])[::-1]]
    half = len(windows) // 2
    return [_future(windows[(index + half) % len(windows)]) for index in range(len(windows))]


def _future(window: Window) -> Floats:
    return window.actions[window.context - 1 :]


def _judge(
    found: Sequence[Comparison],
    context: int,
    limit: float,
    fps: float,
    calibration: Calibration | None,
    fidelity: Fidelity,
) -> Study:
    errors = np.stack([one.mse for one in found])
    frozen = np.stack([one.frozen_mse for one in found])
    other = np.stack([one.other_mse for one in found if one.other_mse is not None])
    decibels, others_db = (np.stack([psnr(row) for row in rows]) for rows in (errors, other))
    moved = frozen.mean(axis=0)
    ratio = errors.mean(axis=0) / np.maximum(moved, 1e-12)
    return Study(
        names=[one.name for one in found],
        psnr_db=_by_frame(decibels),
        ssim=_by_frame(np.stack([one.ssim for one in found])),
        local_error=_by_frame(np.stack([one.local_error for one in found])),
        frozen_db=_by_frame(np.stack([psnr(row) for row in frozen])),
        other_db=_by_frame(others_db),
        # Below one squared grey level nothing moved, and there was nothing to know.
        skill=[float(1 - part) if change >= 1 else nan for part, change in zip(ratio, moved, strict=True)],
        follows_db=summarise((decibels - others_db).mean(axis=1), "mean"),
        diverged=[one.diverged for one in found],
        context=context,
        limit=limit,
        fps=fps,
        calibration=calibration,
        fidelity=fidelity,
    )


def _by_frame(values: Floats) -> list[Summary]:
    return [summarise(values[:, frame], "mean") for frame in range(values.shape[1])]
