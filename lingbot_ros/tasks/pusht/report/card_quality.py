"""What a model's card quotes of a report: the few figures that a user decides by, each beside its baseline."""

from collections.abc import Mapping, Sequence
from typing import Any

from lingbot_ros.tasks.pusht.report.report import ModelReport

FIGURES = (
    ("psnr_db", "mean", "psnr_db_mean"),
    ("pusher_px", "median", "pusher_error_px_median"),
    ("centroid_px", "mean", "block_centroid_error_px_mean"),
    ("block_iou", "mean", "block_iou_mean"),
    ("pose_px", "median", "block_pose_error_px_median"),
    ("pose_deg", "median", "block_pose_error_deg_median"),
    ("rigidity", "mean", "block_rigidity_mean"),
)
"""Measure and statistic of the report, and what the card calls it."""

PREDICTORS = {"model": "imagined", "repeat": "last_frame_repeated"}
DECIMALS = 3


def card_entries(report: ModelReport, command: str) -> dict[str, Any]:
    """The entries of a card that follow from a report; `command` is what made it.

    A figure that does not exist, as of windows with contact where there are none, is null.
    """
    return {"quality": card_quality(report, command), "max_horizon": report.max_horizon}


def card_quality(report: ModelReport, command: str) -> dict[str, Any]:
    """The `quality` entry of a card, rounded."""
    plain = report.plain()
    windows = plain["windows"]
    quality = {
        "command": command,
        "what": f"{windows['count']} held-out windows, {report.contact_count} of them with the block pushed by frame "
        f"16, true actions, open loop after {windows['context']} real frames, against gym-pusht",
        **card_figures(report),
        "below_minimum": [
            f"{row.name}, frame {row.frame}: {row.value:.3g} (minimum {row.minimum:g})"
            for row in report.minimum
            if not row.passed
        ],
        "wrong_actions": {kind: _wrong(wrong) for kind, wrong in plain["wrong_actions"].items()},
        "milliseconds_per_frame": {
            f"{speed.threads} thread(s)": {"p50": round(speed.p50_ms, 1), "p95": round(speed.p95_ms, 1)}
            for speed in report.speed
        },
        "machine": f"{plain['machine']['cpu']}, {plain['machine']['cores']} cores, load {plain['machine']['load']}, "
        f"torch {plain['versions']['torch']}",
        "weights_sha256": plain["model"]["weights_sha256"],
    }
    if report.comparison is not None:
        quality["psnr_db_difference_of_" + report.comparison.other] = {
            row.frame: _rounded(row.difference.value)
            for row in report.comparison.differences
            if row.measure == "psnr_db"
        }
    return quality


def card_figures(report: ModelReport) -> dict[str, Any]:
    """The figures alone: of all windows and of those with an early push, at every measured frame."""
    return {
        "frames": list(report.frames),
        "all_windows": _figures(report.plain()["all_windows"]),
        "contact_windows": _figures(report.plain()["contact_windows"]),
    }


def _figures(sources: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    return {
        name: {
            label: [_rounded(row[measure][statistic]["value"]) for row in sources[predictor]]
            for predictor, label in PREDICTORS.items()
        }
        for measure, statistic, name in FIGURES
    }


def _wrong(wrong: Mapping[str, Any]) -> dict[str, Any]:
    sides = {"imagined_from_same": "from_same", "imagined_from_true": "from_true", "simulated_from_true": "change"}
    return {
        "windows": wrong["count"],
        "frames": list(wrong["frames"]),
        **{
            figure: {name: [_rounded(one["value"]) for one in wrong[side][figure]] for name, side in sides.items()}
            for figure in wrong["from_same"]
        },
    }


def _rounded(value: float) -> float | None:
    return round(value, DECIMALS) if value == value else None  # noqa: PLR0124 - NaN is the one that is not itself
