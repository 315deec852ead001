"""Results of the evaluator -> messages. Above the bridge, because it knows `evaluate`."""

from collections.abc import Sequence
from math import isfinite, nan

from builtin_interfaces.msg import Time
from std_msgs.msg import Header

from lingbot_msgs.msg import MetricValue, PolicyScore, RolloutScore, TrustState
from lingbot_ros.bridge.stamps import to_time
from lingbot_ros.evaluate.policy_task import PolicyTask
from lingbot_ros.evaluate.reality.deviation import COMPONENTS
from lingbot_ros.evaluate.reality.monitor import Reading
from lingbot_ros.evaluate.rollouts.record import Ending, Rollout
from lingbot_ros.evaluate.statistics.agreement import Agreement
from lingbot_ros.evaluate.statistics.interval import Interval
from lingbot_ros.evaluate.statistics.rates import wilson
from lingbot_ros.evaluate.statistics.sequences import confidence_sequence
from lingbot_ros.evaluate.statistics.wrong_action_success import FalseSuccess
from lingbot_ros.nodes.evaluator.worlds import Model

CONFIDENCE = 0.95


def metric(
    name: str,
    value: float | None,
    interval: Interval | None = None,
    *,
    unit: str = "",
    n: int = 0,
    why_not: str = "it is not defined for these rollouts",
) -> MetricValue:
    """One figure; without a finite value it is UNDEFINED, and `why_not` says why."""
    defined = value is not None and isfinite(value)
    return MetricValue(
        name=name,
        unit=unit,
        value=value if defined else nan,
        ci_low=interval.low if interval else nan,
        ci_high=interval.high if interval else nan,
        confidence=CONFIDENCE if interval else nan,
        n=n,
        status=MetricValue.STATUS_OK if defined else MetricValue.STATUS_UNDEFINED,
        note="" if defined else why_not,
    )


def policy_scores(
    rollouts: Sequence[Rollout], task: PolicyTask, threshold: float, *, final: bool, arm: int
) -> list[PolicyScore]:
    """One per policy, best first. Invalid rollouts count as failures. final: Wilson's interval; else one that holds at
    all numbers of rollouts together, so that it may be watched while they come in.
    """
    found = []
    for name in dict.fromkeys(rollout.policy for rollout in rollouts):
        mine = [rollout for rollout in rollouts if rollout.policy == name]
        n, k = len(mine), sum(rollout.success(threshold) is True for rollout in mine)
        interval = wilson(k, n) if final else confidence_sequence(k, n, 1 - CONFIDENCE)
        found.append(
            PolicyScore(
                policy=name,
                task=task.name,
                arm=arm,
                scorer=task.scorer.name,
                threshold=threshold,
                n=n,
                successes=k,
                invalid=sum(rollout.ending is Ending.INVALID for rollout in mine),
                rate=k / n,
                ci_low=interval.low,
                ci_high=interval.high,
                confidence=CONFIDENCE,
            )
        )
    for score in found:
        score.rank = 1 + sum(other.rate > score.rate for other in found)
    return sorted(found, key=lambda score: int(score.rank))


def thresholds_of(task: PolicyTask, main: float) -> list[float]:
    """All that are reported, the main one first."""
    return [main, *(other for other in task.thresholds if other != main)]


def rollout_score(
    rollout: Rollout, task: PolicyTask, model: Model, now: Time, *, arm: int, control: str = "", start_index: int = 0
) -> RolloutScore:
    """A finished rollout; frame 0 is the given image, which is not scored."""
    message = scored(rollout.scores, task, now)
    message.rollout_id = f"{rollout.policy}/{rollout.start}"
    message.arm, message.control, message.policy = arm, control, rollout.policy
    message.model = model.name if arm != RolloutScore.ARM_REFERENCE else ""
    message.start_index, message.seed = start_index, rollout.seed
    message.start_seen_in_training = bool(rollout.seen_in_training)
    if rollout.ending is Ending.INVALID:
        message.outcome = RolloutScore.OUTCOME_INVALID
        message.reason = f"{rollout.failure}: {rollout.reason}"
    message.trusted_frames = min(message.frames, model.max_horizon or 0)
    message.metrics = [metric("clipped_actions", float(rollout.clipped), n=len(rollout.actions))]
    return message


def scored(scores: Sequence[float], task: PolicyTask, now: Time) -> RolloutScore:
    """The part of a score that follows from the scores of frames 1..T."""
    thresholds = thresholds_of(task, task.threshold)
    first = [next((frame for frame, score in enumerate(scores, 1) if score >= one), -1) for one in thresholds]
    reached = RolloutScore.OUTCOME_SUCCESS if first[0] >= 0 else RolloutScore.OUTCOME_FAILURE
    return RolloutScore(
        header=Header(stamp=now),
        task=task.name,
        scorer=task.scorer.name,
        thresholds=thresholds,
        success=[frame >= 0 for frame in first],
        success_frame=first,
        score=[nan, *scores],
        frames=len(scores),
        outcome=reached if any(isfinite(score) for score in scores) else RolloutScore.OUTCOME_UNKNOWN,
    )


def agreement_metrics(agreement: Agreement | None) -> list[MetricValue]:
    """pearson, spearman, mmrv and bias; empty without a reference."""
    if agreement is None:
        return []
    n, why = agreement.policies, "it takes 4 policies whose rates differ"
    return [
        metric("pearson", agreement.pearson.value, agreement.pearson.published, n=n, why_not=why),
        metric("spearman", agreement.spearman.value, agreement.spearman.published, n=n, why_not=why),
        metric("mmrv", agreement.mmrv, agreement.mmrv_interval, n=n),
        metric("bias", agreement.bias, n=n),
    ]


def control_metric(name: str, found: FalseSuccess) -> MetricValue:
    """Hallucinated success of one kind of wrong actions; the upper end is a one-sided bound of 95 %."""
    return metric(name, found.rate, Interval(0.0, found.upper), n=found.trials)


def trust_state(reading: Reading, thresholds: tuple[float, float], frame_id: str) -> TrustState:
    """What the live monitor says of one image."""
    warn, stop = (limit if isfinite(limit) else nan for limit in thresholds)
    parts = zip(COMPONENTS.items(), reading.raw, strict=True)
    components = [metric(name, raw, unit=unit, why_not="not compared") for (name, unit), raw in parts]
    components.append(metric("psnr", reading.psnr_db, unit="dB", why_not="not compared"))
    return TrustState(
        header=Header(stamp=to_time(reading.stamp_ns), frame_id=frame_id),
        level=int(reading.level),
        frame_index=reading.frame,
        trusted_frames=reading.trusted,
        score=reading.score,
        warn_threshold=warn,
        stop_threshold=stop,
        components=components,
        reason=reading.reason,
    )
