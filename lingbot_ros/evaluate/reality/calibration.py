"""What deviations are normal for a model, learned from recordings in which nothing was wrong."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from math import inf, isfinite
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.reality.deviation import COMPONENTS
from lingbot_ros.evaluate.results.files import save_json
from lingbot_ros.evaluate.seeds import generator
from lingbot_ros.evaluate.statistics.conformal import conformal_threshold

SCHEMA = "lingbot.trust/1"

FEWEST_WINDOWS = 30
"""10 to find the scale of the components and 20 for the threshold."""

STOP_HOLD = 2
"""Frames in a row beyond the threshold that stop: one may be a glitch of the camera."""

_WARN_ALPHA, _STOP_ALPHA = 0.2, 0.05
_LEAST_SCALES = (1.0, 0.1, 0.01)
"""Of each component: where nothing ever differs, the last bit of an image must not count as unusual."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """The normal range of a model's deviations over `window` frames after a real image.

    median, high: the 50 % and the 95 % quantile of each component on normal frames. warn, stop: thresholds of the
    largest scaled component; a normal window exceeds `stop` on STOP_HOLD frames in a row with probability `alpha` at
    most.
    """

    model: str
    weights_sha256: str
    window: int
    components: tuple[str, ...]
    median: tuple[float, ...]
    high: tuple[float, ...]
    warn: float
    stop: float
    alpha: float
    windows: int

    def scaled(self, raw: Floats) -> Floats:
        """Raw deviations [..., components] in units in which 0 is the median and 1 the 95 % quantile."""
        low, high = np.array(self.median), np.array(self.high)
        return np.asarray((raw - low) / (high - low))

    def scaled_one(self, component: str, raw: float) -> float:
        """One component in the same units."""
        at = self.components.index(component)
        return (raw - self.median[at]) / (self.high[at] - self.median[at])

    def plain(self) -> dict[str, Any]:
        """As JSON's types."""
        return {"schema": SCHEMA, **asdict(self)}

    def save(self, path: Path) -> None:
        """Write a file that `load` reads. Raises ResourceError."""
        save_json(path, self.plain())

    @staticmethod
    def load(path: Path) -> "Calibration":
        """Raises InputError for a file that is missing, damaged or of another schema."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["schema"] != SCHEMA:
                raise ValueError(f"schema {content['schema']!r}")
            found = {field.name: content[field.name] for field in fields(Calibration)}
            for name in ("components", "median", "high"):
                found[name] = tuple(found[name])
            numbers = [*found["median"], *found["high"], found["warn"], found["stop"]]
            if found["components"] != tuple(COMPONENTS) or not all(isfinite(number) for number in numbers):
                raise ValueError("other components than this program computes")
            return Calibration(**found)
        except (OSError, ValueError, KeyError, TypeError) as error:
            fix = f"make it with `lingbot evaluate --calibrate RECORDING` ({error})"
            raise InputError("calibration", path, fix) from error


def calibrate(windows: Sequence[Floats], *, model: str, weights_sha256: str) -> Calibration | None:
    """From the deviations [T, components] of normal windows of equal length; None for fewer than 30 of them.

    A third of them, drawn by a fixed seed, gives the scale, the others the thresholds: with the same windows for both,
    false stops would be more frequent than is promised.
    """
    if len(windows) < FEWEST_WINDOWS:
        return None
    order = generator(0, "trust").permutation(len(windows))
    third = max(10, len(windows) // 3)
    scale = np.concatenate([windows[n] for n in order[:third]])
    median = np.quantile(scale, 0.5, axis=0)
    high = np.maximum(np.quantile(scale, 0.95, axis=0), median + np.array(_LEAST_SCALES))
    unscaled = Calibration(
        model=model,
        weights_sha256=weights_sha256,
        window=len(windows[0]),
        components=tuple(COMPONENTS),
        median=tuple(median.tolist()),
        high=tuple(high.tolist()),
        warn=inf,
        stop=inf,
        alpha=1.0,
        windows=len(windows),
    )
    scores = [unscaled.scaled(windows[n]).max(axis=1) for n in order[third:]]
    warn = conformal_threshold([float(one.max()) for one in scores], _WARN_ALPHA)
    stop = max(warn, conformal_threshold([_held(one) for one in scores], _STOP_ALPHA))
    values = {field.name: getattr(unscaled, field.name) for field in fields(Calibration)}
    return Calibration(**{**values, "warn": warn, "stop": stop, "alpha": _STOP_ALPHA})


def _held(scores: Floats) -> float:
    """The largest score [T] that STOP_HOLD frames in a row have."""
    held = np.lib.stride_tricks.sliding_window_view(scores, min(STOP_HOLD, len(scores)))
    return float(held.min(axis=1).max())
