"""The law by which actions draw a thing, from places that were read off images.

What moves is a mass on a damped spring that an action pulls: `x'' = G u + g - k x - c x'`. A strong spring obeys at
once, none at all is a velocity or a force that the action sets. Held for a frame, this has the form of `DriveLaw`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm  # type: ignore[import-untyped]
from scipy.optimize import minimize  # type: ignore[import-untyped]

from lingbot_ros.errors import InputError

Floats = NDArray[np.float64]

_STARTS = tuple((spring, damping) for spring in (1e-3, 0.1, 1.0, 5.0, 20.0) for damping in (0.1, 0.5, 2.0, 6.0, 20.0))
"""Spring and damping per frame: the search begins at the best of these."""
_SOFTEST, _STIFFEST = 1e-4, 60.0
_WINDOW = 12
"""Frames over which the law is to hold from a place and a velocity that are found with it."""
_MOST_WINDOWS = 300
_EVALUATIONS = 160
_ROBUST_PX = 1.0
_LOOSE = 0.3
"""How far a thing strays from its law in a frame, in units of how surely it is read."""
_UNSURE_PX, _UNSURE_SPEED_PX = 100.0, 10.0
"""Where a thing is that is not seen, and how fast it is in the first frame."""


@dataclass(frozen=True)
class Drive:
    """law [2, 4] and aim [2, 3] as `DriveLaw` has them; error_px: rms of what they miss over 12 frames."""

    law: Floats
    aim: Floats
    error_px: float


def search_drive(places: Sequence[Floats], targets: Sequence[Floats]) -> Drive:
    """Places [T+1, 2] in pixels, NaN where unknown, and targets [T, 2] in which the aim is to be expressed, episodes.

    Spring and damping are searched; all else is linear in what is seen, and solved.
    """
    seen, given = _windows(places, targets)

    def loss(point: Floats) -> float:
        return _solve(seen, given, *_constants(point))[1]

    start = min((np.log(start) for start in _STARTS), key=loss)
    options = {"maxfev": _EVALUATIONS, "xatol": 1e-4, "fatol": 1e-6}
    spring, damping = _constants(minimize(loss, start, method="Nelder-Mead", options=options).x)
    pull, error = _solve(seen, given, spring, damping)
    matrix, push = _frame(spring, damping)
    law = np.concatenate([matrix, (spring * push)[:, None], np.zeros((2, 1))], axis=1)
    return Drive(law, pull / spring, error)


def smooth(drive: Drive, places: Floats, targets: Floats, blur: float) -> tuple[Floats, Floats]:
    """Places and velocities [T+1, 2] that the law and what was read, to within `blur`, agree on (Rauch 1965).

    places [T+1, 2], NaN where unknown; targets [T, 2].
    """
    matrix, force = drive.law[:, :2], drive.law[:, 2]
    pulled = targets @ drive.aim[:, :2].T + drive.aim[:, 2]
    count = len(places)
    drift = np.diag([(_LOOSE * blur) ** 2] * 2)
    state = np.stack([np.nan_to_num(places[0]), np.zeros(2)])
    doubt = np.diag([_UNSURE_PX**2 if np.isnan(places[0, 0]) else blur**2, _UNSURE_SPEED_PX**2])
    predicted, doubts, after, after_doubts = [], [], [], []
    for k in range(count):
        if k:
            state, doubt = matrix @ state + np.outer(force, pulled[k - 1]), matrix @ doubt @ matrix.T + drift
        predicted.append(state)
        doubts.append(doubt)
        if not np.isnan(places[k, 0]):
            gain = doubt[:, 0] / (doubt[0, 0] + blur**2)
            state = state + np.outer(gain, places[k] - state[0])
            doubt = doubt - np.outer(gain, doubt[0])
        after.append(state)
        after_doubts.append(doubt)
    for k in range(count - 2, -1, -1):
        back = after_doubts[k] @ matrix.T @ np.linalg.inv(doubts[k + 1])
        after[k] = after[k] + back @ (after[k + 1] - predicted[k + 1])
    found = np.stack(after)
    return found[:, 0], found[:, 1]


def _constants(point: Floats) -> tuple[float, float]:
    spring, damping = np.clip(np.exp(point), _SOFTEST, _STIFFEST)
    return float(spring), float(damping)


def _frame(spring: float, damping: float) -> tuple[Floats, Floats]:
    """What a frame does to place and velocity: matrix [2, 2], and what a constant pull of 1 adds [2]."""
    motion = np.zeros((3, 3))
    motion[0, 1], motion[1] = 1, (-spring, -damping, 1)
    whole = expm(motion)
    return whole[:2, :2], whole[:2, 2]


def _windows(places: Sequence[Floats], targets: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Places [N, W+1, 2] and targets [N, W, 2] of windows in which every place is known; W as the data allow."""
    width = min(_WINDOW, *(len(target) for target in targets))
    seen, given = [], []
    for place, target in zip(places, targets, strict=True):
        for start in range(0, len(target) - width + 1, max(width // 2, 1)):
            window = place[start : start + width + 1]
            if np.isfinite(window).all():
                seen.append(window)
                given.append(target[start : start + width])
    if not seen:
        raise InputError("--data", f"no {width} frames in which the driven thing is seen", "keep it in the image")
    chosen = np.random.default_rng(0).permutation(len(seen))[:_MOST_WINDOWS]
    return np.array(seen)[chosen], np.array(given)[chosen]


def _solve(seen: Floats, given: Floats, spring: float, damping: float) -> tuple[Floats, float]:
    """The pull [2, 3] (`pull @ (u, 1)`) that explains the windows best, robustly, and the rms error in pixels.

    Every window has a free first place and velocity: they are projected out.
    """
    matrix, push = _frame(spring, damping)
    count, width = given.shape[:2]
    free, held = np.zeros((width + 1, 2)), np.zeros((width + 1, width))
    power = np.eye(2)
    for k in range(width + 1):
        free[k] = power[0]
        for j in range(k):
            held[k, j] = (np.linalg.matrix_power(matrix, k - 1 - j) @ push)[0]
        power = matrix @ power
    basis, _ = np.linalg.qr(free)
    project = np.eye(width + 1) - basis @ basis.T
    ones = np.concatenate([given, np.ones((count, width, 1))], -1)
    known = np.einsum("ab,nbc->nac", project @ held, ones).reshape(-1, 3)
    wanted = np.einsum("ab,nbc->nac", project, seen).reshape(-1, 2)
    weight = np.ones(len(wanted))
    pull = np.zeros((2, 3))
    for _ in range(4):
        scaled = known * weight[:, None]
        normal = scaled.T @ known
        normal[np.diag_indices(3)] += 1e-9 * np.trace(normal)
        pull = np.linalg.solve(normal, scaled.T @ wanted).T
        missed = np.linalg.norm(wanted - known @ pull.T, axis=-1)
        weight = 1 / (1 + (missed / _ROBUST_PX) ** 2)
    return pull, float(np.sqrt((weight * missed**2).sum() / weight.sum()))
