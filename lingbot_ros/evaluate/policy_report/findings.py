"""What the rollouts of one or two arms say, and whether it may be believed."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from lingbot_ros.evaluate.policies.contract import Start
from lingbot_ros.evaluate.policy_report.exploitation import Gain, gains
from lingbot_ros.evaluate.policy_report.foresight import Foresight, foresight
from lingbot_ros.evaluate.policy_report.imagined_check import KnownFrame, score_known_frames
from lingbot_ros.evaluate.policy_report.play import Played
from lingbot_ros.evaluate.policy_report.scorer_check import real_scores
from lingbot_ros.evaluate.policy_task import PolicyTask
from lingbot_ros.evaluate.results.evaluation import PolicyResult, arms_of, outcomes, policy_results
from lingbot_ros.evaluate.rollouts.record import Rollout
from lingbot_ros.evaluate.rollouts.stepper import Stepper
from lingbot_ros.evaluate.statistics.agreement import Agreement, agree, agree_among_successful
from lingbot_ros.evaluate.statistics.outcomes import Verdicts, compare_verdicts
from lingbot_ros.evaluate.statistics.rates import clopper_pearson
from lingbot_ros.evaluate.statistics.wrong_action_success import FalseSuccess, is_universal

SCORER_AGREEMENT = 0.97
"""A scorer that surely agrees less often with the truth on real images does not rank."""

SCORER_AGREEMENT_IMAGINED = 0.9
"""Likewise on imagined images: these are frames, not rollouts, and half of them are solved, so that more are close."""

FEWEST_ROLLOUTS = 20
"""Of a policy with a verdict; with fewer, rates are shown and nothing is ranked."""

SURE_AGREEMENT = 0.8

_SAMPLES_BESIDE = 2000


@dataclass(frozen=True)
class Row:
    """One threshold and horizon. reference, agreement, able: with a reference arm; able leaves out policies that never
    succeed there.
    """

    threshold: float
    horizon: int
    imagined: Sequence[PolicyResult]
    reference: Sequence[PolicyResult] = ()
    agreement: Agreement | None = None
    able: Agreement | None = None


@dataclass(frozen=True)
class Controlled:
    """A policy whose actions were changed so that it cannot succeed; reference: how often it does in truth."""

    name: str
    imagined: FalseSuccess
    reference: FalseSuccess | None

    @property
    def universal(self) -> bool | None:
        """Whether it never succeeds in the reference; None where that does not show, for want of rollouts."""
        if self.reference is None:
            return None
        if self.reference.successes:
            return False
        return is_universal(self.reference.successes, self.reference.trials) or None


@dataclass(frozen=True)
class Truth:
    """Verdicts beside the truth at one threshold.

    scorer: on real images, the scorer against the simulator. known: likewise on imagined images a few frames after a
    real one, whose truth is known. replay: of imagined rollouts, what was imagined against
    what the same actions do in truth. None where there was nothing to compare.
    """

    threshold: float
    scorer: Verdicts | None
    replay: Verdicts | None
    known: Verdicts | None = None


@dataclass(frozen=True)
class Findings:
    """rows: the main one first. controls: at the main threshold and horizon. true_scores: by policy and start, the best
    that the imagined actions reach in truth. gains: what policies have in imagination alone. foresight: how sure an
    imagined verdict is.
    """

    rows: Sequence[Row]
    controls: Sequence[Controlled]
    truths: Sequence[Truth]
    warnings: Sequence[str]
    true_scores: dict[tuple[str, str], float] = field(default_factory=dict)
    gains: Sequence[Gain] = ()
    foresight: Foresight | None = None

    @property
    def main(self) -> Row:
        return self.rows[0]

    @property
    def truth(self) -> Truth:
        """At the main threshold."""
        return next(truth for truth in self.truths if truth.threshold == self.main.threshold)

    @property
    def hallucinated(self) -> FalseSuccess | None:
        """Imagined successes of all controls that cannot succeed, or are not known to."""
        counted = [control.imagined for control in self.controls if control.universal is not False]
        if not counted:
            return None
        return FalseSuccess(sum(part.successes for part in counted), sum(part.trials for part in counted))

    @property
    def refused(self) -> str | None:
        """Why no ranking is given; None where one is."""
        scorer = self.truth.scorer
        if (
            scorer is not None
            and scorer.agreement is not None
            and clopper_pearson(scorer.both + scorer.neither, scorer.count).high < SCORER_AGREEMENT
        ):
            return (
                f"on real images the scorer agrees with the truth in {scorer.agreement:.1%} of rollouts only, "
                f"below {SCORER_AGREEMENT:.0%}"
            )
        known = self.truth.known
        if (
            known is not None
            and known.agreement is not None
            and clopper_pearson(known.both + known.neither, known.count).high < SCORER_AGREEMENT_IMAGINED
        ):
            return (
                f"on imagined images whose truth is known the scorer is right in {known.agreement:.1%} only, "
                f"below {SCORER_AGREEMENT_IMAGINED:.0%}"
            )
        decided = max(policy.decided for policy in self.main.imagined)
        if decided < FEWEST_ROLLOUTS:
            return f"it takes {FEWEST_ROLLOUTS} rollouts of a policy or more, and there are {decided} with a verdict"
        if not any(policy.successes for policy in self.main.imagined):
            return "no policy succeeds in what is imagined"
        return None

    @property
    def believed(self) -> bool:
        """Whether it was compared with the simulator's ranking and agrees: r surely above 0.8, over enough policies."""
        agreement = self.main.agreement
        if self.refused is not None or agreement is None or "SCORER_DOUBTFUL" in self.warnings:
            return False
        published = agreement.pearson.published
        return published is not None and published.low >= SURE_AGREEMENT and "ANECDOTAL" not in self.warnings


