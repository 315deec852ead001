"""Services that answer whatever happens: what fails inside or cannot be sent becomes INTERNAL and a line in the log."""

from collections.abc import Callable
from typing import Any

from rclpy.executors import await_or_execute
from rclpy.service import Service

from lingbot_ros.errors import ErrorCode

ErrorReporter = Callable[[str, Exception], str]
"""Logs a failure of the service of that name, and returns the sentence for its client."""

_OPERATION_FAILED = 4
"""`simulation_interfaces/Result.RESULT_OPERATION_FAILED`."""


def always_answering(service: Service, report: ErrorReporter) -> Service:
    """The same service, guarded. A response is sent by rclpy after the callback: an error there ends the executor."""
    callback, send = service.callback, service.send_response

    async def answer(request: Any, response: Any) -> Any:
        try:
            return await await_or_execute(callback, request, response)
        except Exception as error:  # the boundary to the client
            return _failed(service.srv_type, report(service.srv_name, error))

    def send_response(response: Any, header: Any) -> None:
        try:
            send(response, header)
        except Exception as error:  # the boundary to the client
            # One whose own failure cannot be sent either has gone away, or ROS has been shut down.
            send(_failed(service.srv_type, report(service.srv_name, error)), header)

    service.callback, service.send_response = answer, send_response  # type: ignore[method-assign]
    return service


def _failed(kind: Any, message: str) -> Any:
    """An empty response with the failure in the fields that it has for one."""
    response = kind.Response()
    if hasattr(response, "error_code"):
        response.error_code, response.error_msg = int(ErrorCode.INTERNAL), message
    elif hasattr(getattr(response, "result", None), "error_message"):
        response.result.result, response.result.error_message = _OPERATION_FAILED, message
    return response
