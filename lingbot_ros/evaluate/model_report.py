"""The report on a Push-T model: every figure beside that of doing nothing, and beside the reader's own floor."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.evaluate.acceptance import Check, accept
from lingbot_ros.evaluate.machine import describe_machine, describe_versions
from lingbot_ros.evaluate.pusht_measures import Measures
from lingbot_ros.evaluate.summary import Summary, summarise
from lingbot_ros.evaluate.wrong_actions import WrongActions

SCHEMA_VERSION = 1
REPORT_FRAMES = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64)
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

Figures = dict[str, dict[str, Summary]]


def report_frames(horizon: int) -> tuple[int, ...]:
    """The frames that a report of this horizon measures."""
    return tuple(frame for frame in REPORT_FRAMES if frame <= horizon)


@dataclass(frozen=True)
class Judged:
    """All that was measured. Measures are over `frames`; `moved` bool [N, F]: the block is 1 px or more from its start.

    repeat is the last context frame again and again: at once repeat-last-frame, static-block and static-pusher.
    real is the real future through the same reader: the floor of every figure. all_pusher_px [N, H] covers every frame.
    """

    frames: tuple[int, ...]
    model: Measures
    repeat: Measures
    real: Measures
    moved: NDArray[np.bool_]
    all_pusher_px: NDArray[np.float64]
    wrong: Mapping[str, WrongActions]
    frame_s: NDArray[np.float64]


@dataclass(frozen=True)
class ModelReport:
    """What is printed, saved as JSON and quoted on the card."""

    model: dict[str, object]
    windows: dict[str, object]
    frames: tuple[int, ...]
    all_windows: dict[str, list[Figures]]
    moved_windows: dict[str, list[Figures]]
    moved_count: list[int]
    wrong_actions: dict[str, dict[str, Summary]]
    speed_ms: dict[str, float]
    checks: tuple[Check, ...]
    autoencoder_round_trip: str
    machine: dict[str, str | int] = field(default_factory=describe_machine)
    versions: dict[str, str] = field(default_factory=describe_versions)
    kind: str = "pusht-model-report"
    schema_version: int = SCHEMA_VERSION

    def plain(self) -> dict[str, Any]:
        """The report as JSON values."""
        return asdict(self)


def make_report(judged: Judged, model: dict[str, object], windows: dict[str, object]) -> ModelReport:
    """Boil measurements down; `model` and `windows` say what was measured on what, in JSON values."""
    sources = {"model": judged.model, "repeat": judged.repeat, "real": judged.real}
    everything = np.ones_like(judged.moved)
    first = judged.all_pusher_px[:, :16]
    wrong = {}
    for kind, errors in judged.wrong.items():
        wrong[kind] = {
            "from_true_px": summarise(errors.from_true, "median"),
            "from_same_px": summarise(errors.from_same, "median"),
            "ratio": _ratio(errors.from_true, first),
        }
    return ModelReport(
        model=model,
        windows=windows,
        frames=judged.frames,
        all_windows={name: _figures(measures, everything) for name, measures in sources.items()},
        moved_windows={name: _figures(measures, judged.moved) for name, measures in sources.items()},
        moved_count=[int(count) for count in judged.moved.sum(axis=0)],
        wrong_actions=wrong,
        speed_ms={f"p{q}": float(np.percentile(judged.frame_s, q) * 1e3) for q in (50, 95)},
        checks=accept(judged.frames, judged.model, judged.repeat, first, judged.wrong),
        autoencoder_round_trip="not applicable: the model works on pixels",
    )


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
