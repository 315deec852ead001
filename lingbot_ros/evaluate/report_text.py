"""The report on a model as text for a terminal and a card."""

import math

from lingbot_ros.evaluate.model_report import Figures, ModelReport
from lingbot_ros.evaluate.summary import Summary

_SHOWN = (1, 4, 8, 16, 32, 64)
_LABEL, _CELL = 38, 21
_AGAINST_REAL_PICTURE = ("psnr_db", "centroid_px", "block_iou")

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
        _table(report, report.all_windows, "all windows"),
        _table(report, report.moved_windows, "only windows in which the block has moved 1 px or more"),
        _wrong(report),
        f"autoencoder round trip: {report.autoencoder_round_trip}",
        f"speed: {report.speed_ms['p50']:.1f} ms a frame median, {report.speed_ms['p95']:.1f} ms p95 "
        f"({report.model['engine']}, {report.model['threads']} thread(s), {report.machine['cpu']})",
        _checks(report),
    ]
    return "\n\n".join(parts)


def _table(report: ModelReport, sources: dict[str, list[Figures]], title: str) -> str:
    columns = [(frame, k) for k, frame in enumerate(report.frames) if frame in _SHOWN]
    lines = [f"{title:<{_LABEL}}" + "".join(f"{frame:>{_CELL}}" for frame, _ in columns)]
    if sources is report.moved_windows:
        lines.append(f"{'  windows':<{_LABEL}}" + "".join(f"{report.moved_count[k]:>{_CELL}}" for _, k in columns))
    for heading, measure, statistic, decimals, still in _ROWS:
        for source, label in (
            ("model", heading),
            ("repeat", f"  {still}"),
            ("real", "  real frames, same reader"),
        ):
            if source == "real" and measure in _AGAINST_REAL_PICTURE:
                continue
            cells = (sources[source][k][measure][statistic] for _, k in columns)
            lines.append(
                f"{label:<{_LABEL}}" + "".join(f"{_cell(cell, decimals, source == 'model'):>{_CELL}}" for cell in cells)
            )
    return "\n".join(lines)


def _wrong(report: ModelReport) -> str:
    lines = [
        "pusher error of frames 1-16, median px   from true actions' future    from the same actions' future    ratio"
    ]
    for kind, figures in report.wrong_actions.items():
        far, near, ratio = (_cell(figures[name], 2, True) for name in ("from_true_px", "from_same_px", "ratio"))
        lines.append(f"  {kind:<39}{far:<29}{near:<33}{ratio}")
    return "\n".join(lines)


def _checks(report: ModelReport) -> str:
    lines = [
        f"  {'ok  ' if check.passed else 'MISS'}  {check.name}: {check.value:.2f} ({check.relation} {check.limit})"
        for check in report.checks
    ]
    return "\n".join(["demands:", *lines])


def _cell(summary: Summary, decimals: int, interval: bool) -> str:
    if math.isnan(summary.value):
        return "-"
    text = f"{summary.value:.{decimals}f}"
    return f"{text} [{summary.low:.{decimals}f}, {summary.high:.{decimals}f}]" if interval else text
