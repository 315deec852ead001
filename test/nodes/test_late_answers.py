"""The response to a client that DDS has not discovered completely is sent again, and that is not for ever."""

import threading
import warnings
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="needs ROS")
from lingbot_ros.nodes import answering
from lingbot_ros.nodes.answering import always_answering
from test.support.imagination import PATIENCE_S

NOT_YET = "failed to send response (timeout): client will not receive response, at rmw_response.cpp:164"


class EarlyService:
    """Reaches its client at the last of `attempts`, as rclpy's service tells of it from C."""

    srv_name = "list_sessions"

    def __init__(self, attempts: int) -> None:
        self.attempts, self.sent, self.done = attempts, [], threading.Event()

    def callback(self, request: Any, response: Any) -> Any:
        return response

    def send_response(self, response: Any, header: Any) -> None:
        self.attempts -= 1
        if self.attempts > 0:
            try:
                warnings.warn(NOT_YET, RuntimeWarning, stacklevel=1)
            except RuntimeWarning as warning:
                raise SystemError("returned a result with an exception set") from warning
            return
        self.sent.append((response, header))
        self.done.set()


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "_AGAIN_AFTER_S", (0.0, 0.0, 0.0))


@pytest.mark.filterwarnings(f"error:{answering._NOT_YET}:RuntimeWarning")
@pytest.mark.parametrize("attempts", [1, 2, 4])
def test_a_response_reaches_a_client_that_is_new(attempts: int) -> None:
    service: Any = EarlyService(attempts)
    guarded = always_answering(service, lambda name, error: pytest.fail(str(error)))
    guarded.send_response("answer", "header")  # type: ignore[arg-type]
    assert service.done.wait(PATIENCE_S)
    assert service.sent == [("answer", "header")]


@pytest.mark.filterwarnings(f"error:{answering._NOT_YET}:RuntimeWarning")
def test_a_client_that_never_appears_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    said, given_up = [], threading.Event()

    class Logger:
        def warning(self, text: str) -> None:
            said.append(text)
            given_up.set()

    monkeypatch.setattr(answering, "get_logger", lambda name: Logger())
    service: Any = EarlyService(100)
    always_answering(service, lambda name, error: pytest.fail(str(error))).send_response("answer", "header")  # type: ignore[arg-type]
    assert given_up.wait(PATIENCE_S)
    assert said == ["list_sessions: a client was not reached; it must call again"] and service.attempts == 96


def test_the_process_sees_the_warning_as_an_error() -> None:
    assert any(kind is RuntimeWarning and how == "error" and text.pattern == answering._NOT_YET
               for how, text, kind, *_ in FILTERS if text)  # fmt: skip


FILTERS = list(warnings.filters)
