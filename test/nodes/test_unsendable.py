"""What fails in a callback, or cannot be sent, ends that request: the node answers INTERNAL, logs, and goes on."""

import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import rclpy
from lifecycle_msgs.srv import GetAvailableTransitions, GetState
from rcl_interfaces.srv import ListParameters
from rclpy.service import Service
from std_msgs.msg import String

from lingbot_msgs.msg import ErrorCode, SessionInfo
from lingbot_msgs.srv import EndSession, ListSessions
from lingbot_ros.nodes.executor import PooledExecutor
from lingbot_ros.nodes.imagination.node import ImaginationNode
from test.support.imagination import PATIENCE_S, Probe, isolated_environment


@pytest.fixture
def node() -> Iterator[tuple[ImaginationNode, Probe]]:
    """The node of the product in this process, unconfigured, spinning in a thread; and a probe."""
    domain_id = int(isolated_environment()["ROS_DOMAIN_ID"])
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    rclpy.init(domain_id=domain_id)
    executor = PooledExecutor(2)
    imagination = ImaginationNode()
    executor.add_node(imagination)
    thread = threading.Thread(target=executor.spin)
    thread.start()
    probe = Probe(domain_id)
    yield imagination, probe
    probe.close()
    executor.shutdown(timeout_sec=5.0)
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    imagination.destroy_node()
    rclpy.try_shutdown()


def broken(_: Any, response: Any) -> Any:
    raise ArithmeticError("half \ud800 of a pair")


def with_session(**fields: Any) -> Callable[[Any, Any], Any]:
    def answer(_: Any, response: Any) -> Any:
        response.session = SessionInfo(**fields)
        return response

    return answer


@pytest.mark.parametrize(
    "callback",
    [
        broken,
        with_session(prompt="half \ud800 of a pair"),
        with_session(chunk_index=2**70),
        with_session(frame_index=-1),
        lambda request, response: None,
        lambda request, response: "no response",
    ],
    ids=["raises", "surrogate", "too large", "negative", "nothing", "another type"],
)
def test_an_answer_comes_all_the_same(node: tuple[ImaginationNode, Probe], callback: Callable[[Any, Any], Any]) -> None:
    imagination, probe = node
    imagination.create_service(EndSession, "~/broken", callback)
    imagination.create_service(ListSessions, "~/whole", lambda request, response: response)
    for _ in range(3):
        answer = probe.call(EndSession, "broken")
        assert answer.error_code == ErrorCode.INTERNAL
        assert answer.error_msg
    assert probe.call(ListSessions, "whole").error_code == ErrorCode.NONE


def test_topics_and_timers_that_fail_end_nothing(node: tuple[ImaginationNode, Probe]) -> None:
    imagination, probe = node
    failed = threading.Barrier(2, timeout=PATIENCE_S)

    def fail(*_: Any) -> None:
        failed.wait()
        raise ArithmeticError("half \ud800 of a pair")

    imagination.create_subscription(String, "failing", fail, 10)
    publisher = probe.node.create_publisher(String, "failing", 10)
    probe.wait(lambda: publisher.get_subscription_count() == 1)
    for _ in range(3):
        publisher.publish(String())
        failed.wait()
    timer = imagination.create_timer(0.01, fail)
    for _ in range(3):
        failed.wait()
    timer.cancel()
    failed.reset()
    imagination.create_service(ListSessions, "~/whole", lambda request, response: response)
    assert probe.call(ListSessions, "whole").error_code == ErrorCode.NONE


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (GetState, "get_state"),
        (GetAvailableTransitions, "get_available_transitions"),
        (ListParameters, "list_parameters"),
    ],
)
def test_services_that_every_node_has_reach_a_client_that_is_new(
    kind: Any, name: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """DDS did not know the client's reader in time, and rclpy forgot the response: the first call never returned."""
    send, lost = Service.send_response, []

    def send_the_second_time(service: Any, response: Any, header: Any) -> None:
        if service.srv_name.endswith(name) and not lost:
            lost.append(response)
            raise SystemError("returned a result with an exception set") from RuntimeWarning("failed to send response")
        send(service, response, header)

    monkeypatch.setattr(Service, "send_response", send_the_second_time)
    _, probe = request.getfixturevalue("node")
    assert probe.call(kind, name) == lost[0]
