"""What two arms of rollouts say, on rollouts whose truth is made up."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from lingbot_ros.evaluate.policies import Start
from lingbot_ros.evaluate.policy_report.findings import Findings, find
from lingbot_ros.evaluate.policy_report.page import page
from lingbot_ros.evaluate.policy_report.play import Played
from lingbot_ros.evaluate.policy_report.verdict import MEANINGS, verdict
from lingbot_ros.evaluate.rollouts.record import Ending, Rollout
from lingbot_ros.evaluate.rollouts.wave import Seconds
from test.support.evaluated_policies import Brightness

STARTS = [Start(f"s{index}", np.zeros((8, 8, 3), np.uint8), seen_in_training=False) for index in range(40)]
RATES = {"best": 0.9, "good": 0.7, "fair": 0.5, "poor": 0.3, "weak": 0.2, "idle": 0.0}


class Lamp:
    """A world as bright as the first component of its last action; one frame a step."""

    rows, fps, low, high = 1, 1.0, np.zeros(1), np.ones(1)

    def start(self, row: int, start: Start, seed: int) -> np.ndarray:
        return start.image

    def frames_in_next_step(self, row: int) -> int:
        return 1

    def step(self, actions: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
        return {0: np.full((1, 8, 8, 3), 255 * actions[0][0, 0], np.uint8)}

    def end(self, row: int) -> None:
        """Its light goes out."""


class MadeUp:
    """A task in which the first component of an action is what is true of the frame after it."""

    name, policies_file, threshold, thresholds, horizons = "made_up", None, 0.9, (0.8, 0.9), (2, 4)
    scorer = Brightness()
    robot_state, success_in_words, how_starts_are_drawn = None, "it is light", "made up"

    def __init__(self, lies: bool = False) -> None:
        self._lies = lies

    def reference(self, rows: int) -> Lamp:
        return Lamp()

    def true_scores(self, start: Start, actions: Sequence[Sequence[float]]) -> list[float]:
        return [1.0 - action[0] if self._lies else action[0] for action in actions]


def rollout(policy: str, start: Start, arm: str, success: bool, truth: bool | None = None) -> Rollout:
    """Frame 3 of four reaches 0.95 or 0.5; `truth`: what its actions reach in truth, by default the same."""
    score, true = (0.95 if value else 0.5 for value in (success, success if truth is None else truth))
    scores = (0.1, 0.1, score, 0.1)
    return Rollout(
        policy, start.id, arm, 0, Ending.HORIZON, scores, ((0.1,), (0.1,), (true,), (0.1,)), seen_in_training=False
    )


def arm(name: str, shift: int = 0, rates: dict[str, float] = RATES, starts: Sequence[Start] = STARTS) -> Played:
    """Every policy succeeds at its rate; `shift` moves at which starts."""
    made = [
        rollout(policy, start, name, (index * 7 + shift) % len(starts) < rate * len(starts))
        for policy, rate in rates.items()
        for index, start in enumerate(starts)
    ]
    return Played(made, [], Seconds())


def found(imagined: Played, reference: Played | None, **other: object) -> Findings:
    options = {"threshold": 0.9, "horizon": 4, "max_horizon": 4, "seed": 0, "task": MadeUp(), "starts": STARTS}
    return find(imagined=imagined, reference=reference, **{**options, **other})  # type: ignore[arg-type]


def test_arms_that_agree_are_believed_and_the_best_is_named() -> None:
    findings = found(arm("imagined"), arm("reference", shift=3))
    assert findings.refused is None and findings.believed
    best, belief, checks = verdict(findings)
    assert best.startswith("Imagined, best succeeds most often: 36 of 40 rollouts")
    assert "r 1.00" in belief and "+0.00 on average" in belief
    assert "the scorer agrees with the simulator in 100.0% of simulated rollouts" in checks
    assert [(row.threshold, row.horizon) for row in findings.rows] == [(0.9, 4), (0.9, 2), (0.8, 4), (0.8, 2)]
    assert findings.rows[1].imagined[0].successes == 0
    assert findings.main.able is not None and findings.main.able.policies == 5


def test_a_scorer_that_errs_on_real_images_is_refused() -> None:
    reference = arm("reference")
    one_in_forty = [
        replace(one, actions=((0.1,),) * 4) if one.start == "s0" and one.success(0.9) else one
        for one in reference.policies
    ]
    few = found(arm("imagined"), replace(reference, policies=one_in_forty))
    assert few.truth.scorer is not None and few.truth.scorer.only_imagined == 5
    assert few.refused is None
    many = [replace(one, actions=((0.1,),) * 4) for one in reference.policies]
    refused = found(arm("imagined"), replace(reference, policies=many))
    assert refused.refused is not None and not refused.believed
    assert verdict(refused)[0].startswith("No ranking is given: on real images the scorer agrees")
    assert '<header class="refused">' in page(refused, [], [])


def test_a_scorer_of_whom_too_little_was_seen_is_doubted_and_not_refused() -> None:
    starts, rates = STARTS[:20], {name: RATES[name] for name in ("good", "fair")}
    reference = arm("reference", rates=rates, starts=starts)
    wrong = [replace(one, actions=((0.1,),) * 4) if one.start == "s0" else one for one in reference.policies]
    findings = found(arm("imagined", rates=rates, starts=starts), replace(reference, policies=wrong))
    assert findings.truth.scorer is not None and findings.truth.scorer.agreement == 38 / 40
    assert findings.refused is None and not findings.believed and "SCORER_DOUBTFUL" in findings.warnings


def test_without_a_reference_the_scorer_is_checked_on_actions_that_are_played_again() -> None:
    checked = found(arm("imagined"), None)
    assert checked.truth.scorer is not None
    assert (checked.truth.scorer.count, checked.truth.scorer.agreement) == (40, 1.0)
    assert checked.truth.scorer.both > 0 and checked.refused is None and not checked.believed
    liar = found(arm("imagined"), None, task=MadeUp(lies=True))
    assert liar.refused is not None and liar.refused.startswith("on real images the scorer agrees")


def test_imagined_verdicts_are_compared_with_what_the_same_actions_do() -> None:
    imagined = Played(
        [rollout("best", start, "imagined", True, truth=index < 10) for index, start in enumerate(STARTS)],
        [],
        Seconds(),
    )
    replay = found(imagined, None).truth.replay
    assert replay is not None
    assert (replay.agreement, replay.come_true, replay.foreseen) == (0.25, 0.25, 1.0)


class DarkLamp(Lamp):
    """A model whose images are darker than the truth, so that a scorer of brightness errs on them."""

    def step(self, actions: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
        return {row: frames // 2 for row, frames in super().step(actions).items()}


def test_a_scorer_that_errs_on_imagined_images_is_refused() -> None:
    imagined, reference = arm("imagined"), arm("reference")
    seen = found(imagined, reference, stepper=Lamp()).truth
    assert seen.known is not None and (seen.known.agreement, seen.known.count) == (1.0, 64)
    assert seen.known.both == 32
    refused = found(imagined, reference, stepper=DarkLamp())
    assert refused.truth.known is not None and refused.truth.known.agreement == 0.5
    assert refused.refused == "on imagined images whose truth is known the scorer is right in 50.0% only, below 90%"


def test_a_policy_that_succeeds_in_imagination_alone_exploits_the_model() -> None:
    def mixed(name: str, true: int) -> list[Rollout]:
        return [rollout(name, start, "imagined", index % 2 == 0, truth=index < true and index % 2 == 0)
                for index, start in enumerate(STARTS)]  # fmt: skip

    findings = found(Played([*mixed("honest", 40), *mixed("clever", 8)], [], Seconds()), None)
    clever, honest = findings.gains
    assert (clever.policy, clever.imagined, clever.replayed, clever.gain) == ("clever", 0.5, 0.1, 0.4)
    assert clever.exploits and not honest.exploits and honest.gain == 0
    assert "MODEL_EXPLOITATION" in findings.warnings
    shown = page(findings, [], [])
    assert "<h2>Exploitability</h2>" in shown and "<td><b>+0.40</b></td>" in shown
    sure = findings.foresight
    assert sure is not None and sure.count == 80
    # Half the successes of one score come true: nothing better can be said than the rate.
    assert sure.brier is not None and 0.05 < sure.brier < 0.15 and sure.auroc is not None and sure.auroc > 0.8
    assert sum(part.count for part in sure.bins) == 80


def test_the_sections_of_the_page_are_the_ladder() -> None:
    shown = page(found(arm("imagined"), arm("reference", shift=3), stepper=Lamp()), [], [])
    names = ["Closed-loop validity", "Ranking agreement", "Exploitability", "Uncertainty calibration"]
    places = [shown.index(f"<h2>{name}</h2>") for name in names]
    assert places == sorted(places)


def test_arms_that_disagree_are_not_believed() -> None:
    upside_down = dict(zip(RATES, reversed(RATES.values()), strict=True))
    findings = found(arm("imagined"), arm("reference", rates=upside_down))
    assert findings.refused is None and not findings.believed
    assert '<header class="doubtful">' in page(findings, [], [])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"max_horizon": 3}, "BEYOND_MAX_HORIZON"),
        ({"reference": None}, "NO_REFERENCE"),
        ({}, "NO_CONTROLS"),
        ({"seen": True}, "SEEN_IN_TRAINING"),
        ({"seen": None}, "SEEN_IN_TRAINING_UNKNOWN"),
    ],
)
def test_what_a_reader_must_know_is_a_warning(change: dict, code: str) -> None:
    imagined = arm("imagined")
    if "seen" in change:
        seen = change.pop("seen")
        imagined = replace(imagined, policies=[replace(one, seen_in_training=seen) for one in imagined.policies])
    reference = change.pop("reference", arm("reference"))
    findings = found(imagined, reference, **change)
    assert code in findings.warnings
    assert set(findings.warnings) <= set(MEANINGS)


def test_too_few_rollouts_and_no_success_at_all_are_not_ranked() -> None:
    few = found(arm("imagined", starts=STARTS[:10]), None)
    assert few.refused == "it takes 20 rollouts of a policy or more, and there are 10 with a verdict"
    assert found(arm("imagined", rates={"idle": 0.0}), None).refused == "no policy succeeds in what is imagined"


def test_controls_count_against_the_model_unless_they_succeed_in_truth() -> None:
    def controls(name: str, wins: dict[str, int]) -> list[Rollout]:
        return [
            rollout(f"best/{kind}", start, name, index < count)
            for kind, count in wins.items()
            for index, start in enumerate(STARTS)
        ]

    imagined = replace(arm("imagined"), controls=controls("imagined", {"zero": 1, "random": 5}))
    reference = replace(arm("reference"), controls=controls("reference", {"zero": 0, "random": 4}))
    findings = found(imagined, reference)
    assert [(control.name, control.universal) for control in findings.controls] == [
        ("best/zero", True),
        ("best/random", False),
    ]
    assert findings.hallucinated is not None
    assert (findings.hallucinated.successes, findings.hallucinated.trials) == (1, 40)
    assert (
        "wrong actions succeed in 1 of 40 imagined rollouts (at most 11% with 95 % confidence)" in verdict(findings)[2]
    )
    assert "CONTROLS_UNVALIDATED" in found(imagined, None).warnings
