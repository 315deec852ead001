"""Eight sessions on one model: fair turns, memory, leases of clients that vanish, two clients on one session."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Any

import numpy as np
import pytest

from lingbot_msgs.action import Imagine
from lingbot_msgs.msg import ErrorCode, RobotAction
from lingbot_msgs.srv import EndSession, ListSessions, StartSession, Step
from lingbot_ros.world import World
from test.support.imagination import ROOT, Probe, image_message, isolated_environment, picture, pixels, running_node

ACTIONS = np.random.default_rng(5).uniform(0, 512, (64, 2))
NAMES = [f"s{k}" for k in range(8)]
ENDLESS, ROUNDS = 4_096, 5


@pytest.fixture(scope="module")
def world(model: Path) -> World:
    return World.load(model, threads=1)


@pytest.fixture
def client(model: Path, world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Probe]:
    """A node with memory for eight sessions and a half, a fresh one for each test: a failure stays its own."""
    memory = int(8.5 * world.info.session_bytes)
    limits = {"limits.sessions": 100, "limits.memory": memory}
    with running_node(tmp_path_factory.mktemp("node"), model__name=model, mode="lockstep", **limits) as (_, probe):
        probe.bring_up()
        yield probe


def frame_indices(probe: Probe) -> dict[str, int]:
    return {s.session_id: s.frame_index for s in probe.call(ListSessions, "list_sessions").sessions}


def test_eight_rollouts_advance_evenly_and_a_ninth_session_finds_no_memory(client: Probe) -> None:
    for name in NAMES:
        assert client.start(session_id=name, in_background=True).error_msg == ""
    refused = client.start(session_id="ninth", in_background=True)
    assert refused.error_code == ErrorCode.OUT_OF_MEMORY
    assert refused.error_msg.startswith("memory: 9 sessions need ") and "limits.memory allows" in refused.error_msg

    goals = client.action_client(Imagine)
    actions = [RobotAction(values=row) for row in ACTIONS] * (ENDLESS // 64)
    sent = [goals.send_goal_async(Imagine.Goal(session_id=name, actions=actions)) for name in NAMES]
    handles = [client.result(each) for each in sent]
    assert all(handle.accepted for handle in handles)
    client.wait(lambda: min(frame_indices(client).values()) > 0)
    before = frame_indices(client)
    progress = [0]
    deadline_s = monotonic() + 60.0
    while min(progress) < ROUNDS:
        assert monotonic() < deadline_s, f"a session stands still: {progress} frames since {before}"
        now = frame_indices(client)
        progress = [now[name] - before[name] for name in NAMES]
        assert max(progress) - min(progress) <= 1
    for handle in handles:
        client.result(handle.cancel_goal_async())
    results = [client.result(handle.get_result_async()).result for handle in handles]
    assert {result.error_code for result in results} == {ErrorCode.CANCELED}
    assert [result.frames for result in results] == [result.session.frame_index for result in results]
    for name in NAMES:
        client.call(EndSession, "end_session", EndSession.Request(session_id=name))


STEPPER = """
import json, sys
from test.support.imagination import Probe
from test.nodes.test_many_sessions import stepped
probe = Probe(int(sys.argv[1]))
print("ready", flush=True)
print(json.dumps(stepped(probe, 7)), flush=True)
probe.close()
"""


def stepped(probe: Probe, shift: int) -> list[list[Any]]:
    """Twenty steps of two chunks on `shared`: of each the first frame's index, the actions, a digest of the frames."""
    answers = []
    for number in range(20):
        rows = np.roll(ACTIONS, shift + number, axis=0)[:2]
        request = Step.Request(session_id="shared", actions=[RobotAction(values=row) for row in rows])
        answer = probe.call(Step, "step", request)
        assert answer.error_msg == ""
        first, second = (info.frame_index for info in answer.frames)
        assert second == first + 1 and answer.session.frame_index >= second
        digest = hashlib.sha256(np.stack([pixels(image) for image in answer.images])).hexdigest()
        answers.append([first, rows.tolist(), digest])
    return answers


def test_two_clients_step_one_session(client: Probe, world: World) -> None:
    """Their steps are put in one order, and every answer is what that order gives."""
    client.start(session_id="shared", seed=3)
    command = [sys.executable, "-c", STEPPER, str(client.context.get_domain_id())]
    with subprocess.Popen(command, env=isolated_environment(), cwd=ROOT, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "ready\n"
        mine: list[list[Any]] = []
        thread = Thread(target=lambda: mine.extend(stepped(client, 0)))
        thread.start()
        theirs = json.loads(other.stdout.readline())
        thread.join()
    answers = sorted(mine + theirs)
    assert [first for first, _, _ in answers] == list(range(1, 80, 2))
    session = world.start(picture(), seed=3)
    for _, rows, digest in answers:
        frames = np.concatenate([session.step([row]) for row in rows])
        assert hashlib.sha256(frames).hexdigest() == digest
    session.close()
    client.call(EndSession, "end_session", EndSession.Request(session_id="shared"))


VANISHING = """
import sys, time
from lingbot_msgs.msg import RobotAction
from lingbot_msgs.srv import StartSession, Step
from test.support.imagination import Probe, image_message, picture
probe = Probe(int(sys.argv[1]))
request = StartSession.Request(session_id="leased", in_background=True, lease=2.0, image=image_message(picture()))
assert probe.call(StartSession, "start_session", request).error_msg == ""
while True:
    probe.call(Step, "step", Step.Request(session_id="leased", actions=[RobotAction(values=[1.0, 2.0])]))
    print("stepped", flush=True)
"""


def test_sessions_of_a_client_that_vanished_expire(client: Probe) -> None:
    request = StartSession.Request(session_id="stays", in_background=True, image=image_message(picture()))
    assert client.call(StartSession, "start_session", request).error_msg == ""
    command = [sys.executable, "-c", VANISHING, str(client.context.get_domain_id())]
    with subprocess.Popen(command, env=isolated_environment(), cwd=ROOT, stdout=subprocess.PIPE, text=True) as doomed:
        assert doomed.stdout is not None and doomed.stdout.readline() == "stepped\n"
        assert set(frame_indices(client)) == {"stays", "leased"}
        doomed.kill()
    client.wait(lambda: set(frame_indices(client)) == {"stays"})
    client.wait(lambda: client.statuses[-1].last_error_msg == "session 'leased' ended: unused for 2.0 s")
    client.call(EndSession, "end_session", EndSession.Request(session_id="stays"))
