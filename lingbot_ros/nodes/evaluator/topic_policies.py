"""The key `ros` in the file of policies: a policy that is a ROS node.

policies:
  - name: mine
    ros:
      image: /policy/image              # where it subscribes to images; relative names are in the evaluator's namespace
      action: /policy/action            # where it publishes actions
      convention: robot_action          # Image and RobotAction; lerobot: CompressedImage and Float32MultiArray
      state: /policy/state              # lerobot: where it subscribes to the robot's state, if it does
      reset: /policy/reset              # std_msgs/UInt64, the seed of each rollout as it begins, if it wants one
      command: [python, policy.py]      # its program, if the evaluator is to start it; relative to the file
      stateless: false                  # true: every image is answered by itself, so rollouts are played side by side
    answer_within_s: 5
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rclpy.node import Node

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.policies.contract import Actions, RowPolicies, Start
from lingbot_ros.evaluate.policies.patience import Patience
from lingbot_ros.evaluate.policies.policies_file import Kind
from lingbot_ros.nodes.evaluator.conventions import CONVENTIONS
from lingbot_ros.nodes.evaluator.policy_process import PolicyProcess
from lingbot_ros.nodes.evaluator.topic_policy import TopicOptions, TopicPolicy

_KEYS = {"image", "action", "convention", "state", "reset", "command", "stateless"}
_GIVE_UP_FACTOR = 6


class TopicPolicies:
    """Makes the policies of the key `ros`, and takes back what they use of the node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._made: list[TopicPolicy] = []

    def kind(self, rest: Callable[[Start], Actions], fps: float) -> Kind:
        """rest: the action that keeps the robot where it is at a start. fps: of the world, for the images' stamps."""

        def make(name: str, entry: Mapping[str, Any], folder: Path) -> RowPolicies:
            options, command = _options(entry)
            process = PolicyProcess(command, folder) if command else None
            policy = TopicPolicy(name, self._node, options, process, _patience(entry), rest, 1 / fps)
            self._made.append(policy)
            return policy

        return make

    def close(self) -> None:
        """End all processes."""
        for policy in self._made:
            policy.close()

    def destroy(self) -> None:
        """Take all topics back."""
        for policy in self._made:
            policy.destroy()
        self._made.clear()


def _options(entry: Mapping[str, Any]) -> tuple[TopicOptions, list[str]]:
    for key in entry:
        if key not in ("ros", "answer_within_s"):
            raise InputError(key, repr(entry[key]), "leave it out; known: name, ros, answer_within_s")
    table = entry["ros"]
    if not isinstance(table, Mapping):
        raise InputError("ros", repr(table), "give a table with the topics image and action")
    for key in table:
        if key not in _KEYS:
            raise InputError(f"ros.{key}", repr(table[key]), f"leave it out; known: {', '.join(sorted(_KEYS))}")
    for key in ("image", "action"):
        if not isinstance(table.get(key), str) or not table[key]:
            raise InputError(f"ros.{key}", repr(table.get(key)), "give the name of a topic")
    named = table.get("convention", "robot_action")
    if named not in CONVENTIONS:
        raise InputError("ros.convention", repr(named), f"use one of {', '.join(CONVENTIONS)}")
    convention = CONVENTIONS[named]
    state = str(table.get("state", ""))
    if state and not convention.takes_state:
        raise InputError("ros.state", state, "leave it out; only the convention lerobot has a state")
    command = table.get("command", [])
    if not isinstance(command, list) or not all(isinstance(word, str) for word in command):
        raise InputError("ros.command", repr(command), "give a list of words: the program and its arguments")
    stateless = table.get("stateless", False)
    if not isinstance(stateless, bool):
        raise InputError("ros.stateless", repr(stateless), "give true or false")
    reset = str(table.get("reset", ""))
    return TopicOptions(table["image"], table["action"], convention, state, reset, stateless), command


def _patience(entry: Mapping[str, Any]) -> Patience:
    limit = entry.get("answer_within_s", Patience.late_after_s)
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not 0 < limit < float("inf"):
        raise InputError("answer_within_s", limit, "give seconds above 0")
    return Patience(late_after_s=float(limit), give_up_after_s=_GIVE_UP_FACTOR * float(limit))
