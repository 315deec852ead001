"""The report on a model as text for a terminal."""

from lingbot_ros.evaluate.limits import check_line
from lingbot_ros.tasks.pusht.report.report import Figures, ModelReport
from lingbot_ros.tasks.pusht.report.sections import cell, comparison_text, minimum_text, trust_text, wrong_text
from lingbot_ros.tasks.pusht.report.targets import LIMIT_MS

_SHOWN = (1, 4, 8, 16, 32, 64)
_LABEL, _CELL = 38, 21
_AGAINST_REAL_IMAGE = ("psnr_db", "centroid_px", "block_iou")

# Heading, measure, statistic, decimals, what repeating the last frame is called in that row.
_ROWS = (
    ("PSNR, mean dB", "psnr_db", "mean", 1, "repeat last frame"),
    ("pusher error, median px", "pusher_px", "median", 2, "static pusher"),
    ("pusher error, p90 px", "pusher_px", "p90", 2, "static pusher"),
    ("block centroid error, mean px", "centroid_px", "mean", 2, "static block"),
    ("block centroid error, median px", "centroid_px", "median", 2, "static block"),
    ("block mask IoU, mean", "block_iou", "mean", 2, "static block"),
    ("block pose, median px", "pose_px", "median", 2, "static block"),
    ("block pose, median deg", "pose_deg", "median", 1, "static block"),
    ("block rigidity (best-fit IoU), mean", "rigidity", "mean", 2, "static block"),
    ("pusher or block lost, share", "lost", "mean", 2, "static block"),
)


def report_text(report: ModelReport) -> str:
    """All tables; figures in [] are 95 % bootstrap intervals over windows."""
    parts = [
        f"{report.model['name']}: {report.windows['count']} held-out windows, {report.windows['context']} context "
        "frames, true actions, open loop, against gym-pusht",
        minimum_text(report.minimum),
        _table(report, report.all_windows, "all windows"),
        _table(report, report.contact_windows, "windows whose block is pushed early"),
        _table(report, report.moved_windows, "windows whose block has moved by then"),
        wrong_text(report.wrong_actions),
        trust_text(report.trust, report.max_horizon),
        f"autoencoder round trip: {report.autoencoder_round_trip}",
        _speed(report),
        *([comparison_text(report.comparison)] if report.comparison else []),
        "\n".join(["required, on windows whose block is pushed early:", *map(check_line, report.required)]),
    ]
    return "\n\n".join(parts)


def _table(report: ModelReport, sources: dict[str, list[Figures]], title: str) -> str:
    columns = [(frame, k) for k, frame in enumerate(report.frames) if frame in _SHOWN]
    lines = [f"{title:<{_LABEL}}" + "".join(f"{frame:>{_CELL}}" for frame, _ in columns)]
    if sources is not report.all_windows:
        moved = sources is report.moved_windows
        counts = report.moved_count if moved else [report.contact_count] * len(report.frames)
        lines.append(f"{'  windows':<{_LABEL}}" + "".join(f"{counts[k]:>{_CELL}}" for _, k in columns))
    for heading, measure, statistic, decimals, still in _ROWS:
        for source, label in (
            ("model", heading),
            ("repeat", f"  {still}"),
            ("real", "  real frames, same reader"),
        ):
            if source == "real" and measure in _AGAINST_REAL_IMAGE:
                continue
            cells = (sources[source][k][measure][statistic] for _, k in columns)
            lines.append(
                f"{label:<{_LABEL}}" + "".join(f"{cell(one, decimals, source == 'model'):>{_CELL}}" for one in cells)
            )
    return "\n".join(lines)


def _speed(report: ModelReport) -> str:
    where = f"{report.model['engine']}, {report.machine['cpu']}, load {report.machine['load']}"
    lines = [
        f"speed, model and decoder, {where}: {report.speed_ms['p50']:.1f} ms a frame median, "
        f"{report.speed_ms['p95']:.1f} ms p95 over all frames with {report.model['threads']} thread(s)"
    ]
    for speed in report.speed:
        verdict = "ok  " if speed.p95_ms <= LIMIT_MS else "MISS"
        lines.append(
            f"  {verdict}  {speed.threads} thread(s): {speed.p50_ms:.1f} ms median, {speed.p95_ms:.1f} ms p95 "
            f"(<= {LIMIT_MS:.0f}), {speed.frames} frames"
        )
    return "\n".join(lines)
