"""What an evaluation has to show, from the plainest to the hardest: the sections of the page after the ranking."""

from html import escape

from lingbot_ros.evaluate.policy_report.findings import Findings
from lingbot_ros.evaluate.policy_report.plots import scatter_plot
from lingbot_ros.evaluate.policy_report.tables import cells, table
from lingbot_ros.evaluate.policy_report.verdict import figure, span
from lingbot_ros.evaluate.statistics.outcomes import Verdicts


def ladder(findings: Findings) -> list[str]:
    """Action fidelity, validity, agreement, exploitability, calibration; empty where nothing was measured."""
    return [
        _controls(findings),
        _validity(findings),
        _agreement(findings),
        _exploitability(findings),
        _calibration(findings),
    ]


def _controls(findings: Findings) -> str:
    if not findings.controls:
        return ""
    rows = []
    for control in findings.controls:
        true = control.reference
        real = "not played" if true is None else f"{true.successes} of {true.trials}"
        kind = {True: "cannot succeed", False: "may succeed", None: "not shown to fail"}[control.universal]
        values = (
            escape(control.name),
            f"{control.imagined.successes} of {control.imagined.trials}",
            f"{control.imagined.upper:.1%}",
            real,
            kind,
        )
        rows.append(cells(*values))
    said = (
        "The first policy with wrong actions. An imagined success of a control that cannot succeed is "
        "hallucinated; 0 of 59 or more show that at most 5 % are."
    )
    heads = ("control", "imagined successes", "upper bound, 95 %", "simulator", "")
    return f"<section><h2>Counterfactual action fidelity</h2><p>{said}</p>{table(heads, rows)}</section>"


def _validity(findings: Findings) -> str:
    def share(verdicts: Verdicts | None, value: float | None) -> str:
        return "none" if verdicts is None or value is None else f"{value:.1%}"

    rows = []
    for truth in findings.truths:
        scorer, known, replay = truth.scorer, truth.known, truth.replay
        rows.append(
            cells(
                f"{truth.threshold:g}",
                share(scorer, scorer.agreement if scorer else None),
                share(known, known.agreement if known else None),
                share(replay, replay.agreement if replay else None),
                share(replay, replay.come_true if replay else None),
                share(replay, replay.foreseen if replay else None),
            )
        )
    said = (
        "What limits the answer. On real images, and on imagined ones just after a real one, the scorer can be "
        "compared with the simulator's own state; surely below 97 % and 90 % it would not rank. Played again in the "
        "simulator, the actions chosen in imagination show how often a single imagined verdict comes true."
    )
    heads = (
        "threshold",
        "scorer right on real images",
        "on imagined images of known truth",
        "imagined verdict true",
        "successes that come true",
        "foreseen",
    )
    return f"<section><h2>Closed-loop validity</h2><p>{said}</p>{table(heads, rows)}</section>"


def _agreement(findings: Findings) -> str:
    main = findings.main
    if main.agreement is None:
        return ""
    rows = []
    for row in findings.rows:
        a = row.agreement
        if a is None:
            continue
        values = [
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
        rows.append(cells(*values))
    heads = ("threshold", "frames", "r", "95 %", "ceiling", "r, able", "Spearman", "MMRV", "its floor", "bias")
    said = (
        "r is the correlation of imagined rates with the simulator's; the ceiling is what a perfect model would reach "
        "with as many rollouts; able leaves out policies that never succeed, which lift r. MMRV is the mean of the "
        "worst gap that is ordered wrongly, 0 best; bias above 0 flatters."
    )
    plot = scatter_plot(main.imagined, main.reference)
    return f"<section><h2>Ranking agreement</h2>{plot}<p>{said}</p>{table(heads, rows)}</section>"


def _exploitability(findings: Findings) -> str:
    if not findings.gains:
        return ""
    rows = [
        cells(
            escape(gain.policy),
            f"{gain.imagined:.2f}",
            f"{gain.replayed:.2f}",
            f"<b>{gain.gain:+.2f}</b>",
            f"{gain.interval.low:+.2f} to {gain.interval.high:+.2f}",
            "yes" if gain.exploits else "no",
        )
        for gain in findings.gains
    ]
    said = (
        "What a policy has in imagination alone: its imagined rate less the rate at which the very same actions "
        "succeed in the simulator, greatest first. It exploits the model where the gain is surely above 0.05, all "
        "policies taken together."
    )
    heads = ("policy", "imagined", "same actions in truth", "gain", "95 %, all policies", "exploits the model")
    return f"<section><h2>Exploitability</h2><p>{said}</p>{table(heads, rows)}</section>"


def _calibration(findings: Findings) -> str:
    found = findings.foresight
    if found is None:
        return ""
    rows = [cells(f"{part.probability:.2f}", f"{part.rate:.2f}", str(part.count)) for part in found.bins]
    said = (
        "How sure a single imagined verdict is. The imagined score as a probability that the same actions succeed in "
        f"truth, calibrated on other starts, over {found.count} rollouts: Brier score {figure(found.brier)} (0 best, "
        f"skill {figure(found.brier_skill)}), calibration error {figure(found.calibration_error)}, AUROC "
        f"{figure(found.auroc)}."
    )
    heads = ("said", "came true", "rollouts")
    return f"<section><h2>Uncertainty calibration</h2><p>{said}</p>{table(heads, rows)}</section>"
