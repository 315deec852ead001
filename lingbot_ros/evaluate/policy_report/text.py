"""The report for a terminal."""

from lingbot_ros.evaluate.policy_report.findings import Findings
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
        lines += [
            "",
            f"{'threshold':>9} {'frames':>6} {'r':>5} {'95 %':>14} {'ceiling':>7} {'able':>5} {'MMRV':>5} {'bias':>6}",
        ]
        for row in findings.rows:
            if row.agreement is not None:
                a, able = row.agreement, row.able
                ceiling = figure(a.ceiling.pearson_mean if a.ceiling else None)
                lines.append(
                    f"{row.threshold:>9g} {row.horizon:>6} {figure(a.pearson.value):>5} {span(a.pearson.published):>14} "
                    f"{ceiling:>7} {figure(able.pearson.value if able else None):>5} {figure(a.mmrv):>5} {a.bias:>+6.2f}"
                )
    lines += [
        f"wrong actions, {control.name}: {control.imagined.successes} of {control.imagined.trials} imagined succeed, "
        f"at most {control.imagined.upper:.1%}"
        + ("" if control.reference is None else f"; {control.reference.successes} in the simulator")
        for control in findings.controls
    ]
    return "\n".join([*lines, *(f"warning {code}: {MEANINGS.get(code, '')}" for code in findings.warnings)])
