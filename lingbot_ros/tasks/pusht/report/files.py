"""A report on disk: JSON, text and pictures."""

import json
import math
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import ErrorCode, ResourceError
from lingbot_ros.evaluate.strips import Strip, save_strips
from lingbot_ros.tasks.pusht.report.card_quality import card_figures
from lingbot_ros.tasks.pusht.report.card_table import card_table
from lingbot_ros.tasks.pusht.report.curves import save_curves
from lingbot_ros.tasks.pusht.report.report import Judged, ModelReport
from lingbot_ros.tasks.pusht.report.text import report_text
from lingbot_ros.tasks.pusht.windows import PushTWindows


def save_json(path: Path, report: ModelReport) -> None:
    """Write the report as JSON, whole or not at all; a figure that does not exist is null."""
    _write(path, json.dumps(_finite(report.plain()), indent=1) + "\n")


def save_report(
    folder: Path, report: ModelReport, judged: Judged, windows: PushTWindows, imagined: NDArray[np.uint8]
) -> None:
    """Write report.json, report.txt, table.md, strips.png (best, median and worst window) and curves.png."""
    save_json(folder / "report.json", report)
    _write(folder / "report.txt", report_text(report) + "\n")
    _write(folder / "table.md", card_table(card_figures(report)) + "\n")
    order = rank_windows(judged)
    chosen = {"best": order[0], "median": order[len(order) // 2], "worst": order[-1]}
    strips = [_strip(name, judged, windows, imagined, n) for name, n in chosen.items()]
    heading = f"{report.model['name']}: open loop from {windows.context} real frames, then actions alone"
    save_strips(folder / "strips.png", heading, strips, judged.frames)
    save_curves(folder / "curves.png", report)


def rank_windows(judged: Judged) -> list[int]:
    """Window numbers from best to worst: by pusher and block error together, at frame 16 or the last one before it.

    Only windows whose block is pushed early, if there are any: one in which nothing happens shows nothing.
    """
    k = max(index for index, frame in enumerate(judged.frames) if frame <= 16)
    errors = judged.model.pusher_px[:, k] + judged.model.centroid_px[:, k]
    order = np.argsort(errors, kind="stable")
    return [int(n) for n in order if judged.contact[n] or not judged.contact.any()]


def _strip(name: str, judged: Judged, windows: PushTWindows, imagined: NDArray[np.uint8], n: int) -> Strip:
    at, seen = np.array(judged.frames) - 1, judged.model
    what = "windows with an early push" if judged.contact.any() else "windows"
    return Strip(
        title=f"{name} of {judged.contact.sum() or len(windows)} {what} "
        f"(episode seed {windows.seeds[n]}, {windows.policies[n]})",
        real=windows.future[n, at],
        imagined=imagined[n, at],
        block=windows.block[n, windows.context :][at],
        pusher=windows.pusher[n, windows.context :][at],
        notes=[f"IoU {seen.block_iou[n, k]:.2f}, {seen.psnr_db[n, k]:.0f} dB" for k in range(len(at))],
    )


def _write(path: Path, text: str) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(text)
        aside.replace(path)
    except OSError as error:
        fix = "free some space or use another folder"
        raise ResourceError(f"report: cannot write {path} ({error.strerror}); {fix}", ErrorCode.DISK) from error


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