def find(
    *,
    imagined: Played,
    reference: Played | None,
    task: PolicyTask,
    starts: Sequence[Start],
    threshold: float,
    horizon: int,
    max_horizon: int | None,
    seed: int,
    stepper: Stepper | None = None,
) -> Findings:
    """Every figure of the report, equal for equal rollouts. stepper: the imagining world; without it the scorer is not
    tried on imagined images.
    """
    thresholds = sorted({*task.thresholds, threshold})
    horizons = [horizon, *(at for at in task.horizons if at < horizon)]
    pairs = [(threshold, at) for at in horizons] + [(one, at) for one in thresholds for at in horizons]
    rows = [
        _row(imagined, reference, one, at, seed, is_main=index == 0)
        for index, (one, at) in enumerate(dict.fromkeys(pairs))
    ]
    by_id = {start.id: start for start in starts}
    replayed = _true_scores(imagined.policies, by_id, task)
    mine = [*imagined.policies, *imagined.controls]
    real = real_scores(mine, by_id, task) if reference is None else [*reference.policies, *reference.controls]
    played = _true_scores(real, by_id, task)
    known = _known_frames(imagined, reference, by_id, replayed, played, task, stepper, seed)
    truths = [
        Truth(one, _compare(real, played, one), _compare(imagined.policies, replayed, one), _compare_frames(known, one))
        for one in thresholds
    ]
    best = {key: max(scores, default=float("nan")) for key, scores in replayed.items()}
    found = gains(imagined.policies, best, threshold, seed)
    return Findings(
        rows,
        _controls(imagined, reference, threshold),
        truths,
        _warnings(
            rows[0],
            imagined,
            reference,
            horizon,
            max_horizon,
            next(truth.scorer for truth in truths if truth.threshold == threshold),
            found,
        ),
        best,
        found,
        foresight(imagined.policies, best, threshold),
    )


