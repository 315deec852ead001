"""Policies that are real nodes in processes of their own, evaluated over their topics; some of them fail."""

from pathlib import Path

import pytest
import yaml
from lifecycle_msgs.msg import Transition

from lingbot_msgs.action import EvaluatePolicy
from lingbot_msgs.msg import RolloutScore
from lingbot_ros.errors import InputError
from lingbot_ros.nodes.evaluator.topic_policies import _options
from test.support.imagination import ROOT, running_node

EXAMPLES = ROOT / "docs" / "examples"


def entry(name: str, *words: str) -> dict[str, object]:
    command = ["python", str(EXAMPLES / "policy_node.py"), *words, "--ros-args", "-r", f"__ns:=/{name}"]
    topics = {"image": f"/{name}/image_raw", "action": f"/{name}/action", "command": command}
    return {"name": name, "ros": topics, "answer_within_s": 5 if name != "stalls" else 0.4}


def test_nodes_are_evaluated_unchanged_and_those_that_fail_fail_alone(tmp_path: Path) -> None:
    shipped = yaml.safe_load((EXAMPLES / "ros_policies.yaml").read_text())["policies"]
    for policy in shipped:
        policy["ros"]["command"][1] = str(EXAMPLES / policy["ros"]["command"][1])
    failing = [entry("dies", "--fail", "die", "--at", "2"), entry("stalls", "--fail", "stall", "--at", "2")]
    failing += [entry("numbers", "--fail", "nan")]
    absent = {"name": "absent", "ros": {"image": "/absent/image", "action": "/absent/action", "command": ["/no/such"]}}
    file = yaml.safe_dump({"policies": [*shipped, *failing, absent]})
    with running_node(
        tmp_path, module="lingbot_ros.nodes.evaluator.main", report__folder=str(tmp_path / "reports"), rows=4
    ) as (node, probe):
        probe.node_name = "evaluator"
        assert probe.transition(Transition.TRANSITION_CONFIGURE), node.log_text()
        assert probe.transition(Transition.TRANSITION_ACTIVATE)
        heard: list[RolloutScore] = []
        probe.listen(RolloutScore, "scores", heard)
        client = probe.action_client(EvaluatePolicy, "evaluator/evaluate_policy")
        goal = EvaluatePolicy.Goal(policies_yaml=file, rollouts=1, frames=3, out="nodes")
        handle = probe.result(client.send_goal_async(goal))
        assert handle.accepted, node.log_text()
        result = probe.result(handle.get_result_async()).result
        assert not result.error_code, result.error_msg
        probe.wait(lambda: len(heard) == 6)
    invalid = {score.policy: score.reason for score in heard if score.outcome == RolloutScore.OUTCOME_INVALID}
    assert set(invalid) == {"dies", "stalls", "numbers", "absent"}
    assert invalid["dies"].startswith("policy_gone: its process ended with code 1: the gripper is gone")
    assert invalid["stalls"] == "policy_stalled: no answer after 2.4 s"
    assert "component 0 of action 0 is nan" in invalid["numbers"]
    assert "ros.command: got /no/such" in invalid["absent"]
    assert {score.frames for score in heard if score.policy in ("node", "lerobot")} == {3}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"image": "/i"}, r"ros\.action: got None"),
        ({"image": "/i", "action": "/a", "convention": "moveit"}, r"ros\.convention: got 'moveit'"),
        ({"image": "/i", "action": "/a", "state": "/s"}, r"ros\.state: got /s"),
        ({"image": "/i", "action": "/a", "command": "python x"}, r"ros\.command: got 'python x'"),
        ({"image": "/i", "action": "/a", "topic": "/t"}, r"ros\.topic: got '/t'"),
    ],
)
def test_a_wrong_entry_is_one_sentence(table: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}"):
        _options({"ros": table})
