"""An image of how errors grow with the horizon, beside doing nothing, the reader's own error, minimum and target."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib.figure import Figure

from lingbot_ros.evaluate.bootstrap import Summary
from lingbot_ros.tasks.pusht.report.report import Figures, ModelReport
from lingbot_ros.tasks.pusht.report.targets import TARGET_FRAMES, TARGETS

_CURVES = (
    ("psnr_db", "mean", "PSNR, dB"),
    ("pusher_px", "median", "pusher error, px of 96"),
    ("centroid_px", "mean", "block centroid error, px"),
    ("lost", "mean", "pusher or block lost, share"),
    ("block_iou", "mean", "block mask IoU"),
    ("pose_px", "median", "block pose error, px"),
    ("pose_deg", "median", "block pose error, degrees"),
    ("rigidity", "mean", "block rigidity (best-fit IoU)"),
)
# Figures of the real image against itself say nothing.
_PERFECT_BY_DEFINITION = ("psnr_db", "centroid_px", "block_iou")


def save_curves(path: Path, report: ModelReport) -> None:
    """A PNG of every figure over the horizon, with 95 % intervals: all windows, and those with an early push."""
    figure = Figure(figsize=(15, 7), layout="constrained")
    lines: tuple[tuple[str, Sequence[Figures], str, str], ...] = (
        ("imagined", report.all_windows["model"], "tab:blue", "-"),
        ("imagined, block pushed early", report.contact_windows["model"], "tab:orange", "--"),
        ("nothing moves", report.all_windows["repeat"], "tab:gray", "-"),
        ("real frames, same reader", report.all_windows["real"], "tab:green", "-"),
    )
    for axis, (measure, statistic, label) in zip(figure.subplots(2, 4).flat, _CURVES, strict=True):
        for name, figures, colour, style in lines:
            if figures is report.all_windows["real"] and measure in _PERFECT_BY_DEFINITION:
                continue
            _curve(axis, report.frames, [row[measure][statistic] for row in figures], name, colour, style)
        _mark_targets(axis, measure, report.frames[-1])
        if measure == "pusher_px":
            axis.set_yscale("log")
        if report.max_horizon:
            axis.axvline(report.max_horizon, color="tab:red", linewidth=0.8, linestyle=":", label="max_horizon")
        axis.set_xscale("log", base=2)
        axis.set_xticks(report.frames, [str(frame) for frame in report.frames], fontsize=7)
        axis.minorticks_off()
        axis.set_xlabel("open-loop frame")
        axis.set_title(f"{label} ({statistic})", fontsize=10)
        axis.grid(alpha=0.3)
    pairs = (zip(*axis.get_legend_handles_labels(), strict=True) for axis in figure.axes)
    seen = {text: handle for pair in pairs for handle, text in pair}
    figure.legend(seen.values(), seen.keys(), loc="outside lower center", ncols=len(seen), fontsize=9)
    figure.suptitle(
        f"{report.model['name']}: {report.windows['count']} held-out windows against gym-pusht, "
        f"{report.contact_count} with the block pushed early"
    )
    figure.savefig(path, dpi=110)


def _curve(
    axis: "matplotlib.axes.Axes",
    frames: Sequence[int],
    summaries: Sequence[Summary],
    name: str,
    colour: str,
    style: str,
) -> None:
    values = [summary.value for summary in summaries]
    axis.plot(frames, values, color=colour, label=name, marker=".", linestyle=style, linewidth=1.4)
    low, high = [summary.low for summary in summaries], [summary.high for summary in summaries]
    axis.fill_between(frames, low, high, color=colour, alpha=0.15, linewidth=0)


def _mark_targets(axis: "matplotlib.axes.Axes", measure: str, last: int) -> None:
    shown = [k for k, frame in enumerate(TARGET_FRAMES) if frame <= last]
    frames = [TARGET_FRAMES[k] for k in shown]
    for target in TARGETS:
        if target.measure == measure:
            axis.plot(
                frames, [target.minimum[k] for k in shown], "k_", markersize=14, markeredgewidth=2, label="minimum"
            )
            if target.target is not None:
                axis.plot(frames, [target.target[k] for k in shown], "k*", markersize=8, label="target")
