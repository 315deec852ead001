"""The live monitor and the value topics of the evaluator node, fed by a true simulator over DDS."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from lifecycle_msgs.msg import Transition
from numpy.typing import NDArray
from sensor_msgs.msg import Image

from lingbot_msgs.msg import RobotAction, TrustState, Value
from lingbot_ros.bridge.stamps import to_time
from lingbot_ros.evaluate.reality.calibration import Calibration
from lingbot_ros.nodes import qos
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator, PushTState
from test.support.imagination import ROOT, Probe, image_message, running_node

PERIOD_NS = 100_000_000


class Robot:
    """Drives the true simulator along a circle and publishes what a camera and a controller would."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._images = probe.node.create_publisher(Image, "image", qos.IMAGE)
        self._actions = probe.node.create_publisher(RobotAction, "action", 10)
        self.states: list[TrustState] = []
        self.values: list[Value] = []
        self.advantages: list[Value] = []
        probe.listen(TrustState, "evaluator/trust", self.states)
        probe.listen(Value, "value", self.values)
        probe.listen(Value, "advantage", self.advantages)
        self.simulator, self._step = PushTSimulator(), 0
        self.simulator.reset(0)
        pusher, block = np.array((130.0, 130.0)), np.array((300.0, 320.0, 0.6))
        self.simulator.set_state(PushTState(pusher, np.zeros(2), block))
        probe.wait(lambda: self._images.get_subscription_count() and self._actions.get_subscription_count())
        self._show(self.simulator.render())

    def go(self, steps: int, image: NDArray[np.uint8] | None = None) -> list[TrustState]:
        """What the monitor says of the next frames."""
        before = len(self.states)
        for _ in range(steps):
            heard = len(self.states)
            angle = 0.12 * self._step
            target = (130 + 50 * math.sin(angle), 130 + 50 * (1 - math.cos(angle)))
            action = RobotAction(values=list(target))
            action.header.stamp = self._stamp()
            self._actions.publish(action)
            self.simulator.advance(target)
            self._step += 1
            self._show(self.simulator.render() if image is None else image)
            self._probe.wait(lambda heard=heard: len(self.states) > heard)
        return self.states[before:]

    def push_block(self) -> None:
        state = self.simulator.state
        self.simulator.set_state(PushTState(state.pusher, np.zeros(2), state.block + np.array((-40.0, 10.0, 0.5))))

    def _show(self, image: NDArray[np.uint8]) -> None:
        message = image_message(image)
        message.header.stamp, message.header.frame_id = self._stamp(), "camera"
        self._images.publish(message)

    def _stamp(self) -> Any:
        return to_time(10**12 + self._step * PERIOD_NS)


def test_reality_is_watched_and_left_futures_stop(tmp_path: Path) -> None:
    with running_node(
        tmp_path, module="lingbot_ros.nodes.evaluator.main", trust__enabled="true", value__enabled="true"
    ) as (node, probe):
        probe.node_name = "evaluator"
        assert probe.transition(Transition.TRANSITION_CONFIGURE), node.log_text()
        assert probe.transition(Transition.TRANSITION_ACTIVATE)
        robot = Robot(probe)
        normal = robot.go(26)
        assert {state.level for state in normal[2:]} == {TrustState.LEVEL_OK}, [state.reason for state in normal]
        assert max(state.frame_index for state in normal) == 16
        assert {part.name for part in normal[-1].components} == {"local_error", "mean_error", "appearance", "psnr"}
        robot.push_block()
        pushed = robot.go(3)
        assert pushed[-1].level == TrustState.LEVEL_STOP
        assert "reality has left the imagined future" in pushed[-1].reason
        assert pushed[-1].score > pushed[-1].stop_threshold > pushed[-1].warn_threshold > 0
        assert robot.go(34)[-1].level == TrustState.LEVEL_OK
        blocked = robot.go(24, np.zeros((96, 96, 3), np.uint8))
        assert {state.level for state in blocked[2:]} == {TrustState.LEVEL_STOP}
        assert robot.go(20)[-1].level == TrustState.LEVEL_OK
        probe.wait(lambda: len(robot.values) >= 100)
        valid = [value for value in robot.values if value.valid]
        assert len(valid) == len(robot.values) and all(0 <= value.value <= 1 for value in valid)
        assert robot.values[0].header.frame_id == "camera" and "coverage" in robot.values[0].definition
        assert robot.advantages[0].valid and robot.advantages[0].low <= robot.advantages[0].value <= 1
        assert robot.advantages[0].header.stamp == robot.values[0].header.stamp


def test_the_shipped_calibrations_are_of_the_shipped_weights() -> None:
    """Another fit of a model needs another one; until then its trust would be UNKNOWN."""
    files = sorted((ROOT / "config" / "trust").glob("*.json"))
    assert files
    for file in files:
        found = Calibration.load(file)
        assert found.model == file.stem
        assert (
            found.weights_sha256
            == yaml.safe_load((ROOT / "models" / file.stem / "card.yaml").read_text())["weights"]["sha256"]
        )
