"""One self-contained page: styles, plots and images are in it, nothing is fetched, no script runs."""

import base64
from collections.abc import Mapping, Sequence
from html import escape

from lingbot_ros.evaluate.policy_report.chosen import ShownRollout
from lingbot_ros.evaluate.policy_report.findings import Findings
from lingbot_ros.evaluate.policy_report.ladder import ladder
from lingbot_ros.evaluate.policy_report.plots import rates_plot
from lingbot_ros.evaluate.policy_report.style import STYLE
from lingbot_ros.evaluate.policy_report.tables import cells, table
from lingbot_ros.evaluate.policy_report.verdict import MEANINGS, percent, ranked, verdict
from lingbot_ros.evaluate.results.evaluation import PolicyResult


def page(
    findings: Findings,
    shown: Sequence[ShownRollout],
    facts: Sequence[tuple[str, str]],
    judged: Mapping[str, Mapping[str, object]] | None = None,
) -> str:
    """The page. shown: rollouts with their images; facts: what it takes to repeat it."""
    best, belief, checks = verdict(findings)
    state = "refused" if findings.refused is not None else "believed" if findings.believed else "doubtful"
    parts = [
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"/>',
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>',
        f"<title>Policy evaluation</title><style>{STYLE}</style></head><body><main>",
        f'<header class="{state}"><h1>Which policy is better?</h1><p class="lead">{escape(best)}</p>',
        f"<p>{escape(belief)}</p><p>{escape(checks)}</p></header>",
        _warnings(findings),
        _ranking(findings),
        _rates(findings),
        *ladder(findings),
        _judges(judged or {}),
        _rollouts(shown),
        "<section><h2>To repeat it</h2><dl>",
        *(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts),
        "</dl></section></main></body></html>",
    ]
    return "\n".join(part for part in parts if part)


def _warnings(findings: Findings) -> str:
    if not findings.warnings:
        return ""
    rows = (f"<li><b>{code}</b> {escape(MEANINGS.get(code, ''))}</li>" for code in findings.warnings)
    return f'<section class="warnings"><h2>Warnings</h2><ul>{"".join(rows)}</ul></section>'


def _ranking(findings: Findings) -> str:
    main = findings.main
    said = f"Success is a score of {main.threshold:g} or more in one of {main.horizon} frames. Bars are 95 % intervals."
    legend = '<span class="key imagined">imagined</span>'
    if main.reference:
        legend += ' <span class="key real">simulator</span>'
    plot = rates_plot(ranked(main.imagined), main.reference)
    return f"<section><h2>Ranking</h2><p>{said} {legend}</p>{plot}</section>"


def _rates(findings: Findings) -> str:
    horizon = findings.main.horizon
    shown = sorted({row.threshold: row for row in findings.rows if row.horizon == horizon}.values(), key=_threshold)
    heads = ["policy", *(f"at {row.threshold:g}" for row in shown), "group", "no verdict"]
    cells = {row.threshold: {policy.policy: policy for policy in row.imagined} for row in shown}
    real = {row.threshold: {policy.policy: policy for policy in row.reference} for row in shown}
    rows = []
    for policy in ranked(findings.main.imagined):
        name = policy.policy
        rates = [_rate(cells[row.threshold][name], real[row.threshold].get(name)) for row in shown]
        invalid = ", ".join(f"{count} {reason}" for reason, count in policy.invalid.items()) or "0"
        group = "none" if policy.tie_group is None else str(policy.tie_group)
        rows.append("".join(f"<td>{cell}</td>" for cell in (escape(name), *rates, group, escape(invalid))))
    said = f"Imagined rates within {horizon} frames with 95 % intervals; after the stroke, the simulator's."
    end = "Policies of one group cannot be told apart (McNemar, Holm)."
    return f"<section><h2>Rates</h2><p>{said} {end}</p>{table(heads, rows)}</section>"


def _threshold(row: object) -> float:
    return float(row.threshold)  # type: ignore[attr-defined]


def _rate(mine: PolicyResult, theirs: PolicyResult | None) -> str:
    if mine.rate is None:
        return "none"
    other = "" if theirs is None or theirs.rate is None else f" / {theirs.rate:.2f}"
    return f"<b>{mine.rate:.2f}</b>{other}<small>{percent(mine.wilson)}</small>"


def _judges(judged: Mapping[str, Mapping[str, object]]) -> str:
    if not judged:
        return ""
    rows = [
        cells(escape(judge), escape(name.replace("_", " ")), escape(_shown(value)))
        for judge, figures in judged.items()
        for name, value in figures.items()
    ]
    said = (
        "Judges with weights of their own, on some of the rollouts. None of them decides the ranking; what is advisory "
        "was not right often enough on real films."
    )
    return f"<section><h2>Judges</h2><p>{said}</p>{table(('judge', '', ''), rows)}</section>"


def _shown(value: object) -> str:
    return "none" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def _rollouts(shown: Sequence[ShownRollout]) -> str:
    parts = []
    for rollout in shown:
        images = [
            f'<img alt="{escape(rollout.caption)}" src="data:image/{kind};base64,{base64.b64encode(data).decode()}"/>'
            for kind, data in (("webp", rollout.film), ("png", rollout.strip))
            if data is not None
        ]
        if images:
            parts.append(f"<figure>{''.join(images)}<figcaption>{escape(rollout.caption)}</figcaption></figure>")
    said = "Films: imagined left, the same actions in the simulator right. Strips: imagined, first image to last."
    return f"<section><h2>Rollouts</h2><p>{said}</p>{''.join(parts)}</section>" if parts else ""
