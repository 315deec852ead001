"""A policy that is a ROS node: it subscribes to images and publishes actions, in imagination as on a robot."""

import queue
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from std_msgs.msg import Float32MultiArray, Header, UInt64

from lingbot_ros.bridge.stamps import to_time
from lingbot_ros.errors import InputError, LingbotError
from lingbot_ros.evaluate.policies.contract import Actions, FailureKind, Observation, PolicyFailure, Start
from lingbot_ros.evaluate.policies.patience import Patience
from lingbot_ros.nodes import qos
from lingbot_ros.nodes.evaluator.conventions import Convention, multi_array
from lingbot_ros.nodes.evaluator.policy_process import PolicyProcess

_READY_S = 60.0
_LOOK_S = 0.1
_ENDING_S = 3.0
_DEPTH = 10


@dataclass(frozen=True)
class TopicOptions:
    """The table `ros` of an entry. state, reset: topics, empty = none. stateless: an answer depends on nothing but the
    image, so that rollouts may be played side by side.
    """

    image: str
    action: str
    convention: Convention
    state: str = ""
    reset: str = ""
    stateless: bool = False


class TopicPolicy:
    """Plays one rollout at a time over its topics, in lockstep: an image goes out, the world waits for the action.

    An action that carries the stamp of an image answers that image; an older one is dropped. One without such a stamp
    answers the newest image. After an answer that never came or came late, a node without stamps is started anew, or
    has to give that answer before it gets the next image.
    """

    def __init__(
        self,
        name: str,
        node: Node,
        options: TopicOptions,
        process: PolicyProcess | None,
        patience: Patience,
        rest: Callable[[Start], Actions],
        period_s: float,
    ) -> None:
        self.name = name
        self.alone_on = None if options.stateless else self
        self._node, self._options, self._process, self._patience = node, options, process, patience
        self._rest, self._period_ns = rest, round(period_s * 1e9)
        self._answers: queue.SimpleQueue[tuple[float, Any]] = queue.SimpleQueue()
        self._stamp_ns, self._sent = 0, set[int]()
        self._stamped, self._owed = False, False
        self._states: dict[int, Actions] = {}
        convention, group = options.convention, ReentrantCallbackGroup()
        self._images = node.create_publisher(convention.image_type, options.image, qos.reliable(_DEPTH))
        self._state = (
            node.create_publisher(Float32MultiArray, options.state, qos.reliable(_DEPTH)) if options.state else None
        )
        self._reset = node.create_publisher(UInt64, options.reset, qos.reliable(_DEPTH)) if options.reset else None
        self._subscription = node.create_subscription(
            convention.action_type,
            options.action,
            lambda message: self._answers.put((time.monotonic(), message)),
            qos.reliable(_DEPTH),
            callback_group=group,
        )

    def begin(self, row: int, start: Start, seed: int) -> PolicyFailure | None:
        failure = self._settle() or self._connected()
        if failure is not None:
            return failure
        self._drain()
        self._sent.clear()
        self._stamp_ns = max(self._stamp_ns + 10 * self._period_ns, self._node.get_clock().now().nanoseconds)
        self._states[row] = np.array(self._rest(start), np.float64)
        if self._reset is not None:
            self._reset.publish(UInt64(data=seed))
        return None

    def act(self, rows: Sequence[int], observations: Sequence[Observation]) -> list[Actions | PolicyFailure]:
        return [self._answer(row, seen) for row, seen in zip(rows, observations, strict=True)]

    def end(self, row: int) -> None:
        self._states.pop(row, None)

    def close(self) -> None:
        """End the policy's process; its topics stay until `destroy`."""
        if self._process is not None:
            self._process.end()

    def destroy(self) -> None:
        """Take the topics back; the executor must not be waiting for them (`run_alone`)."""
        for publisher in (self._images, self._state, self._reset):
            if publisher is not None:
                self._node.destroy_publisher(publisher)
        self._node.destroy_subscription(self._subscription)

    def _answer(self, row: int, seen: Observation) -> Actions | PolicyFailure:
        if self._owed:
            return PolicyFailure(FailureKind.STALLED, "it still owes an answer to another rollout")
        self._drain()
        self._stamp_ns += self._period_ns
        header = Header(stamp=to_time(self._stamp_ns), frame_id="camera")
        if self._state is not None:
            self._state.publish(multi_array(self._states[row]))
        self._sent.add(self._stamp_ns)
        asked_s = time.monotonic()
        self._images.publish(self._options.convention.image_of(seen.image, header))
        found = self._await(asked_s + self._patience.give_up_after_s)
        if isinstance(found, PolicyFailure):
            self._owed = True
            return found
        took_s, message = found[0] - asked_s, found[1]
        if took_s > self._patience.late_after_s:
            limit = self._patience.late_after_s
            return PolicyFailure(FailureKind.LATE, f"answered after {took_s:.3g} s; the limit is {limit:g} s")
        try:
            actions = self._options.convention.actions_of(message)
        except LingbotError as error:
            return PolicyFailure(FailureKind.BAD_ACTION, str(error))
        last = actions[-1] if actions.ndim == 2 and len(actions) else actions
        if last.shape == self._states[row].shape and np.isfinite(last).all():
            self._states[row] = last
        return actions

    def _await(self, until_s: float) -> tuple[float, Any] | PolicyFailure:
        """The answer to the newest image, and when it came."""
        while True:
            gone = self._gone()
            if gone is not None:
                return self._explained(gone)
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                return PolicyFailure(FailureKind.STALLED, f"no answer after {self._patience.give_up_after_s:g} s")
            try:
                came_s, message = self._answers.get(timeout=min(left_s, _LOOK_S))
            except queue.Empty:
                continue
            stamp_ns = self._options.convention.stamp_of(message)
            self._stamped = self._stamped or stamp_ns == self._stamp_ns
            if stamp_ns == self._stamp_ns or stamp_ns not in self._sent:
                return came_s, message

    def _settle(self) -> PolicyFailure | None:
        """Make certain that no answer to an earlier image is still on its way."""
        if not self._owed:
            return None
        if self._process is not None:
            self._process.end()
        elif not self._stamped:
            try:
                self._answers.get(timeout=self._patience.give_up_after_s)
            except queue.Empty:
                return PolicyFailure(FailureKind.STALLED, "it still owes an answer to another rollout")
        self._owed = False
        return None

    def _connected(self) -> PolicyFailure | None:
        """Wait until the node is there, and start it where it has a command."""
        if self._process is not None:
            try:
                self._process.ensure()
            except InputError as error:
                return PolicyFailure(FailureKind.GONE, str(error))
        until_s = time.monotonic() + _READY_S
        while (gone := self._gone()) is not None:
            ended = self._process.ended() if self._process is not None else ""
            if ended or time.monotonic() > until_s or not self._node.context.ok():
                return gone
            time.sleep(_LOOK_S)
        return None

    def _gone(self) -> PolicyFailure | None:
        ended = self._process.ended() if self._process is not None else ""
        if ended:
            return PolicyFailure(FailureKind.GONE, ended)
        if not self._node.context.ok():
            return PolicyFailure(FailureKind.GONE, "this node ends")
        if not self._images.get_subscription_count():
            return PolicyFailure(FailureKind.GONE, f"no node subscribes to {self._options.image}")
        if not self._node.count_publishers(self._subscription.topic_name):
            return PolicyFailure(FailureKind.GONE, f"no node publishes {self._options.action}")
        return None

    def _explained(self, gone: PolicyFailure) -> PolicyFailure:
        """With how its process ended, if it ends now: a node leaves its topics a moment earlier."""
        until_s = time.monotonic() + _ENDING_S
        while self._process is not None and time.monotonic() < until_s:
            if ended := self._process.ended():
                return PolicyFailure(FailureKind.GONE, ended)
            time.sleep(_LOOK_S)
        return gone

    def _drain(self) -> None:
        while not self._answers.empty():
            self._answers.get()
