"""Policies in other processes: real workers, a real openpi client, real faults."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, scalar_dtypes
from openpi_client import msgpack_numpy
from openpi_client.websocket_client_policy import WebsocketClientPolicy

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.policies import Observation, PolicyFailure
from lingbot_ros.evaluate.policies.contract import RowPolicies
from lingbot_ros.evaluate.policies.patience import Patience
from lingbot_ros.evaluate.policies.policies_file import read_policies
from lingbot_ros.evaluate.policies.server.client import Asking
from lingbot_ros.evaluate.policies.server.rows import server_policy
from lingbot_ros.evaluate.policies.server.serving import serve_policy
from lingbot_ros.evaluate.policies.server.wire import pack, unpack
from test.support.evaluated_policies import Seer, starts
from test.support.served_policies import Faulty

ROOT = Path(__file__).parents[3]
START, OTHER = starts(2)


def listed(folder: Path, *entries: str) -> list[RowPolicies]:
    """The policies of these entries, in a file beside which their module lies."""
    (folder / "served_policies.py").write_text((ROOT / "test" / "support" / "served_policies.py").read_text())
    path = folder / "policies.yaml"
    path.write_text("policies:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries))
    return read_policies(path)


def elsewhere(name: str, how: str = "", more: str = "") -> str:
    config = f"config: {{how: {how}}}, " if how else ""
    return f"name: {name}, entry_point: 'served_policies:Faulty', {config}python: {sys.executable}{more}"


@contextmanager
def closing(policies: list[RowPolicies]) -> Iterator[list[RowPolicies]]:
    try:
        yield policies
    finally:
        for policy in policies:
            policy.close()


def play(policy: RowPolicies, row: int, seed: int, count: int = 5) -> list[list[float]] | PolicyFailure:
    """The actions of a rollout, or how it failed."""
    failure = policy.begin(row, START, seed)
    if failure is not None:
        return failure
    found = []
    for step in range(count):
        (answer,) = policy.act([row], [Observation(START.image, step)])
        if isinstance(answer, PolicyFailure):
            return answer
        found.append(np.asarray(answer).tolist())
    policy.end(row)
    return found


kinds = scalar_dtypes().filter(lambda kind: kind.kind in "biuf" and kind.itemsize <= 8)
numbers = arrays(kinds, array_shapes(min_dims=0))


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.text(), st.one_of(numbers, st.text(), st.integers(-(2**63), 2**64 - 1), st.binary())))
def test_messages_are_openpi_s_to_the_last_byte(message: dict) -> None:
    data = pack(message)
    assert data == msgpack_numpy.packb(message)
    for key, value in unpack(data).items():
        np.testing.assert_array_equal(value, message[key])


@pytest.mark.parametrize("value", [np.array([object()]), object(), {1j}, np.zeros(1, "V4"), 2**70])
def test_what_is_no_number_is_not_sent(value: object) -> None:
    with pytest.raises(InputError, match="send numbers"):
        pack({"image": value})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        b"\x93\x01\x02\x03",
        msgpack_numpy.packb({"a": {b"__ndarray__": True, b"data": b"123", b"dtype": "<f4", b"shape": (1,)}}),
        msgpack_numpy.packb({"a": {b"__ndarray__": True, b"data": b"12345678", b"dtype": "|O", b"shape": (1,)}}),
        msgpack_numpy.packb({"a": {b"__ndarray__": True}}),
    ],
)
def test_damaged_messages_are_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="send"):
        unpack(data)


def test_openpi_s_own_client_is_answered() -> None:
    with serve_policy(Seer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        client = WebsocketClientPolicy("ws://127.0.0.1", server.socket.getsockname()[1])
        assert client.get_server_metadata() == {"takes_reset": True}
        client._ws.send(pack({"reset": 3}))
        client._ws.recv()
        actions = client.infer({"observation/image": START.image, "prompt": "push"})["actions"]
        seer = Seer()
        seer.reset(3)
        np.testing.assert_array_equal(actions, seer.act(Observation(START.image, 0)))
        with pytest.raises(RuntimeError, match=r"observation: got prompt; send uint8 \[h, w, 3\] as observation/image"):
            client.infer({"prompt": "push"})
        server.shutdown()


def test_a_worker_plays_as_the_policy_does_here_and_every_fault_is_its_own(tmp_path: Path) -> None:
    faults = ("crash", "die", "nan", "stall", "late")
    limit = ", answer_within_s: 0.5"
    entries = [elsewhere("well"), *(elsewhere(how, how, limit if how in ("stall", "late") else "") for how in faults)]
    with closing(listed(tmp_path, *entries)) as (well, *faulty):
        mine = Faulty()
        mine.reset(4)
        expected = [mine.act(Observation(START.image, step)).tolist() for step in range(5)]
        assert play(well, 0, seed=4) == play(well, 1, seed=4) == expected
        assert play(well, 0, seed=5) != expected
        found = {policy.name: play(policy, 0, seed=4) for policy in faulty}
        assert found["crash"] == PolicyFailure("policy_crashed", "RuntimeError: the gripper is gone")
        assert found["die"] == PolicyFailure("policy_gone", "its process ended with exit code 7: the driver gave up")
        assert np.isnan(found["nan"][2][1])  # which the evaluator counts as a bad action
        assert found["stall"] == PolicyFailure("policy_stalled", "no answer after 3 s")
        assert isinstance(found["late"], PolicyFailure) and found["late"].kind == "policy_late"
        # Each begins its next rollout as if nothing had been.
        for policy in faulty:
            assert play(policy, 0, seed=4, count=2) == expected[:2], policy.name


def test_a_worker_that_is_killed_is_gone_and_comes_back(tmp_path: Path) -> None:
    with closing(listed(tmp_path, elsewhere("well"))) as (well,):
        assert isinstance(play(well, 0, 1), list)
        process = well._worker._process
        os.kill(process.pid, signal.SIGKILL)
        (answer,) = well.act([0], [Observation(START.image, 5)])
        assert answer == PolicyFailure("policy_gone", "its process ended with exit code -9")
        assert isinstance(play(well, 0, 1), list)
    assert process.poll() == -signal.SIGKILL


def test_a_worker_ends_with_the_evaluator(tmp_path: Path) -> None:
    """Also with one that is killed: its end of the pipe closes."""
    with closing(listed(tmp_path, elsewhere("well"))) as (well,):
        play(well, 0, 1)
        process = well._worker._process
        process.stdin.close()
        assert process.wait(20) == 0


def test_a_policy_that_cannot_be_made_says_why_and_is_not_tried_again(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("print('loading')\nraise OSError('no camera here')\n")
    with closing(listed(tmp_path, f"name: broken, entry_point: 'broken:make', python: {sys.executable}")) as (broken,):
        first = play(broken, 0, 1)
        assert isinstance(first, PolicyFailure) and first.kind == "policy_gone"
        assert first.reason == "its process ended with exit code 1: OSError: no camera here"
        process = broken._worker._process
        assert play(broken, 1, 2) == first and broken._worker._process is process


def test_an_environment_that_lacks_something_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"policies\[0\].python: .*it cannot import no_such_robot; install it there"):
        listed(tmp_path, f"name: a, entry_point: 'no_such_robot:make', python: {sys.executable}")
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    with pytest.raises(InputError, match=r"bin/python -m pip install numpy websockets msgpack`"):
        listed(tmp_path, elsewhere("a").replace(sys.executable, str(bare / "bin" / "python")))
    (tmp_path / "text").write_text("no program")
    with pytest.raises(InputError, match="give the Python of an environment"):
        listed(tmp_path, elsewhere("a").replace(sys.executable, str(tmp_path / "text")))


def test_a_server_that_is_not_there_is_gone() -> None:
    far = server_policy("far", "ws://127.0.0.1:1", Asking(connect_within_s=0.3), Patience())
    for failure in (play(far, 0, 1), play(far, 1, 1)):
        assert isinstance(failure, PolicyFailure) and failure.kind == "policy_gone"
        assert failure.reason.startswith("no policy server at ws://127.0.0.1:1")
    far.close()
