"""The report for a terminal."""

from lingbot_ros.evaluate.policy_report.findings import Findings, Row
from lingbot_ros.evaluate.policy_report.verdict import MEANINGS, figure, percent, ranked, span, verdict


def text(findings: Findings) -> str:
    """Verdict, rates, agreement, controls, warnings."""
    main = findings.main
    lines = ["", *verdict(findings), "", f"success: score {main.threshold:g} or more within {main.horizon} frames"]
    real = {policy.policy: policy for policy in main.reference}
    heads = f"{'policy':<18} {'imagined':>9} {'95 %':>13}" + (f" {'simulator':>10}" if real else "") + "  group"
    lines.append(heads)
    for policy in ranked(main.imagined):
        rate = "-" if policy.rate is None else f"{policy.rate:.2f}"
        true = f" {figure(real[policy.policy].rate):>10}" if policy.policy in real else ""
        invalid = f"  {sum(policy.invalid.values())} without a verdict" if policy.invalid else ""
        group = "-" if policy.tie_group is None else policy.tie_group
        lines.append(f"{policy.policy:<18} {rate:>9} {percent(policy.wilson):>13}{true}  {group:>5}{invalid}")
    if main.agreement is not None:
        lines += ["", "threshold frames     r           95 % ceiling  able  MMRV   bias"]
        lines += [_agreement(row) for row in findings.rows if row.agreement is not None]
    lines += [
        f"wrong actions, {control.name}: {control.imagined.successes} of {control.imagined.trials} imagined succeed, "
        f"at most {control.imagined.upper:.1%}"
        + ("" if control.reference is None else f"; {control.reference.successes} in the simulator")
        for control in findings.controls
    ]
    return "\n".join([*lines, *(f"warning {code}: {MEANINGS.get(code, '')}" for code in findings.warnings)])


def _agreement(row: Row) -> str:
    a = row.agreement
    assert a is not None
    ceiling = figure(a.ceiling.pearson_mean if a.ceiling else None)
    able = figure(row.able.pearson.value if row.able else None)
    return (
        f"{row.threshold:>9g} {row.horizon:>6} {figure(a.pearson.value):>5} {span(a.pearson.published):>14} "
        f"{ceiling:>7} {able:>5} {figure(a.mmrv):>5} {'none' if a.bias is None else f'{a.bias:+.2f}':>6}"
    )
