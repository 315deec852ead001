"""A report on disk: JSON, text and images."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.evaluate.report_files import write_json, write_text
from lingbot_ros.evaluate.strips import TRUTH_COLOUR, Overlay, Strip, save_strips
from lingbot_ros.tasks.pusht.geometry import PUSHER_RADIUS, outline_at, to_pixels
from lingbot_ros.tasks.pusht.report.card_quality import card_figures
from lingbot_ros.tasks.pusht.report.card_table import card_table
from lingbot_ros.tasks.pusht.report.curves import save_curves
from lingbot_ros.tasks.pusht.report.report import Measurements, ModelReport
from lingbot_ros.tasks.pusht.report.text import report_text
from lingbot_ros.tasks.pusht.windows import PushTWindows

if TYPE_CHECKING:
    import matplotlib.axes


def save_report(
    folder: Path, report: ModelReport, measurements: Measurements, windows: PushTWindows, imagined: NDArray[np.uint8]
) -> None:
    """Write report.json, report.txt, table.md, strips.png (best, median and worst window) and curves.png."""
    write_json(folder / "report.json", report.plain())
    write_text(folder / "report.txt", report_text(report) + "\n")
    write_text(folder / "table.md", card_table(card_figures(report)) + "\n")
    order = rank_windows(measurements)
    chosen = {"best": order[0], "median": order[len(order) // 2], "worst": order[-1]}
    strips = [_strip(name, measurements, windows, imagined, n) for name, n in chosen.items()]
    heading = f"{report.model['name']}: open loop from {windows.context} real frames, then actions alone"
    save_strips(folder / "strips.png", heading, strips, measurements.frames)
    save_curves(folder / "curves.png", report)


def rank_windows(measurements: Measurements) -> list[int]:
    """Window numbers from best to worst: by pusher and block error together, at frame 16 or the last one before it.

    Only windows whose block is pushed early, if there are any: one in which nothing happens shows nothing.
    """
    k = max(index for index, frame in enumerate(measurements.frames) if frame <= 16)
    errors = measurements.model.pusher_px[:, k] + measurements.model.centroid_px[:, k]
    order = np.argsort(errors, kind="stable")
    return [int(n) for n in order if measurements.contact[n] or not measurements.contact.any()]


def _strip(name: str, measurements: Measurements, windows: PushTWindows, imagined: NDArray[np.uint8], n: int) -> Strip:
    at, seen = np.array(measurements.frames) - 1, measurements.model
    what = "windows with an early push" if measurements.contact.any() else "windows"
    return Strip(
        title=f"{name} of {measurements.contact.sum() or len(windows)} {what} "
        f"(episode seed {windows.seeds[n]}, {windows.policies[n]})",
        real=windows.future[n, at],
        imagined=imagined[n, at],
        overlay=truth_overlay(windows.block[n, windows.context :][at], windows.pusher[n, windows.context :][at]),
        source="simulator",
        notes=[f"IoU {seen.block_iou[n, k]:.2f}, {seen.psnr_db[n, k]:.0f} dB" for k in range(len(at))],
    )


def truth_overlay(block: NDArray[np.float64], pusher: NDArray[np.float64]) -> Overlay:
    """Draws the simulator's block [F, 3] and pusher [F, 2], in its units, over the frames of a strip."""

    def draw(axis: "matplotlib.axes.Axes", column: int, size: int) -> None:
        corners = to_pixels(outline_at(block[column]), size)
        closed = np.vstack([corners, corners[:1]])
        axis.plot(closed[:, 0], closed[:, 1], color=TRUTH_COLOUR, linewidth=0.9)
        turn = np.linspace(0, 2 * np.pi, 40)
        circle = pusher[column] + PUSHER_RADIUS * np.stack([np.cos(turn), np.sin(turn)], axis=-1)
        ring = to_pixels(circle, size)
        axis.plot(ring[:, 0], ring[:, 1], color=TRUTH_COLOUR, linewidth=0.9)
        axis.set_xlim(-0.5, size - 0.5)
        axis.set_ylim(size - 0.5, -0.5)

    return draw
