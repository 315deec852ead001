"""The answer in three sentences: which policy is best, how well both arms agree, and what the checks found."""

from collections.abc import Sequence

from lingbot_ros.evaluate.policy_report.findings import Findings
from lingbot_ros.evaluate.results.evaluation import PolicyResult
from lingbot_ros.evaluate.statistics.interval import Interval

MEANINGS = {
    "SEEN_IN_TRAINING": "some starts are of episodes that the model was trained on",
    "SEEN_IN_TRAINING_UNKNOWN": "whether the model was trained on these starts is not known",
    "BEYOND_MAX_HORIZON": "rollouts are longer than the model's card says its images can be believed",
    "SCORER_DOUBTFUL": "on real images the scorer's verdict is right in less than 97 % of rollouts, or unknown",
    "NO_REFERENCE": "the policies were not played in the simulator, so agreement is unchecked here",
    "CONTROLS_UNVALIDATED": "that wrong actions never succeed was assumed, not shown in the simulator",
    "NO_CONTROLS": "wrong actions were not tried",
    "STOPPED_EARLY": "it was stopped before all rollouts were played",
    "INVALID_ROLLOUTS": "some rollouts have no verdict; the table says why",
    "MODEL_EXPLOITATION": "a policy succeeds by more than 5 % in imagination alone",
    "CONSTANT_SERIES": "one arm has the same rate for all policies",
    "TOO_FEW_SAMPLES": "fewer than 4 policies have no correlation",
    "ANECDOTAL": "a correlation over 4 or 5 policies is an anecdote",
    "WEAK_EVIDENCE": "a correlation over 6 or 7 policies is weak evidence",
    "TOO_FEW_TRIALS": "fewer than 20 rollouts of a policy: do not rank",
    "WEAK_TRIALS": "fewer than 50 rollouts of a policy: rates are coarse",
    "RANGE_RESTRICTED": "the policies are so alike that noise decides the correlation",
    "INFLUENTIAL_POLICY": "leaving out one policy changes the correlation by more than 0.1",
    "BOOTSTRAP_UNDEFINED": "in more than 5 % of bootstrap draws there is no correlation",
    "UNPAIRED": "the arms do not share their starts",
}


def verdict(findings: Findings) -> list[str]:
    """Three sentences in plain text."""
    if findings.refused is not None:
        return [f"No ranking is given: {findings.refused}.", _belief(findings), _checks(findings)]
    return [_best(findings), _belief(findings), _checks(findings)]


def percent(interval: Interval | None) -> str:
    """E.g. 61 to 88 %."""
    return "unknown" if interval is None else f"{100 * interval.low:.0f} to {100 * interval.high:.0f} %"


def figure(value: float | None) -> str:
    """Two decimals, or that there is none."""
    return "none" if value is None else f"{value:.2f}"


def span(interval: Interval | None) -> str:
    """E.g. 0.92 to 0.99."""
    return "no interval" if interval is None else f"{interval.low:.2f} to {interval.high:.2f}"


def ranked(policies: Sequence[PolicyResult]) -> list[PolicyResult]:
    """Best first; those without a rate last."""
    return sorted(policies, key=lambda policy: -1.0 if policy.rate is None else policy.rate, reverse=True)


def _best(findings: Findings) -> str:
    first, *others = ranked(findings.main.imagined)
    tied = [other.policy for other in others if other.tie_group == first.tie_group]
    said = (
        f"Imagined, {first.policy} succeeds most often: {first.successes} of {first.decided} rollouts "
        f"({percent(first.wilson)})"
    )
    if not tied:
        return f"{said}. No other policy ties with it."
    return f"{said}. The difference from {_names(tied)} is not significant."


def _belief(findings: Findings) -> str:
    agreement = findings.main.agreement
    if agreement is None:
        return "Agreement with the simulator was not measured: add --reference to play the same rollouts there."
    if agreement.pearson.value is None:
        return "Imagined and simulated rates have no correlation, because one of them is the same for every policy."
    ceiling = agreement.ceiling.pearson_mean if agreement.ceiling else None
    able = findings.main.able
    among = figure(able.pearson.value) if able is not None else "none"
    return (
        f"Imagined and simulated success rates correlate with r {agreement.pearson.value:.2f} "
        f"({span(agreement.pearson.published)}; a perfect model would reach {figure(ceiling)} with as many rollouts; "
        f"{among} among policies that ever succeed) and differ by {agreement.bias:+.2f} on average."
    )


def _checks(findings: Findings) -> str:
    said = []
    false = findings.hallucinated
    if false is not None:
        said.append(
            f"wrong actions succeed in {false.successes} of {false.trials} imagined rollouts "
            f"(at most {false.upper:.0%} with 95 % confidence)"
        )
    scorer = findings.truth.scorer
    if scorer is not None and scorer.agreement is not None:
        said.append(f"the scorer agrees with the simulator in {scorer.agreement:.1%} of simulated rollouts")
    said += [MEANINGS[code] for code in ("SEEN_IN_TRAINING", "BEYOND_MAX_HORIZON") if code in findings.warnings]
    return f"Checks: {'; '.join(said)}." if said else "Checks: none was made."


def _names(names: Sequence[str]) -> str:
    if len(names) <= 1:
        return "".join(names)
    if len(names) > 4:
        return f"{', '.join(names[:3])} and {len(names) - 3} more"
    return f"{', '.join(names[:-1])} and {names[-1]}"
