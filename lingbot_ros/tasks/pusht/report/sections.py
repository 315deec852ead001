"""Parts of the report's text beside the tables of figures by frame: limits, wrong actions, trust, another precision."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from lingbot_ros.evaluate.bootstrap import Summary
from lingbot_ros.evaluate.limits import Check
from lingbot_ros.tasks.pusht.report.comparison import MOST_DB, Comparison
from lingbot_ros.tasks.pusht.report.trust import Trust

_MEANT = {
    "shuffled": "those of another window",
    "hold": "the target stays at the pusher",
    "zero": "the target is the corner (0, 0)",
    "flipped": "mirrored in the middle",
}
_WRONG_FIGURES = (
    ("pusher_px_median", "pusher, median px", 2),
    ("block_iou_mean", "block IoU, mean", 2),
    ("psnr_db_mean", "PSNR, mean dB", 1),
)
_WRONG_SIDES = (
    ("from_same", "imagined, from the simulator under the same actions"),
    ("from_true", "imagined, from the true actions' future"),
    ("change", "simulated, from the true actions' future"),
)


def cell(summary: Summary, decimals: int, interval: bool) -> str:
    """A figure, with its interval if asked; a dash where there is none."""
    if math.isnan(summary.value):
        return "-"
    text = f"{summary.value:.{decimals}f}"
    return f"{text} [{summary.low:.{decimals}f}, {summary.high:.{decimals}f}]" if interval else text


def minimum_text(checks: Sequence[Check]) -> str:
    """Every main figure of all windows beside that of nothing moving, its minimum and its target."""
    head = f"{'all windows':<28}{'frame':>6}{'value':>24}{'nothing moves':>15}{'minimum':>10}{'target':>10}   reached"
    lines, previous = [head], ""
    for row in checks:
        low, high = row.interval or (math.nan, math.nan)
        target = "-" if row.target is None else f"{row.relation} {row.target:g}"
        baseline = "-" if row.baseline is None else f"{row.baseline:.2f}"
        lines.append(
            f"{row.name if row.name != previous else '':<28}{row.frame:>6}"
            f"{cell(Summary(row.value, low, high), 2, True):>24}{baseline:>15}"
            f"{f'{row.relation} {row.minimum:g}':>10}{target:>10}   {row.verdict}"
        )
        previous = row.name
    missed = sum(not row.passed for row in checks)
    lines.append(
        f"{missed} of {len(checks)} figures miss the minimum" if missed else f"all {len(checks)} reach the minimum"
    )
    return "\n".join(lines)


def wrong_text(wrong_actions: Mapping[str, Mapping[str, Any]]) -> str:
    """For each kind: how far imagination is from both simulated futures, and these from one another."""
    parts = []
    for kind, figures in wrong_actions.items():
        title = f"{kind} actions ({_MEANT[kind]}), {figures['count']} windows"
        lines = [f"{title:<74}" + "".join(f"{frame:>22}" for frame in figures["frames"])]
        for name, label, decimals in _WRONG_FIGURES:
            lines.append(f"  {label}")
            for side, meant in _WRONG_SIDES:
                cells = "".join(f"{cell(one, decimals, True):>22}" for one in figures[side][name])
                lines.append(f"    {meant:<70}{cells}")
        ratio = cell(figures["pusher_ratio_1_to_16"], 1, True)
        lines.append(f"  pusher, frames 1-16: {ratio} times as far from the true future as with the true actions")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def trust_text(trust: Sequence[Trust], max_horizon: int) -> str:
    """Which limit of trust breaks first, and the horizon that follows."""
    lines = [f"max_horizon: {max_horizon} frames, the last measured one up to which all limits of trust hold"]
    for row in trust:
        broken = [check for check in row.checks if not check.passed]
        if broken:
            lines.append(f"  at frame {row.frame}:")
            lines += [f"    {check.name}: {check.value:.2f} ({check.relation} {check.minimum})" for check in broken]
            break
    return "\n".join(lines)


def comparison_text(comparison: Comparison) -> str:
    """Both precisions' figures and the difference."""
    heading = f"{comparison.other} against {comparison.this}, {comparison.windows} windows"
    lines = [f"{heading:<38}{'frame':>6}{comparison.this:>10}{comparison.other:>10}{'difference, mean':>28}"]
    for row in comparison.differences:
        name = f"{row.measure}, {row.statistic}"
        difference = f"{row.difference.value:+.3f} [{row.difference.low:+.3f}, {row.difference.high:+.3f}]"
        lines.append(f"  {name:<36}{row.frame:>6}{row.this:>10.3f}{row.other:>10.3f}{difference:>28}")
    verdict = "ok  " if comparison.within else "MISS"
    lines.append(f"  {verdict}  PSNR lower by no more than {MOST_DB} dB")
    lines.append(f"  {comparison.p50_ms:.1f} ms a frame median, {comparison.p95_ms:.1f} ms p95 in {comparison.other}")
    return "\n".join(lines)
