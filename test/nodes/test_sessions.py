"""Several sessions on one node: start, fork, save, restore, end, list; what happens in the middle of a chunk."""

from pathlib import Path

import numpy as np
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import String

from lingbot_msgs.msg import ErrorCode, RobotAction
from lingbot_msgs.srv import EndSession, ForkSession, ListSessions, RestoreSession, SaveSession, StartSession, Step
from test.support.imagination import Probe, image_message, picture, pixels, running_node

ACTIONS = np.random.default_rng(5).uniform(0, 512, (12, 2))


def step(probe: Probe, session_id: str, rows: np.ndarray) -> list[np.ndarray]:
    request = Step.Request(session_id=session_id, actions=[RobotAction(values=row) for row in rows])
    answer = probe.call(Step, "step", request)
    assert answer.error_msg == ""
    return [pixels(image) for image in answer.images]


def test_fork_and_restore_continue_exactly_as_the_original(probe: Probe) -> None:
    probe.start(session_id="trunk", seed=11)
    step(probe, "trunk", ACTIONS[:4])
    fork = probe.call(ForkSession, "fork_session", ForkSession.Request(session_id="trunk", new_session_id="branch"))
    assert (fork.session.parent_id, fork.session.branch_frame, fork.session.active) == ("trunk", 4, False)
    saved = probe.call(SaveSession, "save_session", SaveSession.Request(session_id="trunk", path="a.safetensors"))
    assert (saved.error_msg, Path(saved.path).stat().st_size) == ("", saved.size)
    straight = step(probe, "trunk", ACTIONS[4:8])
    request = RestoreSession.Request(path="a.safetensors", session_id="again", in_background=True)
    again = probe.call(RestoreSession, "restore_session", request).session
    assert (again.session_id, again.frame_index, again.active) == ("again", 4, False)
    back = probe.call(
        RestoreSession, "restore_session", RestoreSession.Request(path="a.safetensors", session_id="trunk")
    )
    assert (back.session.frame_index, back.session.active) == (4, True)
    for session_id in ("branch", "again", "trunk"):
        for frame, expected in zip(step(probe, session_id, ACTIONS[4:8]), straight, strict=True):
            np.testing.assert_array_equal(frame, expected)
    for session_id in ("branch", "again"):
        probe.call(EndSession, "end_session", EndSession.Request(session_id=session_id))


def test_a_snapshot_is_not_overwritten_unasked(probe: Probe) -> None:
    probe.start(session_id="trunk")
    save = SaveSession.Request(session_id="trunk", path="kept.safetensors")
    assert probe.call(SaveSession, "save_session", save).error_code == 0
    assert probe.call(SaveSession, "save_session", save).error_code == ErrorCode.INVALID_INPUT
    save.overwrite = True
    assert probe.call(SaveSession, "save_session", save).error_code == 0


def test_a_damaged_snapshot_is_refused(probe: Probe) -> None:
    probe.start(session_id="trunk")
    request = SaveSession.Request(session_id="trunk", path="cut.safetensors", overwrite=True)
    path = Path(probe.call(SaveSession, "save_session", request).path)
    path.write_bytes(path.read_bytes()[:-100])
    answer = probe.call(RestoreSession, "restore_session", RestoreSession.Request(path="cut.safetensors"))
    assert answer.error_code == ErrorCode.BAD_SNAPSHOT
    assert "truncated" in answer.error_msg
    missing = probe.call(RestoreSession, "restore_session", RestoreSession.Request(path="none.safetensors"))
    assert missing.error_msg.startswith("path: got 'none.safetensors'; no such file")


def test_start_session_in_the_middle_of_generation(probe: Probe) -> None:
    """Controls that wait are void, those that arrive late are refused by their session_id; the old session lives on."""
    probe.start(session_id="old")
    for k in range(200):
        probe.act(k + 1, ACTIONS[k % 12], session_id="old")
    probe.wait(lambda: len(probe.imagined("old")) > 5)
    probe.start(session_id="new")
    probe.act(1000, ACTIONS[0])
    probe.wait(lambda: probe.imagined("new"))
    assert [(info.frame_index, info.control_id) for info in probe.imagined("new")] == [(1, 1000)]
    sessions = {s.session_id: s for s in probe.call(ListSessions, "list_sessions").sessions}
    assert (sessions["new"].active, sessions["old"].active) == (True, False)
    assert sessions["old"].frame_index == len(probe.imagined("old"))
    order = [info.session_id for info in probe.infos]
    assert order == sorted(order, key=["old", "new"].index)
    probe.call(EndSession, "end_session", EndSession.Request(session_id="old"))


def test_start_session_of_the_same_id_replaces_it(probe: Probe) -> None:
    probe.start(session_id="same", seed=1)
    first = step(probe, "same", ACTIONS[:2])
    probe.start(session_id="same", seed=1)
    second = step(probe, "same", ACTIONS[:2])
    np.testing.assert_array_equal(first, second)
    listed = [s.session_id for s in probe.call(ListSessions, "list_sessions").sessions]
    assert listed.count("same") == 1


def test_a_refused_start_leaves_the_session_of_that_id(probe: Probe) -> None:
    probe.start(session_id="kept")
    step(probe, "kept", ACTIONS[:3])
    request = StartSession.Request(session_id="kept", prompt="snow", image=image_message(picture()))
    assert probe.call(StartSession, "start_session", request).error_code == ErrorCode.INVALID_INPUT
    sessions = {s.session_id: s for s in probe.call(ListSessions, "list_sessions").sessions}
    assert sessions["kept"].frame_index == 3


def test_an_ended_session_is_gone(probe: Probe) -> None:
    probe.start(session_id="gone")
    assert probe.call(EndSession, "end_session").session.session_id == "gone"
    answer = probe.call(Step, "step", Step.Request(actions=[RobotAction(values=ACTIONS[0])]))
    assert (answer.error_code, answer.error_msg) == (
        ErrorCode.UNKNOWN_SESSION,
        "session_id: empty, and no session is active; start one first",
    )


def test_limits_and_leases(model: Path, tmp_path: Path) -> None:
    with running_node(tmp_path, model__name=model, mode="lockstep", limits__sessions=2) as (_, probe):
        probe.bring_up()
        probe.start(session_id="one")
        probe.start(session_id="two", lease=0.2)
        refused = probe.start(session_id="three")
        assert refused.error_code == ErrorCode.OUT_OF_MEMORY
        assert refused.error_msg == "sessions: got 3; at most 2 may live (limits.sessions): end one first"
        ended = ("session 'two' ended: unused for 0.2 s", 1)
        probe.wait(lambda: (probe.statuses[-1].last_error_msg, probe.statuses[-1].session_count) == ended)
        assert probe.start(session_id="three").error_code == 0


def test_prompt_for_a_model_without_text_is_refused(probe: Probe) -> None:
    probe.start(session_id="deaf")
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    publisher = probe.node.create_publisher(String, "prompt", latched)
    publisher.publish(String(data="it rains"))
    probe.wait(lambda: probe.statuses[-1].last_error_msg.startswith("prompt: got 'it rains'"))
    probe.node.destroy_publisher(publisher)
    assert len(step(probe, "deaf", ACTIONS[:1])) == 1
