"""The standard simulator interfaces, from a separate process that knows nothing but them."""

import json
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rclpy
import yaml
from rclpy.parameter import Parameter
from rosgraph_msgs.msg import Clock

pytest.importorskip("simulation_interfaces.srv", reason="built by ./lingbot test or ./lingbot sim")
from simulation_interfaces import srv
from simulation_interfaces.action import SimulateSteps
from simulation_interfaces.msg import Bounds, Result, SimulationState, SimulatorFeatures

from lingbot_msgs.msg import FrameInfo, ImaginationStatus, RobotAction
from lingbot_msgs.srv import EndSession, ListSessions, Step
from test.support.imagination import PATIENCE_S, ROOT, NodeUnderTest, Probe, isolated_environment, running_node

STOPPED, PLAYING, PAUSED = SimulationState.STATE_STOPPED, SimulationState.STATE_PLAYING, SimulationState.STATE_PAUSED
NO_WORLD, QUITTING = SimulationState.STATE_NO_WORLD, SimulationState.STATE_QUITTING
IMAGE = str(ROOT / "test" / "data" / "first_picture.png")
WORLD = {"name": "tiny", "model": "tiny", "image": IMAGE, "control": [256.0, 256.0], "seed": 5, "tags": ["test"]}


class Simulator:
    """A client of the standard services in the node's namespace."""

    def __init__(self, node: NodeUnderTest, probe: Probe) -> None:
        self.node, self.probe = node, probe
        self.clocks: list[float] = []
        probe.node.create_subscription(Clock, "/clock", self._on_clock, 10)

    def _on_clock(self, message: Clock) -> None:
        self.clocks.append(message.clock.sec + message.clock.nanosec * 1e-9)

    def call(self, kind: Any, name: str, **fields: Any) -> Any:
        client = self.probe.node.create_client(kind, name)
        assert client.wait_for_service(PATIENCE_S)
        answer = self.probe.result(client.call_async(kind.Request(**fields)))
        self.probe.node.destroy_client(client)
        return answer

    def state(self) -> int:
        return int(self.call(srv.GetSimulationState, "get_simulation_state").state.state)

    def go(self, state: int) -> Result:
        wanted = SimulationState(state=state)
        return self.call(srv.SetSimulationState, "set_simulation_state", state=wanted).result

    def load(self, **changes: Any) -> Any:
        text = yaml.safe_dump({**WORLD, **changes})
        return self.call(srv.LoadWorld, "load_world", resource_string=text)

    def step(self, steps: int) -> Result:
        return self.call(srv.StepSimulation, "step_simulation", steps=steps).result

    def reset(self, scope: int = 0) -> Result:
        return self.call(srv.ResetSimulation, "reset_simulation", scope=scope).result

    def infos(self) -> list[FrameInfo]:
        return self.probe.imagined("simulation")

    def begin(self) -> None:
        """A freshly loaded world, paused; what was heard before is forgotten."""
        if self.state() != NO_WORLD:
            self.call(srv.UnloadWorld, "unload_world")
        self.probe.infos.clear()
        self.probe.images.clear()
        assert self.load().result.result == Result.RESULT_OK
        assert self.go(PAUSED).result == Result.RESULT_OK
        self.probe.wait(lambda: self.probe.infos)
        self.probe.infos.clear()


