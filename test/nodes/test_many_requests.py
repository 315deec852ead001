"""Hundreds of calls at once: each is answered, with what it asked for or with BUSY.

The clients here are as deep as the service, because DDS shows every client in a process the answers to all others.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from rclpy.qos import QoSProfile

from lingbot_msgs.msg import ErrorCode, RobotAction
from lingbot_msgs.srv import ListSessions, Step
from test.support.imagination import PATIENCE_S, Probe, running_node

CLIENTS = 200
STEP = Step.Request(actions=[RobotAction(values=[1.0, 2.0])], omit_images=True)


def ask_at_once(probe: Probe, kind: Any, name: str, request: Any) -> Counter[int]:
    """Each client one call, all before the first answer is looked at; how often each code came."""
    deep = QoSProfile(depth=2 * CLIENTS)
    clients = [probe.node.create_client(kind, f"imagination/{name}", qos_profile=deep) for _ in range(CLIENTS)]
    for client in clients:
        assert client.wait_for_service(PATIENCE_S)
    pending = [client.call_async(request) for client in clients]
    probe.wait(lambda: all(future.done() for future in pending))
    codes = Counter(int(future.result().error_code) for future in pending)
    for client in clients:
        probe.node.destroy_client(client)
    return codes


@pytest.mark.parametrize("requests", [256, 20], ids=["room for all", "room for few"])
def test_two_hundred_clients_at_once(model: Path, tmp_path: Path, requests: int) -> None:
    with running_node(tmp_path, model__name=model, mode="lockstep", limits__requests=requests) as (_, probe):
        probe.bring_up()
        probe.start(session_id="shared")
        stepped = ask_at_once(probe, Step, "step", STEP)
        assert set(stepped) <= {ErrorCode.NONE, ErrorCode.BUSY}
        assert stepped[ErrorCode.NONE] == CLIENTS if requests > CLIENTS else stepped[ErrorCode.NONE] >= requests
        (session,) = probe.call(ListSessions, "list_sessions").sessions
        assert session.frame_index == stepped[ErrorCode.NONE]
        listed = ask_at_once(probe, ListSessions, "list_sessions", ListSessions.Request())
        assert sum(listed.values()) == CLIENTS
        print(f"{requests} may wait: {dict(stepped)}, {dict(listed)}")
