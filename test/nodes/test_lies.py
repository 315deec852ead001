"""Files and numbers that are well formed and cannot be true end the request that brought them, never the node."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from builtin_interfaces.msg import Time

from lingbot_msgs.msg import ErrorCode, RobotAction
from lingbot_msgs.srv import ListSessions, RestoreSession, SaveSession, Step
from lingbot_ros.world import Snapshot
from test.support.imagination import NodeUnderTest, Probe, running_node
from test.support.snapshot_lies import LIES, write_lie

STEP = Step.Request(actions=[RobotAction(values=[1.0, 2.0])])


@pytest.fixture(scope="module")
def liar(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[NodeUnderTest, Probe, Path]]:
    """An active node in lockstep with a session of two frames and the snapshot of it."""
    folder = tmp_path_factory.mktemp("node")
    with running_node(folder, model__name=model, mode="lockstep") as (node, probe):
        probe.bring_up()
        probe.start(session_id="true")
        for _ in range(2):
            assert probe.call(Step, "step", STEP).error_msg == ""
        assert probe.call(SaveSession, "save_session", SaveSession.Request(path="true.snapshot")).error_msg == ""
        yield node, probe, folder / "snapshots" / "true.snapshot"


def goes_on(node: NodeUnderTest, probe: Probe) -> None:
    """The session lives, everybody is listed, and time passes."""
    assert node.process.poll() is None
    listed = probe.call(ListSessions, "list_sessions")
    assert (listed.error_msg, [session.session_id for session in listed.sessions]) == ("", ["true"])
    assert probe.call(Step, "step", STEP).error_msg == ""


@pytest.mark.parametrize("into", ["true", "new"])
@pytest.mark.parametrize("lie", LIES)
def test_a_snapshot_that_lies_is_refused(liar: tuple[NodeUnderTest, Probe, Path], lie: str, into: str) -> None:
    node, probe, path = liar
    write_lie(path, lie, path.with_name("lie.snapshot"))
    answer = probe.call(RestoreSession, "restore_session", RestoreSession.Request(path="lie.snapshot", session_id=into))
    assert answer.error_code == ErrorCode.BAD_SNAPSHOT, answer.error_msg
    assert answer.error_msg.startswith("snapshot")
    goes_on(node, probe)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        *(("cache.k_cache_0", damage) for damage in ("missing", "NaN", "cut")),
        *(("condition.previous_frames", damage) for damage in ("missing", "NaN", "cut")),
        *(("control.last_action", damage) for damage in ("NaN", "cut")),
    ],
)
def test_tensors_that_lie_are_refused(liar: tuple[NodeUnderTest, Probe, Path], name: str, damage: str) -> None:
    node, probe, path = liar
    snapshot = Snapshot.load(path)
    tensors = dict(snapshot.tensors)
    if damage == "missing":
        del tensors[name]
    elif damage == "NaN":
        tensors[name] = tensors[name] * float("nan")
    else:
        tensors[name] = tensors[name].reshape(-1)[:1]
    Snapshot(snapshot.meta, tensors).save(path.with_name("lie.snapshot"))
    request = RestoreSession.Request(path="lie.snapshot", session_id="true")
    assert probe.call(RestoreSession, "restore_session", request).error_code == ErrorCode.BAD_SNAPSHOT
    goes_on(node, probe)


def test_time_ends_before_the_last_stamp(liar: tuple[NodeUnderTest, Probe, Path]) -> None:
    node, probe, _ = liar
    last = Time(sec=2**31 - 1, nanosec=850_000_000)
    started = probe.start(session_id="late", start_stamp=last)
    assert started.error_msg == ""
    request = Step.Request(session_id="late", actions=[RobotAction(values=[1.0, 2.0])])
    assert probe.call(Step, "step", request).error_msg == ""
    ended = probe.call(Step, "step", request)
    assert ended.error_code == ErrorCode.SESSION_CLOSED
    assert "would pass 2^31 s" in ended.error_msg
    sessions = probe.call(ListSessions, "list_sessions").sessions
    assert [(session.session_id, session.frame_index) for session in sessions][-1] == ("late", 1)
    assert node.process.poll() is None


@pytest.mark.parametrize("stamp", [Time(sec=-1), Time(sec=5, nanosec=10**9)], ids=["negative", "a second of ns"])
def test_a_stamp_that_is_none(liar: tuple[NodeUnderTest, Probe, Path], stamp: Time) -> None:
    _, probe, _ = liar
    assert probe.start(session_id="when", start_stamp=stamp).error_code == ErrorCode.INVALID_INPUT
    action = RobotAction(values=[1.0, 2.0])
    action.header.stamp = stamp
    assert probe.call(Step, "step", Step.Request(actions=[action])).error_code == ErrorCode.INVALID_INPUT


@pytest.mark.parametrize("name", ["x" * 201, "x" * 5_000_000], ids=["long", "endless"])
def test_a_name_that_is_too_long(liar: tuple[NodeUnderTest, Probe, Path], name: str) -> None:
    _, probe, _ = liar
    answer = probe.start(session_id=name)
    assert (answer.error_code, len(answer.error_msg) < 300) == (ErrorCode.INVALID_INPUT, True)
    saved = probe.call(SaveSession, "save_session", SaveSession.Request(path=f"{name}x" * 2, overwrite=True))
    assert saved.error_code == ErrorCode.INVALID_INPUT
