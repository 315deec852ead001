"""The planner node over DDS: plans from images and sessions, follows a robot, and ends in order whatever goes wrong."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from action_msgs.msg import GoalStatus
from lifecycle_msgs.msg import Transition
from numpy.typing import NDArray
from sensor_msgs.msg import Image

from lingbot_msgs.action import Plan
from lingbot_msgs.msg import ErrorCode, RobotAction
from lingbot_ros.nodes import qos
from lingbot_ros.nodes.planner.following import DISTRUST
from lingbot_ros.nodes.planner.search import UNREACHABLE
from lingbot_ros.tasks.pusht.planning.goals import Goal, make_goals
from lingbot_ros.tasks.pusht.planning.pose_cost import Poses, distances
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator, PushTState
from test.support.imagination import PATIENCE_S, NodeUnderTest, Probe, image_message, isolated_environment, running_node

BRIEF = {"samples": 32, "iterations": 3}


class Client:
    """Sends goals, and hears what the planner publishes."""

    def __init__(self, probe: Probe) -> None:
        probe.node_name = "planner"
        assert probe.transition(Transition.TRANSITION_CONFIGURE)
        assert probe.transition(Transition.TRANSITION_ACTIVATE)
        self.probe, self._plan = probe, probe.action_client(Plan, "planner/plan")
        self.actions: list[RobotAction] = []
        self.feedback: list[Plan.Feedback] = []
        self.robot: Robot | None = None
        probe.node.create_subscription(RobotAction, "action", self._take, 100)
        self.camera = probe.node.create_publisher(Image, "image", qos.IMAGE)

    def _take(self, action: RobotAction) -> None:
        self.actions.append(action)
        if self.robot is not None:
            self.robot.act(action)

    def send(self, **fields: Any) -> Any:
        """The handle of a goal that is accepted."""
        for name in ("start_image", "goal_image"):
            if name in fields:
                fields[name] = image_message(fields[name])
        self.feedback.clear()
        self.actions.clear()
        goal = Plan.Goal(**{**BRIEF, **fields})
        sent = self._plan.send_goal_async(goal, lambda message: self.feedback.append(message.feedback))
        handle = self.probe.result(sent)
        assert handle.accepted
        return handle

    def answer(self, handle: Any) -> tuple[int, Plan.Result]:
        """Final status and result."""
        pending = handle.get_result_async()
        self.probe.wait(pending.done, 3 * PATIENCE_S)  # a robot has a long way to go on a busy machine
        answered = pending.result()
        return answered.status, answered.result

    def ask(self, **fields: Any) -> tuple[int, Plan.Result]:
        return self.answer(self.send(**fields))


@pytest.fixture(scope="module")
def goal() -> Goal:
    return next(make_goals(1, seed=0))


@pytest.fixture(scope="module")
def planner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[NodeUnderTest, Client]]:
    with running_node(
        tmp_path_factory.mktemp("planner"),
        module="lingbot_ros.nodes.planner.main",
        image_timeout=2.0,
        attempts=1,
    ) as (node, probe):
        client = Client(probe)
        probe.wait(client.camera.get_subscription_count)
        yield node, client


@pytest.fixture
def client(planner: tuple[NodeUnderTest, Client]) -> Client:
    return planner[1]


def apart(simulator: PushTSimulator, goal: Goal) -> float:
    """How far pusher and block are from the goal, as the cost counts it."""
    state, wanted = simulator.state, Poses(goal.state.pusher, goal.state.block)
    return float(distances(state.pusher[None], state.block[None], wanted)[0])


class Robot:
    """The true simulator behind the topics: it takes an action, and its camera shows what came of it."""

    def __init__(self, client: Client, goal: Goal) -> None:
        self.client, self.goal, self.simulator = client, goal, PushTSimulator()
        self.simulator.reset(0)
        self.simulator.set_state(goal.start)
        self.sees: NDArray[np.uint8] | None = None
        self.is_blind = False
        self.taken, self.before = 0, goal.start.pusher
        self.show()

    def show(self) -> None:
        if not self.is_blind:
            self.client.camera.publish(image_message(self.simulator.render() if self.sees is None else self.sees))

    def act(self, action: RobotAction) -> None:
        self.before = self.simulator.state.pusher
        self.simulator.step(np.array(action.values))
        self.taken += 1
        self.show()

    def is_held(self, actions: list[RobotAction]) -> bool:
        """Whether the last of the actions that were sent leaves the pusher where it was, up to its way of one frame."""
        stamp = actions[-1].header.stamp
        self.client.probe.wait(lambda: self.client.actions[-1].header.stamp == stamp)
        return float(np.linalg.norm(np.array(actions[-1].values) - self.before)) < 25


@pytest.fixture
def robot(client: Client, goal: Goal) -> Iterator[Robot]:
    client.robot = Robot(client, goal)
    yield client.robot
    client.robot = None


def test_a_plan_from_an_image_to_an_image(client: Client, goal: Goal) -> None:
    futures: list[Image] = []
    client.probe.listen(Image, "plan_image", futures)
    client.probe.wait(lambda: client.probe.node.count_publishers("plan_image"))
    status, plan = client.ask(
        start=Plan.Goal.START_IMAGE, start_image=goal.image, goal_image=goal.goal_image, samples=200, iterations=8
    )
    assert (status, plan.error_code, plan.reason) == (GoalStatus.STATUS_SUCCEEDED, ErrorCode.NONE, "")
    assert len(plan.actions) == plan.trusted_frames <= 25
    assert plan.trust_limited == (plan.trusted_frames < 25)
    assert plan.evaluated == 1600
    assert 0 < plan.model_time < plan.duration
    simulator = PushTSimulator()
    simulator.reset(0)
    simulator.set_state(goal.start)
    before = apart(simulator, goal)
    for action in plan.actions:
        simulator.step(np.array(action.values))
    assert apart(simulator, goal) < before / 2
    # rclpy drops what it takes after the result, which follows the last iteration at once.
    iterations = [message.iteration for message in client.feedback]
    assert 0 < len(iterations) <= 8 and iterations == list(range(len(iterations)))
    assert not client.actions  # it plans, and does not act
    client.probe.wait(lambda: len(futures) >= 25)
    assert (futures[0].height, futures[0].width, futures[0].encoding) == (96, 96, "rgb8")


def test_a_deadline_keeps_the_best_so_far(client: Client, goal: Goal) -> None:
    fields = {"start": Plan.Goal.START_IMAGE, "start_image": goal.image, "goal_image": goal.goal_image}
    status, plan = client.ask(**fields, deadline=0.01, iterations=1000)
    assert status == GoalStatus.STATUS_SUCCEEDED
    assert plan.deadline_missed
    assert plan.actions
    assert plan.evaluated < 32 * 1000


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"goal_image": np.zeros((64, 64, 3), np.uint8)}, "goal_image: got shape [64, 64, 3]; give [96, 96, 3]"),
        ({"goal_image": np.full((96, 96, 3), 255, np.uint8)}, "goal_image: got an image in which pusher or block"),
        ({"goal": Plan.Goal.GOAL_POSE, "goal_pose": [1.0]}, "goal_pose: got [1.0]"),
        ({"goal": 9}, "goal: got 9; use GOAL_IMAGE"),
        ({"goal": Plan.Goal.GOAL_OUTCOME, "solver": "luck"}, "solver: got luck; use one of icem"),
        ({"goal": Plan.Goal.GOAL_OUTCOME, "deadline": -1.0}, "deadline: got -1.0"),
        ({"goal": Plan.Goal.GOAL_OUTCOME, "start": 7}, "start: got 7; use START_SESSION"),
        ({"goal": Plan.Goal.GOAL_OUTCOME, "start": Plan.Goal.START_TOPIC}, "image: no image came within 2 s"),
        ({"goal": Plan.Goal.GOAL_OUTCOME, "start": Plan.Goal.START_SESSION}, "imagination/save_session is not there"),
    ],
)
def test_what_cannot_be_planned_ends_with_a_reason(
    client: Client, goal: Goal, fields: dict[str, Any], words: str
) -> None:
    status, plan = client.ask(**{"start": Plan.Goal.START_IMAGE, "start_image": goal.image, **fields})
    assert status == GoalStatus.STATUS_ABORTED
    assert plan.error_code
    assert words in plan.error_msg
    assert plan.reason == plan.error_msg
    assert not plan.actions


def test_a_goal_that_no_candidate_comes_nearer_to(client: Client) -> None:
    """In one frame the pusher does not come to the block."""
    simulator = PushTSimulator()
    simulator.reset(0)
    simulator.set_state(PushTState(np.array([100.0, 100.0]), np.zeros(2), np.array([300.0, 320.0, 0.5])))
    status, plan = client.ask(
        start=Plan.Goal.START_IMAGE,
        start_image=simulator.render(),
        goal=Plan.Goal.GOAL_POSE,
        goal_pose=[0.0, 0.0, 0.0],
        horizon=1,
    )
    assert status == GoalStatus.STATUS_SUCCEEDED
    assert plan.reason == UNREACHABLE
    (stay,) = plan.actions
    assert np.linalg.norm(np.array(stay.values) - 100.0) < 6


def test_a_robot_is_led_to_the_goal(client: Client, goal: Goal, robot: Robot) -> None:
    status, done = client.ask(
        start=Plan.Goal.START_TOPIC, goal_image=goal.goal_image, follow=True, samples=64, iterations=4
    )
    assert (status, done.reason, done.reached) == (GoalStatus.STATUS_SUCCEEDED, "", True), done.error_msg
    assert len(done.actions) == client.feedback[-1].frames_followed + 1
    assert 0 < client.feedback[-1].trust <= 1
    assert robot.is_held(done.actions)


def test_time_is_up(client: Client, robot: Robot) -> None:
    status, done = client.ask(
        start=Plan.Goal.START_TOPIC, goal=Plan.Goal.GOAL_OUTCOME, follow=True, timeout=0.2, horizon=5
    )
    assert status == GoalStatus.STATUS_SUCCEEDED
    assert not done.reached
    assert "timeout" in done.reason
    assert robot.is_held(done.actions)


def test_a_goal_out_of_reach_is_given_up(client: Client, goal: Goal, robot: Robot) -> None:
    """A block inside of the wall."""
    status, done = client.ask(
        start=Plan.Goal.START_TOPIC, goal=Plan.Goal.GOAL_POSE, goal_pose=[0.0, 0.0, 0.0], follow=True, horizon=2
    )
    assert status == GoalStatus.STATUS_ABORTED
    assert "it may be out of reach" in done.reason
    assert done.error_code == ErrorCode.TIMED_OUT
    assert robot.is_held(done.actions)


def follow(client: Client, robot: Robot) -> Any:
    """A goal at work, with a robot that has acted."""
    handle = client.send(start=Plan.Goal.START_TOPIC, goal=Plan.Goal.GOAL_OUTCOME, follow=True)
    client.probe.wait(lambda: robot.taken >= 3)
    return handle


def test_images_that_stop_end_it(client: Client, robot: Robot) -> None:
    handle = follow(client, robot)
    robot.is_blind = True
    status, done = client.answer(handle)
    assert status == GoalStatus.STATUS_ABORTED
    assert done.reason == "image: none came for 2 s"
    assert done.error_code == ErrorCode.TIMED_OUT
    assert robot.is_held(done.actions)


def test_images_of_something_else_end_it(client: Client, robot: Robot) -> None:
    handle = follow(client, robot)
    robot.sees = np.zeros((96, 96, 3), np.uint8)
    status, done = client.answer(handle)
    assert status == GoalStatus.STATUS_ABORTED
    assert done.reason == DISTRUST
    assert done.error_code == ErrorCode.UNSUPPORTED
    assert robot.is_held(done.actions)


def test_a_cancel_ends_it_and_one_goal_is_served_at_a_time(client: Client, robot: Robot) -> None:
    handle = follow(client, robot)
    second = client.probe.result(client._plan.send_goal_async(Plan.Goal(goal=Plan.Goal.GOAL_OUTCOME)))
    assert not second.accepted
    client.probe.result(handle.cancel_goal_async())
    status, done = client.answer(handle)
    assert status == GoalStatus.STATUS_CANCELED
    assert done.error_code == ErrorCode.CANCELED
    assert robot.is_held(done.actions)


def test_deactivation_ends_it_and_the_robot_is_told(client: Client, robot: Robot) -> None:
    handle = follow(client, robot)
    assert client.probe.transition(Transition.TRANSITION_DEACTIVATE)
    status, done = client.answer(handle)
    assert status == GoalStatus.STATUS_ABORTED
    assert done.error_code == ErrorCode.NOT_ACTIVE
    assert robot.is_held(done.actions)
    assert client.probe.transition(Transition.TRANSITION_ACTIVATE)


def test_a_signal_in_the_middle_of_a_plan_ends_the_node(tmp_path: Path, goal: Goal) -> None:
    with running_node(tmp_path, module="lingbot_ros.nodes.planner.main") as (node, probe):
        client = Client(probe)
        client.send(start=Plan.Goal.START_IMAGE, start_image=goal.image, goal_image=goal.goal_image, iterations=10_000)
        probe.wait(lambda: client.feedback)
        assert node.stop(signal.SIGINT) == 0, node.log_text()
        assert "Traceback" not in node.log_text()


def test_an_imagined_session_is_planned_in_followed_and_lost(tmp_path: Path, goal: Goal) -> None:
    """The robot is an imagination node: its session is the start, its images the camera, and it is killed meanwhile."""
    remap = ("-r", "image:=image_raw")
    with running_node(
        tmp_path, module="lingbot_ros.nodes.planner.main", extra=remap, image_timeout=2.0, imagination_timeout=5.0
    ) as (_, probe):
        log = tmp_path / "imagination.log"
        parameters: dict[str, object] = {
            "model.name": "pusht-lasting", "model.threads": 1, "snapshots.folder": tmp_path / "snapshots",
        }  # fmt: skip
        environment = isolated_environment(probe.context.get_domain_id())
        world = NodeUnderTest(environment, parameters, (), log, "lingbot_ros.nodes.imagination.main")
        try:
            assert probe.transition(Transition.TRANSITION_CONFIGURE), log.read_text()
            assert probe.transition(Transition.TRANSITION_ACTIVATE)
            session = probe.start(image=image_message(goal.image)).session
            client = Client(probe)
            status, plan = client.ask(session_id=session.session_id, goal_image=goal.goal_image)
            assert status == GoalStatus.STATUS_SUCCEEDED, plan.error_msg
            assert plan.actions
            assert not list((tmp_path / "snapshots").glob("planner-*"))
            status, plan = client.ask(session_id="none", goal_image=goal.goal_image)
            assert status == GoalStatus.STATUS_ABORTED
            assert plan.error_code == ErrorCode.UNKNOWN_SESSION
            handle = client.send(goal=Plan.Goal.GOAL_OUTCOME, follow=True)
            probe.wait(lambda: len(client.feedback) > 3 and client.feedback[-1].frames_followed > 2)
            world.process.kill()
            status, done = client.answer(handle)
            assert status == GoalStatus.STATUS_ABORTED
            assert done.reason == "image: none came for 2 s"
            assert {action.session_id for action in done.actions} == {session.session_id}
            status, plan = client.ask(goal=Plan.Goal.GOAL_OUTCOME)
            assert status == GoalStatus.STATUS_ABORTED
            assert plan.error_code == ErrorCode.TIMED_OUT
            assert "imagination" in plan.error_msg
        finally:
            world.process.kill()
            world.process.wait()