def _row(imagined: Played, reference: Played | None, threshold: float, horizon: int, seed: int, is_main: bool) -> Row:
    mine = policy_results(imagined.policies, threshold, horizon, seed)
    if reference is None:
        return Row(threshold, horizon, mine)
    arms = arms_of(imagined=imagined.policies, reference=reference.policies, threshold=threshold, horizon=horizon)
    whole = arms.complete()
    rated = np.isfinite(whole.imagined).any(axis=1)
    arms = arms.only(np.asarray(rated))
    theirs = policy_results(reference.policies, threshold, horizon, seed)
    if not rated.any():
        return Row(threshold, horizon, mine, theirs)
    samples = {} if is_main else {"samples": _SAMPLES_BESIDE}
    return Row(
        threshold,
        horizon,
        mine,
        theirs,
        agree(arms, seed=seed, **samples),
        agree_among_successful(arms, seed=seed, **samples),
    )


def _true_scores(
    rollouts: Sequence[Rollout], starts: dict[str, Start], task: PolicyTask
) -> dict[tuple[str, str], list[float]]:
    return {rollout.key: task.true_scores(starts[rollout.start], rollout.actions) for rollout in rollouts}


def _known_frames(
    imagined: Played,
    reference: Played | None,
    starts: dict[str, Start],
    replayed: dict[tuple[str, str], list[float]],
    played: dict[tuple[str, str], list[float]],
    task: PolicyTask,
    stepper: Stepper | None,
    seed: int,
) -> list[KnownFrame]:
    """From actions of the reference where there are some: these meet truly solved frames most often."""
    if stepper is None:
        return []
    rollouts, truth = (imagined, replayed) if reference is None else (reference, played)
    return score_known_frames(rollouts.policies, starts, truth, task, stepper, seed)


def _compare_frames(frames: Sequence[KnownFrame], threshold: float) -> Verdicts | None:
    if not frames:
        return None
    said, true = [frame.said >= threshold for frame in frames], [frame.true >= threshold for frame in frames]
    return compare_verdicts(imagined=said, reference=true)


def _compare(
    rollouts: Sequence[Rollout], truth: dict[tuple[str, str], list[float]], threshold: float
) -> Verdicts | None:
    said, true = [], []
    for rollout in rollouts:
        verdict = rollout.success(threshold)
        if verdict is not None:
            said.append(verdict)
            true.append(max(truth[rollout.key]) >= threshold)
    return compare_verdicts(imagined=said, reference=true) if said else None


def _controls(imagined: Played, reference: Played | None, threshold: float) -> list[Controlled]:
    found = []
    for name in dict.fromkeys(rollout.policy for rollout in imagined.controls):
        mine = _false_success(imagined, name, threshold)
        if mine is not None:
            true = None if reference is None else _false_success(reference, name, threshold)
            found.append(Controlled(name, mine, true))
    return found


def _false_success(arm: Played, name: str, threshold: float) -> FalseSuccess | None:
    table = outcomes([rollout for rollout in arm.controls if rollout.policy == name], threshold)
    trials = int(np.isfinite(table).sum())
    return FalseSuccess(int(np.nansum(table)), trials) if trials else None


def _warnings(
    main: Row,
    imagined: Played,
    reference: Played | None,
    horizon: int,
    max_horizon: int | None,
    scorer: Verdicts | None,
    found: Sequence[Gain],
) -> list[str]:
    right = None if scorer is None else scorer.agreement
    seen = any(rollout.seen_in_training for rollout in imagined.policies)
    unknown = any(rollout.seen_in_training is None for rollout in imagined.policies)
    said = {
        "SEEN_IN_TRAINING": seen,
        "SEEN_IN_TRAINING_UNKNOWN": unknown and not seen,
        "BEYOND_MAX_HORIZON": max_horizon is not None and horizon > max_horizon,
        "SCORER_DOUBTFUL": right is None or right < SCORER_AGREEMENT,
        "NO_REFERENCE": reference is None,
        "CONTROLS_UNVALIDATED": reference is None and bool(imagined.controls),
        "NO_CONTROLS": not imagined.controls,
        "STOPPED_EARLY": bool(imagined.stopped),
        "MODEL_EXPLOITATION": any(gain.exploits for gain in found),
        "INVALID_ROLLOUTS": any(policy.invalid for policy in main.imagined),
    }
    own = () if main.agreement is None else main.agreement.warnings
    return [code for code, holds in said.items() if holds] + list(own)
