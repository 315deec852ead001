"""The report on a Push-T model: each figure beside that of repeating the last frame and the reader's own error."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.evaluate.bootstrap import Summary, summarise
from lingbot_ros.evaluate.limits import Check, all_passed
from lingbot_ros.evaluate.machine import describe_machine, describe_versions
from lingbot_ros.evaluate.speed import Speed
from lingbot_ros.tasks.pusht.metrics import Measures
from lingbot_ros.tasks.pusht.report.comparison import Comparison
from lingbot_ros.tasks.pusht.report.required import check_required
from lingbot_ros.tasks.pusht.report.targets import LIMIT_MS, check_targets
from lingbot_ros.tasks.pusht.report.trust import Trust, trust_by_frame, trusted_horizon
from lingbot_ros.tasks.pusht.report.wrong_actions import Discrepancy, WrongActions

SCHEMA_VERSION = 3
REPORT_FRAMES = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 128, 200)
"""Open-loop frames that are measured in full, as far as the horizon reaches."""

_FIGURES = {
    "psnr_db": ("mean",),
    "pusher_px": ("median", "p90"),
    "centroid_px": ("mean", "median"),
    "block_iou": ("mean",),
    "pose_px": ("median",),
    "pose_deg": ("median",),
    "rigidity": ("mean",),
    "lost": ("mean",),
}

PACKAGES = ("gym-pusht", "pymunk", "pygame")
"""Whose versions decide what the simulator does."""

Figures = dict[str, dict[str, Summary]]


def report_frames(horizon: int) -> tuple[int, ...]:
    """The frames that a report of this horizon measures."""
    return tuple(frame for frame in REPORT_FRAMES if frame <= horizon)


@dataclass(frozen=True)
class Measurements:
    """All that was measured. Measures are over `frames`.

    repeat is the last context frame again and again: at once repeat-last-frame, static-block and static-pusher.
    real is the real future through the same reader: the best that any figure can be. moved bool [N, F]: the block is
    1 px or more from its start; contact bool [N]: it is pushed early (`PushTWindows.contact`). all_pusher_px [N, H]
    covers every frame. wrong is over the first windows only.
    """

    frames: tuple[int, ...]
    model: Measures
    repeat: Measures
    real: Measures
    moved: NDArray[np.bool_]
    contact: NDArray[np.bool_]
    all_pusher_px: NDArray[np.float64]
    wrong: Mapping[str, WrongActions]
    frame_s: NDArray[np.float64]


@dataclass(frozen=True)
class ModelReport:
    """What is printed, saved as JSON and quoted on the card. Subsets of windows: see `Measurements`."""

    model: dict[str, object]
    windows: dict[str, object]
    frames: tuple[int, ...]
    all_windows: dict[str, list[Figures]]
    contact_windows: dict[str, list[Figures]]
    contact_count: int
    moved_windows: dict[str, list[Figures]]
    moved_count: list[int]
    wrong_actions: dict[str, dict[str, Any]]
    speed_ms: dict[str, float]
    speed: tuple[Speed, ...]
    minimum: tuple[Check, ...]
    required: tuple[Check, ...]
    trust: tuple[Trust, ...]
    max_horizon: int
    comparison: Comparison | None
    autoencoder_round_trip: str
    machine: dict[str, str | int | float] = field(default_factory=describe_machine)
    versions: dict[str, str] = field(default_factory=lambda: describe_versions(PACKAGES))
    kind: str = "pusht-model-report"
    schema_version: int = SCHEMA_VERSION

    def plain(self) -> dict[str, Any]:
        """The report as JSON values."""
        return asdict(self)

    @property
    def meets_required(self) -> bool:
        """Whether the model may be shipped at all."""
        return all_passed(self.required)

    @property
    def meets_minimum(self) -> bool:
        """Whether it deserves trust: every minimum, the time of a frame and, if compared, the other precision."""
        quick = all(speed.p95_ms <= LIMIT_MS for speed in self.speed)
        same = self.comparison is None or self.comparison.within
        return quick and same and all_passed(self.minimum)


def make_report(
    measurements: Measurements,
    model: dict[str, object],
    windows: dict[str, object],
    speed: tuple[Speed, ...] = (),
    comparison: Comparison | None = None,
) -> ModelReport:
    """Boil measurements down; `model` and `windows` say what was measured on what, in JSON values."""
    sources = {"model": measurements.model, "repeat": measurements.repeat, "real": measurements.real}
    everything = np.ones_like(measurements.moved)
    contact = np.repeat(measurements.contact[:, None], len(measurements.frames), axis=1)
    trust = trust_by_frame(
        measurements.frames, measurements.model, measurements.repeat, measurements.contact, measurements.moved
    )
    return ModelReport(
        model=model,
        windows=windows,
        frames=measurements.frames,
        all_windows={name: _figures(measures, everything) for name, measures in sources.items()},
        contact_windows={name: _figures(measures, contact) for name, measures in sources.items()},
        contact_count=int(measurements.contact.sum()),
        moved_windows={name: _figures(measures, measurements.moved) for name, measures in sources.items()},
        moved_count=[int(count) for count in measurements.moved.sum(axis=0)],
        wrong_actions={kind: _wrong(measurements.all_pusher_px, wrong) for kind, wrong in measurements.wrong.items()},
        speed_ms={f"p{q}": float(np.percentile(measurements.frame_s, q) * 1e3) for q in (50, 95)},
        speed=speed,
        minimum=check_targets(measurements.frames, measurements.model, measurements.repeat),
        required=check_required(
            measurements.frames,
            measurements.model,
            measurements.repeat,
            measurements.all_pusher_px,
            measurements.contact,
            measurements.wrong,
        ),
        trust=trust,
        max_horizon=trusted_horizon(trust),
        comparison=comparison,
        autoencoder_round_trip="not applicable: the model works on pixels",
    )


def _wrong(all_pusher_px: NDArray[np.float64], wrong: WrongActions) -> dict[str, Any]:
    first = wrong.first_pusher_px
    figures: dict[str, Any] = {
        name: _discrepancy(getattr(wrong, name)) for name in ("from_same", "from_true", "change")
    }
    ratio = _ratio(first, all_pusher_px[: len(first), : first.shape[1]])
    return {"count": len(first), "frames": wrong.frames, **figures, "pusher_ratio_1_to_16": ratio}


def _discrepancy(found: Discrepancy) -> dict[str, list[Summary]]:
    statistics = (("psnr_db", "mean"), ("pusher_px", "median"), ("block_iou", "mean"))
    return {
        f"{name}_{statistic}": [summarise(column[~np.isnan(column)], statistic) for column in getattr(found, name).T]
        for name, statistic in statistics
    }


def _figures(measures: Measures, chosen: NDArray[np.bool_]) -> list[Figures]:
    """The figures of every frame over the windows `chosen` [N, F]."""
    return [
        {
            name: {statistic: summarise(values[chosen[:, k]], statistic) for statistic in _FIGURES[name]}
            for name, values in measures.frame(k).items()
        }
        for k in range(chosen.shape[1])
    ]


def _ratio(wrong: NDArray[np.float64], true: NDArray[np.float64]) -> Summary:
    """Median error over median error, with the interval that resampling both together gives."""
    drawn = np.random.default_rng(0).integers(len(true), size=(1000, len(true)))
    ratios = np.median(wrong[drawn], axis=(1, 2)) / np.maximum(np.median(true[drawn], axis=(1, 2)), 1e-6)
    low, high = np.percentile(ratios, (2.5, 97.5))
    return Summary(float(np.median(wrong) / max(float(np.median(true)), 1e-6)), float(low), float(high))
