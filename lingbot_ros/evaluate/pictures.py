"""A report's pictures: what was imagined beside what happened, and how errors grow with the horizon."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray

matplotlib.use("Agg")

from matplotlib.figure import Figure

from lingbot_ros.evaluate.model_report import ModelReport
from lingbot_ros.evaluate.summary import Summary

_CURVES = (
    ("psnr_db", "mean", "PSNR, dB"),
    ("pusher_px", "median", "pusher error, px"),
    ("centroid_px", "mean", "block centroid error, px"),
    ("block_iou", "mean", "block mask IoU"),
    ("pose_deg", "median", "block angle error, degrees"),
    ("rigidity", "mean", "block rigidity"),
)
_SOURCES = (("model", "imagined", "tab:blue"), ("repeat", "nothing moves", "tab:gray"), ("real", "real", "tab:green"))


def save_strips(
    path: Path, rows: Sequence[tuple[str, NDArray[np.uint8], NDArray[np.uint8]]], frames: Sequence[int]
) -> None:
    """A PNG with a pair of rows, real above imagined, per (title, real, imagined), each uint8 [H, 96, 96, 3].

    Columns are the open-loop `frames`, counted from 1.
    """
    figure = Figure(figsize=(1.25 * len(frames), 2.75 * len(rows)), layout="constrained")
    axes = figure.subplots(2 * len(rows), len(frames), squeeze=False)
    for row, (title, real, imagined) in enumerate(rows):
        for source, (label, pictures) in enumerate((("real", real), ("imagined", imagined))):
            for column, frame in enumerate(frames):
                axis = axes[2 * row + source][column]
                axis.imshow(pictures[frame - 1], interpolation="nearest")
                axis.set_xticks([])
                axis.set_yticks([])
                if source == 0:
                    axis.set_title(f"{frame}", fontsize=8)
            axes[2 * row + source][0].set_ylabel(f"{title}\n{label}", fontsize=8)
    figure.savefig(path, dpi=110)


def save_curves(path: Path, report: ModelReport) -> None:
    """A PNG of the main figures over the horizon, with their 95 % intervals, all windows."""
    figure = Figure(figsize=(11, 6.2), layout="constrained")
    for axis, (measure, statistic, label) in zip(figure.subplots(2, 3).flat, _CURVES, strict=True):
        for source, name, colour in _SOURCES:
            if (source, measure) == ("real", "psnr_db"):
                continue
            summaries = [figures[measure][statistic] for figures in report.all_windows[source]]
            _curve(axis, report.frames, summaries, name, colour)
        axis.set_xscale("log", base=2)
        axis.set_xticks(report.frames, [str(frame) for frame in report.frames], fontsize=7)
        axis.set_xlabel("open-loop frame")
        axis.set_ylabel(f"{label} ({statistic})")
        axis.grid(alpha=0.3)
    figure.axes[0].legend(fontsize=8)
    figure.suptitle(f"{report.model['name']}, {report.windows['count']} held-out windows against gym-pusht")
    figure.savefig(path, dpi=110)


def _curve(
    axis: "matplotlib.axes.Axes", frames: Sequence[int], summaries: Sequence[Summary], name: str, colour: str
) -> None:
    axis.plot(frames, [summary.value for summary in summaries], color=colour, label=name, marker=".")
    low, high = [summary.low for summary in summaries], [summary.high for summary in summaries]
    axis.fill_between(frames, low, high, color=colour, alpha=0.2)
