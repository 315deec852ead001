"""Services that answer whatever happens: what fails inside or cannot be sent becomes INTERNAL and a line in the log."""

import warnings
from collections.abc import Callable, Sequence
from threading import Timer
from typing import Any

from rclpy.exceptions import InvalidHandle
from rclpy.executors import await_or_execute
from rclpy.logging import get_logger
from rclpy.service import Service

from lingbot_ros.errors import ErrorCode

ErrorReporter = Callable[[str, Exception], str]
"""Logs a failure of the service of that name, and returns the sentence for its client."""

_OPERATION_FAILED = 4
"""`simulation_interfaces/Result.RESULT_OPERATION_FAILED`."""
_AGAIN_AFTER_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Pauses between attempts to send a response to a client that DDS has not discovered completely."""
_NOT_YET = "failed to send response \\(timeout\\)"
# rclpy only warns, once in the life of a process, and forgets the response.
warnings.filterwarnings("error", _NOT_YET, RuntimeWarning)


def always_answering(service: Service, report: ErrorReporter) -> Service:
    """The same service, guarded. A response is sent by rclpy after the callback: an error there ends the executor.

    The response to a client that is new can be early: its own reader must be known to DDS, which takes longer than the
    0.1 s that ROS waits when hundreds appear at once, or on a busy machine. It is then sent again.
    """
    callback, send = service.callback, service.send_response

    async def answer(request: Any, response: Any) -> Any:
        try:
            return await await_or_execute(callback, request, response)
        except Exception as error:  # the boundary to the client
            return _failed(service.srv_type, report(service.srv_name, error))

    def send_response(response: Any, header: Any) -> None:
        try:
            if not _sent(send, response, header):
                _send_later(service, send, response, header, _AGAIN_AFTER_S)
        except Exception as error:  # the boundary to the client
            # One whose own failure cannot be sent either has gone away, or ROS has been shut down.
            send(_failed(service.srv_type, report(service.srv_name, error)), header)

    service.callback, service.send_response = answer, send_response  # type: ignore[method-assign]
    return service


def _sent(send: Callable[[Any, Any], None], response: Any, header: Any) -> bool:
    """Whether the client could be reached."""
    try:
        send(response, header)
    except (RuntimeWarning, SystemError) as error:  # what a warning that is an error becomes in C
        if isinstance(error, RuntimeWarning) or isinstance(error.__cause__, RuntimeWarning):
            return False
        raise
    return True


def _send_later(
    service: Service, send: Callable[[Any, Any], None], response: Any, header: Any, pauses_s: Sequence[float]
) -> None:
    if not pauses_s:
        get_logger("services").warning(f"{service.srv_name}: a client was not reached; it must call again")
        return

    def attempt() -> None:
        try:
            if not _sent(send, response, header):
                _send_later(service, send, response, header, pauses_s[1:])
        except InvalidHandle:
            pass  # the service was withdrawn meanwhile

    later = Timer(pauses_s[0], attempt)
    later.daemon = True
    later.start()


def _failed(kind: Any, message: str) -> Any:
    """An empty response with the failure in the fields that it has for one."""
    response = kind.Response()
    if hasattr(response, "error_code"):
        response.error_code, response.error_msg = int(ErrorCode.INTERNAL), message
    elif hasattr(getattr(response, "result", None), "error_message"):
        response.result.result, response.result.error_message = _OPERATION_FAILED, message
    return response
