"""The report on a model that was measured on held-back clips: what is printed, saved and quoted on the card."""

from dataclasses import asdict, dataclass
from typing import Any

from lingbot_ros.evaluate.bootstrap import Summary
from lingbot_ros.evaluate.clip_metrics import ClipMetrics
from lingbot_ros.evaluate.limits import Check, check_line

SCHEMA_VERSION = 2
_ROWS = (
    ("imagined", "PSNR, mean dB"),
    ("last_frame_repeated", "  repeating the last real frame"),
    ("shuffled_actions", "  with another window's actions"),
)


@dataclass(frozen=True)
class ClipReport:
    """model, data, machine: what was measured on what. speed_ms: per frame. required, minimum: a task's limits."""

    model: dict[str, Any]
    data: dict[str, Any]
    machine: dict[str, Any]
    figures: ClipMetrics
    speed_ms: dict[str, float]
    required: tuple[Check, ...] = ()
    minimum: tuple[Check, ...] = ()

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {"schema_version": SCHEMA_VERSION, "kind": "clip-report", **asdict(self)}


def shown_frames(horizon: int) -> list[int]:
    """1, 2, 4, ... and the last."""
    return sorted({min(2**k, horizon) for k in range(horizon.bit_length() + 1)})


def report_text(report: ClipReport) -> str:
    """The table and what follows from it; figures in [] are 95 % bootstrap intervals over windows."""
    figures, frames = report.figures, shown_frames(report.figures.horizon)
    data = report.data
    lines = [
        f"{report.model['name']}: {figures.windows} windows of {len(data['episodes'])} held-back episodes of "
        f"{data['folder']}, {data['context']} real frames, then actions alone",
        f"{'frame':<42}" + "".join(f"{frame:>9}" for frame in frames),
        *(_row(heading, figures.psnr_db[name], frames, 1) for name, heading in _ROWS),
        f"{'squared error, of that of repeating':<42}"
        + "".join(f"{figures.error_ratio[frame - 1]:>9.2f}" for frame in frames),
    ]
    for name, means in figures.task.items():
        lines.append(_row(f"{name}, mean", means["imagined"], frames, 2))
        lines.append(_row("  repeating the last real frame", means["last_frame_repeated"], frames, 2))
    cost = figures.shuffled_cost_db
    verdict = "it listens to its actions" if figures.listens else "that it listens to its actions is not shown"
    parts = [
        *lines,
        "",
        _reach(figures),
        f"wrong actions cost {cost.value:.2f} dB [{cost.low:.2f}, {cost.high:.2f}]: {verdict}",
        f"speed: {report.speed_ms['p50']:.1f} ms a frame median, {report.speed_ms['p95']:.1f} ms p95 "
        f"({report.model['engine']}, {report.model['threads']} thread(s), {report.machine['cpu']})",
    ]
    for name, checks in (("required", report.required), ("minimum", report.minimum)):
        if checks:
            parts += [f"{name}:", *map(check_line, checks)]
    return "\n".join(parts)


def _row(heading: str, summaries: list[Summary], frames: list[int], decimals: int) -> str:
    return f"{heading:<42}" + "".join(f"{summaries[frame - 1].value:>9.{decimals}f}" for frame in frames)


def _reach(figures: ClipMetrics) -> str:
    if figures.trusted == figures.horizon:
        return f"better than repeating the last frame for all {figures.horizon} frames"
    if figures.trusted:
        return f"better than repeating the last frame up to frame {figures.trusted} of {figures.horizon}"
    return "not better than repeating the last frame: it has learned next to nothing yet"


def card_entries(report: ClipReport, command: str) -> dict[str, Any]:
    """What of the report belongs on the model's card."""
    figures, frames = report.figures, shown_frames(report.figures.horizon)
    cost = figures.shuffled_cost_db
    task = {
        f"{metric}_mean_{name}": [round(summaries[frame - 1].value, 3) for frame in frames]
        for metric, means in figures.task.items()
        for name, summaries in means.items()
    }
    quality = {
        "command": command,
        "what": f"{figures.windows} windows of held-back episodes, open loop after {report.data['context']} frames",
        "frames": frames,
        "figures": {
            f"psnr_db_mean_{name}": [round(figures.psnr_db[name][frame - 1].value, 2) for frame in frames]
            for name, _ in _ROWS
        }
        | {"squared_error_of_repeating": [round(figures.error_ratio[frame - 1], 3) for frame in frames]}
        | task,
        "wrong_actions_cost_db": [round(float(value), 2) for value in (cost.value, cost.low, cost.high)],
        "milliseconds_per_frame": report.speed_ms,
        "machine": f"{report.machine['cpu']}, {report.model['threads']} thread(s)",
        "weights_sha256": report.model["weights_sha256"],
    }
    missed = [check_line(check).split("MISS")[1].strip() for check in report.minimum if not check.passed]
    if report.minimum:
        quality["below_minimum"] = missed
    return {"quality": quality} | ({"max_horizon": figures.trusted} if figures.trusted else {})
