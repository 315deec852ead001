"""Several imagination nodes share the rollouts of an evaluator; one that is killed is replaced by the other."""

from pathlib import Path

import pytest
from lifecycle_msgs.msg import Transition

from lingbot_msgs.action import EvaluatePolicy
from test.support.imagination import NodeUnderTest, Probe, isolated_environment, running_node

YAML = """
policies:
  - {name: seer, entry_point: "test.support.evaluated_policies:Seer"}
  - {name: chunky, entry_point: "test.support.evaluated_policies:Seer", config: {chunk: 3}}
"""
FRAMES = 12


def bring_up(probe: Probe, name: str) -> None:
    probe.node_name = name
    assert probe.transition(Transition.TRANSITION_CONFIGURE)
    assert probe.transition(Transition.TRANSITION_ACTIVATE)


def evaluate(probe: Probe, out: str, on_feedback: object = None) -> EvaluatePolicy.Result:
    client = probe.action_client(EvaluatePolicy, "evaluator/evaluate_policy")
    goal = EvaluatePolicy.Goal(policies_yaml=YAML, rollouts=4, frames=FRAMES, out=out)
    handle = probe.result(client.send_goal_async(goal, feedback_callback=on_feedback))
    assert handle.accepted
    return probe.result(handle.get_result_async()).result


@pytest.mark.slow
def test_two_nodes_share_the_work_and_one_takes_over_from_the_other(tmp_path: Path) -> None:
    first = "lingbot_ros.nodes.imagination.main"
    with running_node(tmp_path, module=first, mode="lockstep", extra=["-r", "__node:=one"]) as (_, probe):
        environment = isolated_environment(probe.context.get_domain_id())
        other = NodeUnderTest(
            environment,
            {"mode": "lockstep", "model.threads": 1},
            ["-r", "__node:=two"],
            tmp_path / "two.log",
            first,
        )
        parameters = {
            "imagination_nodes": "[one, two]",
            "imagination_rows": 2,
            "report.folder": str(tmp_path / "reports"),
        }
        evaluator = NodeUnderTest(
            environment, parameters, [], tmp_path / "evaluator.log", "lingbot_ros.nodes.evaluator.main"
        )
        try:
            for name in ("one", "two", "evaluator"):
                bring_up(probe, name)
            whole = evaluate(probe, "whole")
            assert (whole.error_code, whole.rollouts_done) == (0, 8), whole.error_msg
            # The first wave of two nodes with two rows each is under way when a rollout of it ends.
            halved = evaluate(probe, "halved", lambda _: other.process.kill())
            assert (halved.error_code, halved.rollouts_done) == (0, 8), halved.error_msg
            assert all(score.invalid == 0 for score in halved.scores)
            lines = [
                sorted((tmp_path / "reports" / name / "imagined.jsonl").read_text().splitlines()[1:])
                for name in ("whole", "halved")
            ]
            assert lines[0] == lines[1]
        finally:
            evaluator.stop()
            other.process.kill()
            other.process.wait()
