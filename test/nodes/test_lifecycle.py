"""Bring-up, failures of bring-up, deactivation, and the end of the process."""

import signal
import time
from pathlib import Path

import pytest
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import GetState
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters

from lingbot_msgs.action import Imagine
from lingbot_msgs.msg import ErrorCode, RobotAction
from lingbot_msgs.srv import ListSessions, StartSession, Step
from test.support.imagination import Probe, image_message, picture, running_node
from test.support.tiny_model import write_tiny_model

CONFIGURE, CLEANUP = Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_CLEANUP
ACTIVATE, DEACTIVATE = Transition.TRANSITION_ACTIVATE, Transition.TRANSITION_DEACTIVATE
FIRST = StartSession.Request(image=image_message(picture()))


def state(probe: Probe) -> int:
    return int(probe.call(GetState, "get_state").current_state.id)


def set_text(probe: Probe, name: str, value: str) -> tuple[bool, str]:
    text = ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=value)
    request = SetParameters.Request(parameters=[Parameter(name=name, value=text)])
    (result,) = probe.call(SetParameters, "set_parameters", request).results
    return result.successful, result.reason


def test_an_unknown_model_fails_in_configure_and_can_be_corrected(model: Path, tmp_path: Path) -> None:
    with running_node(tmp_path, model__name="no-such") as (node, probe):
        assert not probe.transition(CONFIGURE)
        assert "configure failed: model: got 'no-such'; known models: " in node.log_text()
        assert "Traceback" not in node.log_text()
        assert state(probe) == State.PRIMARY_STATE_UNCONFIGURED
        assert set_text(probe, "model.name", str(model)) == (True, "")
        probe.bring_up()
        refused = (False, "read at configure: clean up the node first")
        assert set_text(probe, "mode", "lockstep") == refused
        sim_time = ParameterValue(type=ParameterType.PARAMETER_BOOL, bool_value=True)
        request = SetParameters.Request(parameters=[Parameter(name="use_sim_time", value=sim_time)])
        (result,) = probe.call(SetParameters, "set_parameters", request).results
        assert (result.successful, result.reason) == refused


def test_truncated_weights_fail_in_configure(tmp_path: Path) -> None:
    broken = write_tiny_model(tmp_path / "models")
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    with running_node(tmp_path, model__name=broken) as (node, probe):
        assert not probe.transition(CONFIGURE)
        assert "model.safetensors" in node.log_text()
        assert "truncated" in node.log_text()
        assert state(probe) == State.PRIMARY_STATE_UNCONFIGURED


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"mode": "warp"}, "mode: got 'warp'; use one of realtime, lockstep"),
        ({"model__engine": "steam"}, "engine: got 'steam'"),
        ({"input__stale": "panic"}, "input.stale: got 'panic'; use one of hold, decay, stop"),
    ],
    ids=["mode", "engine", "stale"],
)
def test_a_bad_parameter_fails_in_configure(
    model: Path, tmp_path: Path, parameters: dict[str, object], message: str
) -> None:
    with running_node(tmp_path, model__name=model, **parameters) as (node, probe):
        assert not probe.transition(CONFIGURE)
        assert f"configure failed: {message}" in node.log_text()


def test_deactivation_ends_goals_and_keeps_sessions(model: Path, tmp_path: Path) -> None:
    with running_node(tmp_path, model__name=model, mode="lockstep") as (_, probe):
        probe.bring_up()
        probe.start(session_id="kept")
        long = Imagine.Goal(actions=[RobotAction(values=[1.0, 2.0])] * 20_000)
        handle = probe.result(probe.action_client(Imagine).send_goal_async(long))
        probe.wait(lambda: len(probe.imagined()) > 2)
        assert probe.transition(DEACTIVATE)
        ended = probe.result(handle.get_result_async()).result
        assert ended.error_code == ErrorCode.NOT_ACTIVE
        refused = probe.call(Step, "step", Step.Request(actions=[RobotAction(values=[1.0, 2.0])]))
        assert (refused.error_code, refused.error_msg) == (
            ErrorCode.NOT_ACTIVE,
            "the node is not active; activate it first",
        )
        assert probe.transition(ACTIVATE)
        (session,) = probe.call(ListSessions, "list_sessions").sessions
        assert (session.session_id, session.frame_index) == ("kept", ended.frames)


def test_cleanup_frees_everything_and_configure_works_again(model: Path, tmp_path: Path) -> None:
    with running_node(tmp_path, model__name=model, mode="lockstep") as (_, probe):
        for turn in ("first", "second"):
            probe.bring_up()
            assert probe.call(ListSessions, "list_sessions").sessions == []
            probe.start(session_id=turn)
            probe.act(1, [1.0, 2.0])
            probe.wait(lambda turn=turn: probe.imagined(turn))
            assert probe.transition(DEACTIVATE)
            assert probe.transition(CLEANUP)
            assert state(probe) == State.PRIMARY_STATE_UNCONFIGURED


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_in_the_middle_of_a_goal_ends_the_process_cleanly(
    model: Path, tmp_path: Path, number: signal.Signals, record_property: pytest.FixtureRequest
) -> None:
    with running_node(tmp_path, model__name=model, mode="lockstep") as (node, probe):
        probe.bring_up()
        probe.start(session_id="busy")
        probe.result(
            probe.action_client(Imagine).send_goal_async(
                Imagine.Goal(actions=[RobotAction(values=[1.0, 2.0])] * 20_000)
            )
        )
        probe.wait(lambda: len(probe.imagined()) > 2)
        sent_s = time.monotonic()
        code = node.stop(number)
        print(f"ended {time.monotonic() - sent_s:.2f} s after {number.name}")
        assert code == 0
        assert "Traceback" not in node.log_text()


@pytest.mark.parametrize("after_s", [0.2, 0.6, 1.2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_while_the_process_begins_ends_it_cleanly(
    tmp_path: Path, number: signal.Signals, after_s: float
) -> None:
    """The pause is what is varied: Python itself, imports, ROS, the node."""
    with running_node(tmp_path) as (node, _):
        time.sleep(after_s)
        code = node.stop(number)
        # Before Python has read this program, the system's own rule holds: the signal ends the process.
        assert code in (0, -number)
        assert "Traceback" not in node.log_text()


def test_an_unconfigured_node_ends_cleanly(tmp_path: Path) -> None:
    with running_node(tmp_path) as (node, probe):
        assert state(probe) == State.PRIMARY_STATE_UNCONFIGURED
        assert node.stop() == 0


def test_cleanup_while_a_goal_ends_answers_it_and_the_process_lives_on(model: Path, tmp_path: Path) -> None:
    """The interfaces are destroyed while the executor waits on them and callbacks use them."""
    with running_node(tmp_path, model__name=model, mode="lockstep") as (node, probe):
        goals = probe.action_client
        client = None
        for _ in range(20):
            assert probe.transition(CONFIGURE) and probe.transition(ACTIVATE)
            client = client or goals(Imagine)
            assert client.wait_for_server(60)
            assert probe.call(StartSession, "start_session", FIRST).error_msg == ""
            handle = probe.result(client.send_goal_async(Imagine.Goal(actions=[RobotAction(values=[1.0, 2.0])] * 5000)))
            ended = handle.get_result_async()
            assert probe.transition(DEACTIVATE) and probe.transition(CLEANUP)
            assert probe.result(ended).result.error_code == ErrorCode.NOT_ACTIVE
        assert state(probe) == State.PRIMARY_STATE_UNCONFIGURED
        assert node.stop() == 0
        assert "Traceback" not in node.log_text()
