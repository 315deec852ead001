"""The evaluator node as a process: policies and rollouts scored over DDS, cancelled, resumed, refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lifecycle_msgs.msg import Transition

from lingbot_msgs.action import EvaluatePolicy
from lingbot_msgs.msg import ErrorCode, MetricValue, RobotAction, RolloutScore
from lingbot_msgs.srv import ScoreRollout
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator
from test.support.imagination import NodeUnderTest, Probe, image_message, running_node

EVALUATOR = "lingbot_ros.nodes.evaluator.main"
SEERS = "test.support.evaluated_policies"
YAML = f"""
policies:
  - {{name: seer, entry_point: "{SEERS}:Seer"}}
  - {{name: nan, entry_point: "{SEERS}:Failing", config: {{how: nan}}}}
  - {{name: crash, entry_point: "{SEERS}:Failing", config: {{how: crash}}}}
"""


@pytest.fixture(scope="module")
def evaluator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[NodeUnderTest, Probe, Path]]:
    folder = tmp_path_factory.mktemp("evaluator")
    with running_node(folder, module=EVALUATOR, report__folder=str(folder / "reports"), rows=4) as (node, probe):
        probe.node_name = "evaluator"
        assert probe.transition(Transition.TRANSITION_CONFIGURE), node.log_text()
        assert probe.transition(Transition.TRANSITION_ACTIVATE)
        yield node, probe, folder / "reports"


def send(probe: Probe, feedback: Any = None, **fields: Any) -> Any:
    """The handle of a goal."""
    client = probe.action_client(EvaluatePolicy, "evaluator/evaluate_policy")
    goal = EvaluatePolicy.Goal(policies_yaml=YAML, rollouts=2, frames=4, **fields)
    return probe.result(client.send_goal_async(goal, feedback_callback=feedback))


def result_of(probe: Probe, handle: Any) -> Any:
    return probe.result(handle.get_result_async()).result


def test_policies_are_scored_while_other_requests_are_served(evaluator: tuple[NodeUnderTest, Probe, Path]) -> None:
    node, probe, reports = evaluator
    heard: list[RolloutScore] = []
    fed: list[Any] = []
    probe.listen(RolloutScore, "scores", heard)
    handle = send(probe, lambda message: fed.append(message.feedback), controls=True, out="whole")
    assert handle.accepted, node.log_text()
    assert not send(probe, out="another").accepted  # one at a time
    images = [image_message(frame) for frame in simulated(3)[0]]
    assert not probe.call(ScoreRollout, "score_rollout", ScoreRollout.Request(images=images)).error_code
    result = result_of(probe, handle)
    assert (result.error_code, result.error_msg) == (0, "")
    assert (result.rollouts_done, result.rollouts_total) == (12, 12)
    scores = {score.policy: score for score in result.scores}
    assert (scores["seer"].n, scores["seer"].invalid, scores["nan"].invalid, scores["crash"].invalid) == (2, 0, 2, 2)
    assert [control.name for control in result.controls] == ["seer/zero", "seer/flipped", "seer/random"]
    assert "No ranking is given" in result.verdict and "INVALID_ROLLOUTS" in result.warnings
    assert (reports / "whole" / "index.html").is_file() and result.report == str(reports / "whole")
    probe.wait(lambda: len(heard) == 12 and fed and fed[-1].rollouts_done == 12)
    invalid = [score for score in heard if score.outcome == RolloutScore.OUTCOME_INVALID]
    reasons = {score.policy: score.reason for score in invalid}
    assert "component 1 of action 0 is nan" in reasons["nan"] and "the gripper is gone" in reasons["crash"]
    good = next(score for score in heard if score.policy == "seer")
    assert (good.frames, len(good.score), good.thresholds[0], good.model) == (4, 5, 0.9, "pusht-lasting")
    assert {score.control for score in heard} == {"", "zero", "flipped", "random"}


def test_a_stopped_evaluation_goes_on_to_the_same_numbers(evaluator: tuple[NodeUnderTest, Probe, Path]) -> None:
    _, probe, reports = evaluator
    short = result_of(probe, send(probe, out="again", time_budget=1e-6))
    assert short.error_code == ErrorCode.TIMED_OUT and short.rollouts_done < 6
    canceled = send(probe, out="again", reference=True)
    probe.result(canceled.cancel_goal_async())
    assert result_of(probe, canceled).error_code in (ErrorCode.CANCELED, 0)
    whole = result_of(probe, send(probe, out="again", reference=True))
    assert (whole.error_code, whole.rollouts_done, whole.rollouts_total) == (0, 12, 12)
    assert [metric.name for metric in whole.agreement] == ["pearson", "spearman", "mmrv", "bias"]
    assert whole.agreement[0].status == MetricValue.STATUS_UNDEFINED
    fresh = result_of(probe, send(probe, out="fresh"))
    assert fresh.error_code == 0
    lines = [sorted((reports / name / "imagined.jsonl").read_text().splitlines()[1:]) for name in ("again", "fresh")]
    assert lines[0] == lines[1]


def simulated(steps: int) -> tuple[list[Any], list[Any]]:
    """Frames of the true simulator, the first one included, and the actions between them."""
    simulator = PushTSimulator()
    simulator.reset(20_001)
    frames, actions = [simulator.render()], []
    for step in range(steps):
        action = (200.0 + 8 * step, 260.0)
        simulator.advance(action)
        frames.append(simulator.render())
        actions.append(action)
    return frames, actions


def test_a_rollout_is_scored_and_compared_with_the_imagined_one(evaluator: tuple[NodeUnderTest, Probe, Path]) -> None:
    _, probe, _ = evaluator
    frames, actions = simulated(12)
    request = ScoreRollout.Request(images=[image_message(frame) for frame in frames])
    request.actions = [RobotAction(values=list(action)) for action in actions]
    answer = probe.call(ScoreRollout, "score_rollout", request)
    assert (answer.error_code, answer.error_msg) == (0, "")
    assert len(answer.psnr) == 12 and min(answer.psnr) > 25
    assert len(answer.score.score) == len(answer.imagined.score) == 13
    assert len(answer.score.value) == 13 and len(answer.score.advantage) == 12
    errors = {metric.name: metric for metric in answer.errors}
    assert errors["divergence_time"].status == MetricValue.STATUS_UNDEFINED
    assert errors["skill"].value > 0.5 and errors["other_actions_cost"].value > 1
    assert errors["flicker"].value == pytest.approx(errors["flicker_given"].value, abs=0.01)
    assert errors["sharpness"].value == pytest.approx(errors["sharpness_given"].value, rel=0.3)
    request.images[6:] = request.images[:1] * 7  # reality stops, the actions do not
    errors = {metric.name: metric for metric in probe.call(ScoreRollout, "score_rollout", request).errors}
    assert 0 < errors["divergence_time"].value <= 0.9


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "images: got 0 of them"),
        ({"bag": "/nowhere"}, "bag: got '/nowhere'"),
        ({"task": "chess"}, "task: got chess"),
        ({"scorer": "a jury"}, "scorer: got a jury"),
    ],
)
def test_what_cannot_be_scored_is_refused(
    evaluator: tuple[NodeUnderTest, Probe, Path], fields: dict[str, Any], message: str
) -> None:
    _, probe, _ = evaluator
    answer = probe.call(ScoreRollout, "score_rollout", ScoreRollout.Request(**fields))
    assert answer.error_code and answer.error_msg.startswith(message)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"out": "../elsewhere"}, "out: got '../elsewhere'"),
        ({"policies": ["nobody"]}, "policies: got nobody"),
        ({"time_budget": -1.0}, "time_budget: got -1.0"),
        ({"policies_file": "/a"}, "policies_file, policies_yaml: got both"),
    ],
)
def test_a_goal_that_cannot_work_is_rejected_with_a_reason_in_the_log(
    evaluator: tuple[NodeUnderTest, Probe, Path], fields: dict[str, Any], message: str
) -> None:
    node, probe, _ = evaluator
    assert not send(probe, **fields).accepted
    probe.wait(lambda: f"evaluate_policy refused: {message}" in node.log_text())
