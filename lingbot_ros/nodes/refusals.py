"""What a node says of a failure: to its log, and to the client that it answers."""

import traceback
from typing import Any

from rclpy.node import Node

from lingbot_ros.errors import ErrorCode, LingbotError, printable


def refuse(node: Node, what: str, error: Exception, answer: Any = None, *, always: bool = False) -> None:
    """Log a failure, and write it into a response or result that ends in error_code and error_msg.

    always: also where it has no answer and many come at once; only the log says it then.
    """
    if not node.context.ok():
        return  # a signal took ROS down before this process ends in order: what cannot be sent any more is no fault
    code = error.code if isinstance(error, LingbotError) else ErrorCode.INTERNAL
    message = str(error) if isinstance(error, LingbotError) else printable(f"{type(error).__name__}: {error}")
    log = node.get_logger()
    if code is ErrorCode.INTERNAL:
        log.error(f"{what}: {message}\n{printable(''.join(traceback.format_exception(error)))}")
    elif answer is not None or always:
        log.warning(f"{what} refused: {message}")
    else:
        # A topic can be wrong a hundred times a second.
        log.warning(f"{what} refused: {message}", throttle_duration_sec=0.5)
    if answer is not None:
        answer.error_code, answer.error_msg = int(code), message
