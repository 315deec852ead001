"""The report on a model of one's own: text, JSON, pictures, and what of it goes on the card."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import ErrorCode, ResourceError
from lingbot_ros.evaluate.clip_metrics import OwnFigures, squared_error

SCHEMA_VERSION = 1
_ROWS = (
    ("imagined", "PSNR, mean dB"),
    ("last_frame_repeated", "  repeating the last real frame"),
    ("shuffled_actions", "  with another window's actions"),
)


@dataclass(frozen=True)
class OwnReport:
    """model, data, machine: what was measured on what. speed_ms: per frame."""

    model: dict[str, Any]
    data: dict[str, Any]
    machine: dict[str, Any]
    figures: OwnFigures
    speed_ms: dict[str, float]

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {"schema_version": SCHEMA_VERSION, "kind": "own_data", **asdict(self)}


def shown_frames(horizon: int) -> list[int]:
    """1, 2, 4, ... and the last."""
    return sorted({min(2**k, horizon) for k in range(horizon.bit_length() + 1)})


def report_text(report: OwnReport) -> str:
    """The table and what follows from it; figures in [] are 95 % bootstrap intervals over windows."""
    figures, frames = report.figures, shown_frames(report.figures.horizon)
    data = report.data
    lines = [
        f"{report.model['name']}: {figures.windows} windows of {len(data['episodes'])} held-back episodes of "
        f"{data['folder']}, {data['context']} real frames, then actions alone",
        f"{'frame':<42}" + "".join(f"{frame:>9}" for frame in frames),
    ]
    for name, heading in _ROWS:
        cells = "".join(f"{figures.psnr_db[name][frame - 1].value:>9.1f}" for frame in frames)
        lines.append(f"{heading:<42}{cells}")
    ratios = "".join(f"{figures.error_ratio[frame - 1]:>9.2f}" for frame in frames)
    lines.append(f"{'squared error, of that of repeating':<42}{ratios}")
    cost = figures.shuffled_cost_db
    verdict = "it listens to its actions" if figures.listens else "that it listens to its actions is not shown"
    if figures.trusted == figures.horizon:
        reach = f"better than repeating the last frame for all {figures.horizon} frames"
    elif figures.trusted:
        reach = f"better than repeating the last frame up to frame {figures.trusted} of {figures.horizon}"
    else:
        reach = "not better than repeating the last frame: it has learned next to nothing yet"
    return "\n".join(
        [
            *lines,
            "",
            reach,
            f"wrong actions cost {cost.value:.2f} dB [{cost.low:.2f}, {cost.high:.2f}]: {verdict}",
            f"speed: {report.speed_ms['p50']:.1f} ms a frame median, {report.speed_ms['p95']:.1f} ms p95 "
            f"({report.model['engine']}, {report.model['threads']} thread(s), {report.machine['cpu']})",
        ]
    )


def card_entries(report: OwnReport, command: str) -> dict[str, Any]:
    """What of the report belongs on the model's card."""
    figures, frames = report.figures, shown_frames(report.figures.horizon)
    cost = figures.shuffled_cost_db
    quality = {
        "command": command,
        "what": f"{figures.windows} windows of held-back episodes, open loop after {report.data['context']} frames",
        "frames": frames,
        "figures": {
            f"psnr_db_mean_{name}": [round(figures.psnr_db[name][frame - 1].value, 2) for frame in frames]
            for name, _ in _ROWS
        }
        | {"squared_error_of_repeating": [round(figures.error_ratio[frame - 1], 3) for frame in frames]},
        "wrong_actions_cost_db": [round(float(value), 2) for value in (cost.value, cost.low, cost.high)],
        "milliseconds_per_frame": report.speed_ms,
        "machine": f"{report.machine['cpu']}, {report.model['threads']} thread(s)",
        "weights_sha256": report.model["weights_sha256"],
    }
    return {"quality": quality} | ({"max_horizon": figures.trusted} if figures.trusted else {})


def save_json(path: Path, report: OwnReport) -> None:
    """Write the report as JSON, whole or not at all."""
    _write(path, json.dumps(report.plain(), indent=1) + "\n")


def save_report(
    folder: Path, report: OwnReport, real: NDArray[np.uint8], imagined: NDArray[np.uint8], titles: list[str]
) -> None:
    """Write report.json, report.txt and strips.png: best, median and worst window, real above imagined.

    real, imagined: uint8 [N, H, h, w, 3]; titles: one per window.
    """
    from lingbot_ros.evaluate.strips import Strip, save_strips  # noqa: PLC0415 - matplotlib takes a second to import

    save_json(folder / "report.json", report)
    _write(folder / "report.txt", report_text(report) + "\n")
    order = np.argsort(squared_error(imagined, real).mean(axis=1), kind="stable")
    chosen = {"best": order[0], "median": order[len(order) // 2], "worst": order[-1]}
    frames = shown_frames(report.figures.horizon)
    at, notes = np.array(frames) - 1, [""] * len(frames)
    strips = [Strip(f"{name}: {titles[n]}", real[n, at], imagined[n, at], notes) for name, n in chosen.items()]
    save_strips(folder / "strips.png", f"{report.model['name']}: episodes held back", strips, frames)


def _write(path: Path, text: str) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(text)
        aside.replace(path)
    except OSError as error:
        fix = "free some space or use another folder"
        raise ResourceError(f"report: cannot write {path} ({error.strerror}); {fix}", ErrorCode.DISK) from error
