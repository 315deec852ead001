"""The report on a camera world of rooms: every figure beside its baselines, against what is asked for."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from lingbot_ros.evaluate.limits import Check, all_passed, check_line
from lingbot_ros.evaluate.machine import describe_machine, describe_versions
from lingbot_ros.tasks.rooms.report.measure import Measures
from lingbot_ros.tasks.rooms.report.revisit import PHASES, Revisit, auroc

SCHEMA_VERSION = 1
FRAMES = (1, 4, 16, 32, 64)
LIMIT_MS = 45.0
_TRUSTED_DB = 2.0
PACKAGES = ("miniworld", "pyglet")

Figures = dict[str, list[float]]


@dataclass(frozen=True)
class Speed:
    """Milliseconds of one frame on one thread: of the clock, and of the processor."""

    p50_ms: float
    p95_ms: float
    cpu_p50_ms: float
    cpu_p95_ms: float


@dataclass(frozen=True)
class RoomsReport:
    """What is printed, saved as JSON and quoted on the card. Figures by name, one for each of `frames`.

    fidelity: as `summarise_fidelity`.
    """

    model: dict[str, Any]
    drives: dict[str, Any]
    frames: tuple[int, ...]
    figures: Figures
    revisit: dict[str, Any]
    speed: Speed
    minimum: tuple[Check, ...]
    max_horizon: int
    fidelity: dict[str, Any] = field(default_factory=dict)
    machine: dict[str, str | int | float] = field(default_factory=describe_machine)
    versions: dict[str, str] = field(default_factory=lambda: describe_versions(PACKAGES))
    kind: str = "rooms-model-report"
    schema_version: int = SCHEMA_VERSION

    @property
    def meets_minimum(self) -> bool:
        """Whether every figure reaches its minimum."""
        return all_passed(self.minimum)

    def plain(self) -> dict[str, Any]:
        """The report as JSON values."""
        return asdict(self)

    def text(self) -> str:
        """The report for a terminal."""
        width = 40
        lines = [
            f"{self.model['name']}: {self.drives['count']} held-out drives, {self.drives['context']} real frames, then "
            "poses alone, against MiniWorld",
            "",
            f"{'frame':<{width}}" + "".join(f"{frame:>10}" for frame in self.frames),
        ]
        for name, values in self.figures.items():
            lines.append(f"{name.replace('_', ' '):<{width}}" + "".join(f"{value:>10.3g}" for value in values))
        lines += ["", "away and back:"]
        lines += [f"  {name.replace('_', ' ')}: {_short(value)}" for name, value in self.revisit.items()]
        lines += ["", "does it do what it is told, and for how long:"]
        lines += [f"  {name.replace('_', ' ')}: {_short(value)}" for name, value in self.fidelity.items()]
        speed = self.speed
        lines += [
            "",
            f"a frame on one thread: {speed.p50_ms:.1f} ms median, {speed.p95_ms:.1f} ms p95; of the processor's time "
            f"{speed.cpu_p50_ms:.1f} and {speed.cpu_p95_ms:.1f} ms (load {self.machine['load']})",
            f"frames to be trusted: {self.max_horizon}",
            "",
            "minimum:",
            *map(check_line, self.minimum),
        ]
        return "\n".join(lines)


def summarise_measures(measures: Measures) -> Figures:
    """Means of decibels and shares, medians of errors."""
    figures: Figures = {}
    for name in measures.rows:
        values = measures.of(name)
        statistic = np.nanmedian if "error" in name or "pose" in name else np.nanmean
        label = f"{name}_{'median' if statistic is np.nanmedian else 'mean'}"
        figures[label] = [float(statistic(c)) if np.isfinite(c).any() else float("nan") for c in values.T]
    return figures


def summarise_revisits(revisits: Sequence[Revisit]) -> dict[str, Any]:
    """AUROC of all drives together, medians of decibels."""
    if not revisits:
        return {}
    gaps = sorted({gap for one in revisits for gap in one.same_db})
    same = [db for one in revisits for gap in gaps for db in one.same_db.get(gap, [])]
    different = [db for one in revisits for db in one.different_db]
    painted = [db for one in revisits for db in one.painted_db]
    return {
        "drives": len(revisits),
        "same_place_auroc": auroc(same, different),
        "painted_place_auroc": auroc(painted, different),
        "same_place_db_median_by_gap": {
            str(gap): float(np.median([db for one in revisits for db in one.same_db.get(gap, [])])) for gap in gaps
        },
        "painted_place_db_median": _middle(painted),
        "first_view_again_db_median": float(np.median([one.first_db for one in revisits])),
        "true_db_median_by_phase": {
            phase: _middle([db for one in revisits for db in one.true_db[phase]]) for phase in PHASES
        },
    }


def _middle(values: Sequence[float]) -> float:
    return float(np.median(values)) if len(values) else float("nan")


def check_minimum(
    frames: tuple[int, ...], figures: Figures, revisit: dict[str, Any], speed: Speed
) -> tuple[Check, ...]:
    """What is asked of a world of rooms, at frames 1, 16 and 64."""
    checks: list[Check] = []

    def add(name: str, values: Sequence[float], relation: Literal["<=", ">="], limits: dict[int, Any]) -> None:
        for frame, limit in limits.items():
            if frame in frames:
                least, goal = limit if isinstance(limit, tuple) else (limit, None)
                checks.append(Check(name, float(values[frames.index(frame)]), relation, least, goal, frame))

    mine = np.array(figures["imagined.psnr_in_view_db_mean"])
    warp = np.array(figures["rotation_warp.psnr_in_view_db_mean"])
    everything = np.array(figures["imagined.psnr_db_mean"])
    add("PSNR in view, dB", mine.tolist(), ">=", {1: (38, 40), 16: (33, 36), 64: (30, 34)})
    add("PSNR in view over rotation warp, dB", (mine - warp).tolist(), ">=", {1: 4, 16: 4, 64: 4})
    add("PSNR of all pixels, dB", everything.tolist(), ">=", {1: 36, 16: 27, 64: 19})
    over = everything - np.array(figures["last_frame_repeated.psnr_db_mean"])
    add("PSNR of all pixels over last frame repeated, dB", over.tolist(), ">=", {1: 2, 16: 2, 64: 2})
    if "depth_error_median" in figures:
        add(
            "depth of seen pixels, median relative error",
            figures["depth_error_median"],
            "<=",
            {1: 0.02, 16: 0.02, 64: 0.03},
        )
        add(
            "sharpness of painted pixels over true", figures["painted_sharpness_mean"], ">=", {1: 0.8, 16: 0.8, 64: 0.8}
        )
        add(
            "sharpness of painted pixels over true", figures["painted_sharpness_mean"], "<=", {1: 1.2, 16: 1.2, 64: 1.2}
        )
    if "imagined.yaw_pose_deg_median" in figures:
        # The reader reads a rendered frame to a hundredth of a degree: times its own error says nothing.
        add("yaw, median deg", figures["imagined.yaw_pose_deg_median"], "<=", {1: 1, 16: 3, 64: 8})
        add(
            "position, median share of the path",
            figures["imagined.position_pose_share_median"],
            "<=",
            {16: 0.25, 64: 0.3},
        )
    if revisit:
        checks.append(Check("same place, AUROC", revisit["same_place_auroc"], ">=", 0.95, 0.98))
        checks.append(Check("painted place, AUROC", revisit["painted_place_auroc"], ">=", 0.95, 0.98))
        checks.append(Check("first view again, dB", revisit["first_view_again_db_median"], ">=", 40))
    checks.append(Check("a frame on one thread, p50 ms of the processor", speed.cpu_p50_ms, "<=", 25))
    checks.append(Check("a frame on one thread, p95 ms of the processor", speed.cpu_p95_ms, "<=", LIMIT_MS))
    return tuple(checks)


def trusted_frames(frames: tuple[int, ...], figures: Figures) -> int:
    """The last measured frame up to which the whole image is 2 dB better than the last real one, on average."""
    better = np.array(figures["imagined.psnr_db_mean"]) - np.array(figures["last_frame_repeated.psnr_db_mean"])
    trusted = 0
    for frame, db in zip(frames, better, strict=True):
        if db < _TRUSTED_DB:
            break
        trusted = frame
    return trusted


def card_entries(report: RoomsReport, command: str) -> dict[str, Any]:
    """`quality` and `max_horizon` of the card."""

    def rounded(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: rounded(entry) for key, entry in value.items()}
        if isinstance(value, list):
            return [rounded(entry) for entry in value]
        return (round(value, 3) if np.isfinite(value) else None) if isinstance(value, float) else value

    quality = {
        "command": command,
        "what": f"{report.drives['count']} held-out drives through houses that no training saw, true poses, open loop "
        f"after {report.drives['context']} real frames, against MiniWorld; in view: pixels that a context frame showed",
        "frames": list(report.frames),
        "figures": rounded(report.figures),
        "away_and_back": rounded(report.revisit),
        "fidelity": rounded(report.fidelity),
        "below_minimum": [
            f"{check.name}{f', frame {check.frame}' if check.frame else ''}: {check.value:.3g} "
            f"(asked for {check.relation} {check.minimum:g})"
            for check in report.minimum
            if not check.passed
        ],
        "milliseconds_per_frame": {"1 thread": rounded(asdict(report.speed))},
        "machine": f"{report.machine['cpu']}, {report.machine['cores']} cores, load {report.machine['load']}, "
        f"torch {report.versions['torch']}",
        "weights_sha256": report.model["weights_sha256"],
    }
    return {"max_horizon": report.max_horizon or None, "quality": quality}


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_short(entry)}" for key, entry in value.items())
    return f"{value:.3g}" if isinstance(value, float) else str(value)