@pytest.fixture(scope="module")
def lockstep_simulator(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    worlds = tmp_path_factory.mktemp("worlds")
    (worlds / "mine.yaml").write_text(yaml.safe_dump({**WORLD, "name": "mine"}))
    with running_node(
        tmp_path_factory.mktemp("sim"),
        model__name=model, mode="lockstep", simulator__enabled="true", simulator__worlds=worlds,
    ) as (node, probe):  # fmt: skip
        probe.bring_up()
        yield Simulator(node, probe)


@pytest.fixture
def simulator(lockstep_simulator: Simulator) -> Simulator:
    lockstep_simulator.begin()
    return lockstep_simulator


CLIENT = textwrap.dedent("""
    import sys
    import rclpy
    from simulation_interfaces.msg import Result, SimulationState
    from simulation_interfaces.srv import (
        GetSimulatorFeatures, LoadWorld, ResetSimulation, SetSimulationState, StepSimulation)

    rclpy.init()
    node = rclpy.create_node("planner")

    def call(kind, name, **fields):
        client = node.create_client(kind, name)
        assert client.wait_for_service(60)
        future = client.call_async(kind.Request(**fields))
        rclpy.spin_until_future_complete(node, future)
        return future.result()

    assert call(GetSimulatorFeatures, "get_simulator_features").features.features
    for kind, name, fields in (
        (LoadWorld, "load_world", {"resource_string": sys.argv[1]}),
        (ResetSimulation, "reset_simulation", {}),
        (SetSimulationState, "set_simulation_state",
         {"state": SimulationState(state=SimulationState.STATE_PAUSED)}),
        (StepSimulation, "step_simulation", {"steps": 64}),
        (SetSimulationState, "set_simulation_state",
         {"state": SimulationState(state=SimulationState.STATE_PLAYING)}),
        (SetSimulationState, "set_simulation_state",
         {"state": SimulationState(state=SimulationState.STATE_PAUSED)}),
        (ResetSimulation, "reset_simulation", {}),
    ):
        result = call(kind, name, **fields).result
        assert result.result == Result.RESULT_OK, (name, result.error_message)
    print("episode done")
""")


def test_a_client_that_knows_only_the_standard_drives_an_episode(simulator: Simulator) -> None:
    environment = isolated_environment() | {"ROS_DOMAIN_ID": str(simulator.probe.context.get_domain_id())}
    command = [sys.executable, "-c", CLIENT, yaml.safe_dump(WORLD)]
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["episode done"], done.stderr
    simulator.probe.wait(lambda: len(simulator.infos()) == 64)
    assert [info.frame_index for info in simulator.infos()] == list(range(1, 65))
    assert {info.control_source for info in simulator.infos()} == {FrameInfo.SOURCE_NONE}
    assert simulator.state() == PAUSED


def test_features_are_what_works(simulator: Simulator) -> None:
    features = simulator.call(srv.GetSimulatorFeatures, "get_simulator_features").features
    assert SimulatorFeatures.STEP_SIMULATION_ACTION in features.features
    assert SimulatorFeatures.SPAWNING not in features.features
    told = json.loads(features.custom_info)
    assert (told["model"], told["frames_per_step"], told["fps"]) == ("tiny", 1, 10)
    for kind, name in ((srv.SpawnEntity, "spawn_entity"), (srv.GetNamedPoses, "get_named_poses"),
                       (srv.SetEntityState, "set_entity_state"), (srv.DeleteEntity, "delete_entity")):  # fmt: skip
        assert simulator.call(kind, name).result.result == Result.RESULT_FEATURE_UNSUPPORTED


def test_the_state_machine(simulator: Simulator) -> None:
    codes = srv.SetSimulationState.Response
    assert simulator.go(PAUSED).result == codes.ALREADY_IN_TARGET_STATE
    assert simulator.go(SimulationState.STATE_LOADING_WORLD).result == codes.INCORRECT_TRANSITION
    assert simulator.step(2).result == Result.RESULT_OK
    assert simulator.go(PLAYING).result == Result.RESULT_OK
    refused = simulator.step(1)
    assert refused.result == Result.RESULT_OPERATION_FAILED
    assert "PLAYING; pause the simulation first" in refused.error_message
    assert simulator.go(STOPPED).result == Result.RESULT_OK
    assert simulator.state() == STOPPED
    assert simulator.step(1).result == Result.RESULT_OPERATION_FAILED
    simulator.probe.infos.clear()
    assert simulator.go(PAUSED).result == Result.RESULT_OK
    assert simulator.step(1).result == Result.RESULT_OK
    simulator.probe.wait(simulator.infos)
    assert simulator.infos()[0].frame_index == 1  # stopping took it back to the start
    assert simulator.call(srv.UnloadWorld, "unload_world").result.result == Result.RESULT_OK
    assert simulator.state() == NO_WORLD
    assert simulator.go(PLAYING).result == Result.RESULT_INCORRECT_STATE
    unloaded = simulator.call(srv.UnloadWorld, "unload_world").result
    assert unloaded.result == srv.UnloadWorld.Response.NO_WORLD_LOADED


def test_pausing_stops_time_and_playing_takes_the_topic(simulator: Simulator) -> None:
    simulator.probe.act(1, [100.0, 100.0])
    simulator.probe.wait(lambda: simulator.probe.statuses[-1].state == ImaginationStatus.STATE_PAUSED)
    assert simulator.infos() == []
    assert simulator.go(PLAYING).result == Result.RESULT_OK
    simulator.probe.wait(lambda: len(simulator.infos()) == 1)
    assert simulator.infos()[0].control_id == 1
    assert simulator.go(PAUSED).result == Result.RESULT_OK
    simulator.probe.act(2, [120.0, 100.0])
    assert simulator.step(2).result == Result.RESULT_OK
    simulator.probe.wait(lambda: len(simulator.infos()) == 3)
    driven = [(info.control_id, info.control_source, info.control_state) for info in simulator.infos()[1:]]
    if driven[0][0] == 2:  # what waits drives the first step, and is held for the next
        assert driven[1] == (2, FrameInfo.SOURCE_ACTION, FrameInfo.CONTROL_HELD)


def test_the_last_control_is_held_from_the_very_next_step(simulator: Simulator) -> None:
    """Whoever drove the last chunk, and however soon the next step comes: equal calls give equal frames."""
    for round_id in range(1, 6):
        simulator.probe.infos.clear()
        request = Step.Request(session_id="simulation", actions=[RobotAction(id=round_id, values=[50.0, 60.0])])
        assert simulator.probe.call(Step, "step", request).error_msg == ""
        assert simulator.step(2).result == Result.RESULT_OK
        simulator.probe.wait(lambda: len(simulator.infos()) == 3)
        driven = [(info.control_id, info.control_state) for info in simulator.infos()]
        assert driven == [(round_id, FrameInfo.CONTROL_FRESH), *[(round_id, FrameInfo.CONTROL_HELD)] * 2]


def test_a_step_is_answered_when_its_frames_are_out(simulator: Simulator) -> None:
    for steps in (1, 3):
        assert simulator.step(steps).result == Result.RESULT_OK
        stamp = simulator.call(srv.GetEntityState, "get_entity_state", entity="camera").state.header.stamp
        listed = simulator.probe.call(ListSessions, "list_sessions").sessions
        (session,) = [session for session in listed if session.session_id == "simulation"]
        assert stamp == session.stamp


def test_a_world_whose_session_somebody_ended_is_gone(simulator: Simulator) -> None:
    ended = simulator.probe.call(EndSession, "end_session", EndSession.Request(session_id="simulation"))
    assert ended.error_msg == ""
    assert simulator.step(1).result == Result.RESULT_INCORRECT_STATE
    assert simulator.state() == NO_WORLD
    assert simulator.load().result.result == Result.RESULT_OK


def test_resets_of_time_and_state(simulator: Simulator) -> None:
    scopes = srv.ResetSimulation.Request
    assert simulator.step(3).result == Result.RESULT_OK
    simulator.probe.wait(lambda: len(simulator.infos()) == 3)
    assert simulator.reset(scopes.SCOPE_TIME).result == Result.RESULT_OK
    assert simulator.step(1).result == Result.RESULT_OK
    simulator.probe.wait(lambda: len(simulator.infos()) == 4)
    info = simulator.infos()[-1]
    assert (info.frame_index, info.header.stamp.sec, info.header.stamp.nanosec) == (4, 0, 10**8)
    assert simulator.reset(scopes.SCOPE_STATE).result == Result.RESULT_OK
    assert simulator.step(1).result == Result.RESULT_OK
    simulator.probe.wait(lambda: len(simulator.infos()) == 5)
    info = simulator.infos()[-1]
    assert (info.frame_index, info.header.stamp.nanosec) == (1, 2 * 10**8)
    assert simulator.reset(scopes.SCOPE_SPAWNED).result == Result.RESULT_OK
    assert simulator.reset(64).result == Result.RESULT_OPERATION_FAILED
    first = [bytes(image.data) for image in simulator.probe.images][1:4]
    simulator.probe.images.clear()
    assert simulator.reset().result == Result.RESULT_OK
    assert simulator.step(3).result == Result.RESULT_OK
    simulator.probe.wait(lambda: len(simulator.probe.images) >= 4)
    assert [bytes(image.data) for image in simulator.probe.images][1:4] == first


def test_bad_worlds_are_refused_and_the_present_one_stays(simulator: Simulator, tmp_path: Path) -> None:
    codes = srv.LoadWorld.Response
    (tmp_path / "bad.yaml").write_text("name: [")
    refusals = {
        codes.NO_RESOURCE: {"uri": "atlantis"},
        codes.UNSUPPORTED_FORMAT: {"uri": "file:///worlds/warehouse.sdf"},
        codes.RESOURCE_PARSE_ERROR: {"uri": str(tmp_path / "bad.yaml")},
        codes.MISSING_ASSETS: {"resource_string": yaml.safe_dump({**WORLD, "image": "/none/first.png"})},
        codes.UNSUPPORTED_ELEMENTS: {
            "resource_string": yaml.safe_dump({**WORLD, "gravity": 9.8}), "fail_on_unsupported_element": True,
        },
        codes.UNSUPPORTED_ASSETS: {"resource_string": yaml.safe_dump({**WORLD, "model": "another"})},
    }  # fmt: skip
    for name in ("name", "description", "prompt"):
        lie = json.dumps({**WORLD, name: "half \ud800 of a pair"})  # no message can hold it
        refused = simulator.call(srv.LoadWorld, "load_world", resource_string=lie).result
        assert refused.result == codes.RESOURCE_PARSE_ERROR, refused.error_message
    for number in (2**64, 2**100, -1):
        assert simulator.load(seed=number).result.result == codes.RESOURCE_PARSE_ERROR
    assert simulator.load(tags="no list").result.result == codes.RESOURCE_PARSE_ERROR
    for code, fields in refusals.items():
        result = simulator.call(srv.LoadWorld, "load_world", **fields).result
        assert result.result == code, result.error_message
        assert result.error_message
    far = simulator.call(srv.GetAvailableWorlds, "get_available_worlds", additional_sources=["y" * 10_000]).result
    assert far.error_message.startswith("additional_sources: got a ")
    assert simulator.load(control=None).result.result == Result.RESULT_OPERATION_FAILED
    world = simulator.call(srv.GetCurrentWorld, "get_current_world").world
    assert (world.name, world.tags) == ("tiny", ["test"])
    assert simulator.state() == PAUSED


def test_reading_worlds_holds_no_other_service(simulator: Simulator) -> None:
    """More of them at once than the node has threads for callbacks, and each takes a second to read."""
    client = simulator.probe.node.create_client(srv.LoadWorld, "load_world")
    assert client.wait_for_service(PATIENCE_S)
    text = yaml.safe_dump({**WORLD, "model": "another"}) + f"more: [{'0, ' * 20_000}]\n"
    reading = [client.call_async(srv.LoadWorld.Request(resource_string=text)) for _ in range(5)]
    answers = 0
    while not any(future.done() for future in reading):
        assert simulator.state() == PAUSED
        answers += 1
    assert answers > 1  # the first of them came while all were being read
    simulator.probe.wait(lambda: all(future.done() for future in reading))
    assert all(future.result().result.error_message for future in reading)
    simulator.probe.node.destroy_client(client)


def test_worlds_by_name(simulator: Simulator) -> None:
    worlds = simulator.call(srv.GetAvailableWorlds, "get_available_worlds").worlds
    assert [world.name for world in worlds] == ["mine"]  # the shipped one is of another model
    answer = simulator.call(srv.LoadWorld, "load_world", uri=worlds[0].world_resource.uri)
    assert (answer.result.result, answer.world.name) == (Result.RESULT_OK, "mine")
    assert simulator.call(srv.LoadWorld, "load_world", uri="mine").result.result == Result.RESULT_OK
    assert simulator.state() == STOPPED


def test_the_camera_is_the_one_entity(simulator: Simulator) -> None:
    assert simulator.call(srv.GetEntities, "get_entities").entities == ["camera"]
    answer = simulator.call(srv.GetEntityState, "get_entity_state", entity="camera")
    assert answer.state.header.frame_id == "map"
    assert answer.state.pose.orientation.w == 1.0
    missing = simulator.call(srv.GetEntityState, "get_entity_state", entity="unicorn").result
    assert missing.result == Result.RESULT_NOT_FOUND
    request = srv.GetEntities.Request()
    request.filters.filter = "rob.*"
    assert simulator.call(srv.GetEntities, "get_entities", filters=request.filters).entities == []
    request.filters.bounds.type = Bounds.TYPE_SPHERE
    refused = simulator.call(srv.GetEntities, "get_entities", filters=request.filters).result
    assert refused.result == Result.RESULT_OPERATION_FAILED


def test_steps_as_an_action_with_feedback_and_cancel(simulator: Simulator) -> None:
    client = simulator.probe.action_client(SimulateSteps, "simulate_steps")
    told: list[tuple[int, int]] = []

    def hear(message: Any) -> None:
        told.append((message.feedback.completed_steps, message.feedback.remaining_steps))

    handle = simulator.probe.result(client.send_goal_async(SimulateSteps.Goal(steps=5), hear))
    answer = simulator.probe.result(handle.get_result_async())
    assert answer.result.result.result == Result.RESULT_OK
    assert told == [(k, 5 - k) for k in range(1, 6)]
    told.clear()
    handle = simulator.probe.result(client.send_goal_async(SimulateSteps.Goal(steps=100_000), hear))
    simulator.probe.wait(lambda: len(told) > 3)
    simulator.probe.result(handle.cancel_goal_async())
    answer = simulator.probe.result(handle.get_result_async())
    assert answer.result.result.result != Result.RESULT_OK
    assert "canceled" in answer.result.result.error_message
    assert simulator.state() == PAUSED
    assert simulator.step(1).result == Result.RESULT_OK
    client.destroy()


def test_a_node_on_simulated_time_keeps_step(simulator: Simulator) -> None:
    """Timers on ROS time fire by imagined time and stand still while the simulation is paused."""
    node = rclpy.create_node("follower", context=simulator.probe.context,
                             parameter_overrides=[Parameter("use_sim_time", value=True)])  # fmt: skip
    fired: list[float] = []
    node.create_timer(0.2, lambda: fired.append(node.get_clock().now().nanoseconds * 1e-9))
    simulator.probe.executor.add_node(node)
    try:
        for _ in range(10):
            before = simulator.clocks[-1] if simulator.clocks else 0.0
            assert simulator.step(1).result == Result.RESULT_OK
            simulator.probe.wait(lambda before=before: simulator.clocks[-1] > before)
        simulator.probe.wait(lambda: len(fired) >= 4)
        assert max(fired) <= 1.0
        count, now = len(fired), simulator.clocks[-1]
        simulator.probe.clear_and_wait(simulator.clocks, 5)
        assert set(simulator.clocks) == {now}
        assert len(fired) == count
    finally:
        simulator.probe.executor.remove_node(node)
        node.destroy_node()


def test_playing_in_realtime_passes_time_without_a_driver(model: Path, tmp_path: Path) -> None:
    with running_node(tmp_path, model__name=model, simulator__enabled="true") as (node, probe):
        probe.bring_up()
        simulator = Simulator(node, probe)
        assert simulator.load().result.result == Result.RESULT_OK
        assert simulator.go(PLAYING).result == Result.RESULT_OK
        probe.wait(lambda: len(simulator.infos()) > 5)
        assert {info.control_source for info in simulator.infos()} == {FrameInfo.SOURCE_NONE}
        probe.wait(lambda: simulator.clocks[-1] > 0.5)
        assert simulator.clocks == sorted(simulator.clocks)
        probe.act(9, [10.0, 10.0])
        probe.wait(lambda: simulator.infos()[-1].control_id == 9)
        # Another session takes over, and the simulator's ends: what played it drives nobody else, and nothing breaks.
        probe.start(session_id="other")
        ended = probe.call(EndSession, "end_session", EndSession.Request(session_id="simulation"))
        assert ended.error_msg == ""
        probe.act(10, [20.0, 20.0])
        probe.wait(lambda: probe.imagined("other"))
        assert {info.control_id for info in probe.imagined("other")} == {10}
        assert simulator.load().result.result == Result.RESULT_OK
        assert simulator.go(PLAYING).result == Result.RESULT_OK
        assert simulator.go(PAUSED).result == Result.RESULT_OK
        assert simulator.go(QUITTING).result == Result.RESULT_OK
        assert node.process.wait(PATIENCE_S) == 0


def test_one_clock_only(model: Path, tmp_path: Path) -> None:
    with running_node(tmp_path, model__name=model, simulator__enabled="true") as (node, probe):
        probe.node.create_publisher(Clock, "/clock", 1)
        probe.wait(lambda: probe.node.count_publishers("/clock") == 1)
        assert not probe.transition(1)
        probe.wait(lambda: "/probe publishes it already" in node.log_text())


def test_sigterm_while_stepping_ends_in_order(model: Path, tmp_path: Path) -> None:
    with running_node(tmp_path, model__name=model, mode="lockstep", simulator__enabled="true") as (node, probe):
        probe.bring_up()
        simulator = Simulator(node, probe)
        assert simulator.load().result.result == Result.RESULT_OK
        assert simulator.go(PAUSED).result == Result.RESULT_OK
        client = probe.node.create_client(srv.StepSimulation, "step_simulation")
        client.call_async(srv.StepSimulation.Request(steps=100_000))
        probe.wait(lambda: len(simulator.infos()) > 3)
        assert node.stop(signal.SIGTERM) == 0
        assert "Traceback" not in node.log_text()


def test_type_hashes_are_those_of_the_release() -> None:
    known = json.loads((ROOT / "test" / "data" / "simulation_interfaces_1.6.1_type_hashes.json").read_text())["hashes"]
    share = next(
        parent / "share" / "simulation_interfaces" for parent in Path(srv.__file__).parents
        if (parent / "share" / "simulation_interfaces").is_dir()
    )  # fmt: skip
    built = {}
    for path in share.glob("*/*.json"):
        for entry in json.loads(path.read_text())["type_hashes"]:
            built[entry["type_name"]] = entry["hash_string"]
    assert {name: built.get(name) for name in known} == known
