"""One self-contained page: styles, plots and images are in it, nothing is fetched, no script runs."""

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

from lingbot_ros.evaluate.policy_report.findings import Findings
from lingbot_ros.evaluate.policy_report.plots import rates_plot, scatter_plot
from lingbot_ros.evaluate.policy_report.style import STYLE
from lingbot_ros.evaluate.policy_report.verdict import MEANINGS, figure, percent, ranked, span, verdict
from lingbot_ros.evaluate.results.evaluation import PolicyResult
from lingbot_ros.evaluate.statistics.outcomes import Verdicts


def page(findings: Findings, strips: Sequence[tuple[str, Path]], facts: Sequence[tuple[str, str]]) -> str:
    """The page. strips: a caption and a PNG of each rollout that is shown; facts: what it takes to repeat it."""
    best, belief, beware = verdict(findings)
    state = "refused" if findings.refused is not None else "believed" if findings.believed else "doubtful"
    parts = [
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"/>',
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>',
        f"<title>Policy evaluation</title><style>{STYLE}</style></head><body><main>",
        f'<header class="{state}"><h1>Which policy is better?</h1><p class="lead">{escape(best)}</p>',
        f"<p>{escape(belief)}</p><p>{escape(beware)}</p></header>",
        _warnings(findings),
        _ranking(findings),
        _agreement(findings),
        _rates(findings),
        _controls(findings),
        _scorer(findings),
        _strips(strips),
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


def _agreement(findings: Findings) -> str:
    main = findings.main
    if main.agreement is None:
        return ""
    rows = []
    for row in findings.rows:
        a = row.agreement
        if a is None:
            continue
        cells = [
            f"{row.threshold:g}",
            str(row.horizon),
            f"<b>{figure(a.pearson.value)}</b>",
            span(a.pearson.published),
            figure(a.ceiling.pearson_mean if a.ceiling else None),
            figure(row.able.pearson.value if row.able else None),
            figure(a.spearman.value),
            figure(a.mmrv),
            figure(a.ceiling.mmrv_mean if a.ceiling else None),
            "none" if a.bias is None else f"{a.bias:+.2f}",
        ]
        rows.append("".join(f"<td>{cell}</td>" for cell in cells))
    heads = ("threshold", "frames", "r", "95 %", "ceiling", "r, able", "Spearman", "MMRV", "its floor", "bias")
    said = (
        "r is the correlation of imagined rates with the simulator's; the ceiling is what a perfect model would reach "
        "with as many rollouts; able leaves out policies that never succeed, which lift r. MMRV is the mean of the "
        "worst gap that is ordered wrongly, 0 best; bias above 0 flatters."
    )
    plot = scatter_plot(main.imagined, main.reference)
    return f"<section><h2>Agreement with the simulator</h2>{plot}<p>{said}</p>{_table(heads, rows)}</section>"


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
    return f"<section><h2>Rates</h2><p>{said} {end}</p>{_table(heads, rows)}</section>"


def _threshold(row: object) -> float:
    return float(row.threshold)  # type: ignore[attr-defined]


def _rate(mine: PolicyResult, theirs: PolicyResult | None) -> str:
    if mine.rate is None:
        return "none"
    other = "" if theirs is None or theirs.rate is None else f" / {theirs.rate:.2f}"
    return f"<b>{mine.rate:.2f}</b>{other}<small>{percent(mine.wilson)}</small>"


def _controls(findings: Findings) -> str:
    if not findings.controls:
        return ""
    rows = []
    for control in findings.controls:
        true = control.reference
        real = "not played" if true is None else f"{true.successes} of {true.trials}"
        kind = {True: "cannot succeed", False: "may succeed", None: "not shown to fail"}[control.universal]
        cells = (
            escape(control.name),
            f"{control.imagined.successes} of {control.imagined.trials}",
            f"{control.imagined.upper:.1%}",
            real,
            kind,
        )
        rows.append("".join(f"<td>{cell}</td>" for cell in cells))
    said = (
        "The first policy with its actions spoilt. An imagined success of a control that cannot succeed is "
        "hallucinated; 0 of 59 or more show that at most 5 % are."
    )
    heads = ("control", "imagined successes", "upper bound, 95 %", "simulator", "")
    return f"<section><h2>Wrong actions</h2><p>{said}</p>{_table(heads, rows)}</section>"


def _scorer(findings: Findings) -> str:
    def share(verdicts: Verdicts | None, value: float | None) -> str:
        return "none" if verdicts is None or value is None else f"{value:.1%}"

    rows = []
    for truth in findings.truths:
        scorer, replay = truth.scorer, truth.replay
        cells = (
            f"{truth.threshold:g}",
            share(scorer, scorer.agreement if scorer else None),
            share(replay, replay.agreement if replay else None),
            share(replay, replay.come_true if replay else None),
            share(replay, replay.foreseen if replay else None),
        )
        rows.append("".join(f"<td>{cell}</td>" for cell in cells))
    said = (
        "What limits the answer. On real images the scorer can be compared with the simulator's own state; surely "
        "below 97 % it would not rank. Played again in the simulator, the actions chosen in imagination show how often "
        "an imagined verdict comes true, rollout by rollout."
    )
    heads = (
        "threshold",
        "scorer right on real images",
        "imagined verdict true",
        "successes that come true",
        "foreseen",
    )
    return f"<section><h2>Scorer and model</h2><p>{said}</p>{_table(heads, rows)}</section>"


def _strips(strips: Sequence[tuple[str, Path]]) -> str:
    shown = []
    for caption, path in strips:
        if path.is_file():
            data = base64.b64encode(path.read_bytes()).decode()
            shown.append(
                f'<figure><img alt="{escape(caption)}" src="data:image/png;base64,{data}"/>'
                f"<figcaption>{escape(caption)}</figcaption></figure>"
            )
    said = "Imagined images, first to last."
    return f"<section><h2>Rollouts</h2><p>{said}</p>{''.join(shown)}</section>" if shown else ""


def _table(heads: Sequence[str], rows: Sequence[str]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
