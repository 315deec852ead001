"""Lifecycle callbacks that never fail in silence."""

import functools
import traceback
from collections.abc import Callable
from typing import TypeVar

from rclpy.exceptions import InvalidHandle
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from lingbot_ros.errors import LingbotError

N = TypeVar("N", bound=LifecycleNode)
Transition = Callable[[N, LifecycleState], TransitionCallbackReturn]


def reported(transition: Transition[N]) -> Transition[N]:
    """Log what a transition raises; rclpy itself would swallow it.

    An expected error (a bad parameter, a missing file) is FAILURE, which keeps the node in its state; anything else is
    ERROR, which goes through `on_error`.
    """

    @functools.wraps(transition)
    def call(node: N, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            return transition(node, state)
        except LingbotError as error:
            node.get_logger().error(f"{transition.__name__[3:]} failed: {error}")
            return TransitionCallbackReturn.FAILURE
        except Exception:  # the boundary to rclpy, which drops exceptions
            if _is_gone(node):  # a signal ended it meanwhile: what it can no longer make is no fault
                return TransitionCallbackReturn.ERROR
            node.get_logger().error(f"{transition.__name__[3:]} failed:\n{traceback.format_exc()}")
            return TransitionCallbackReturn.ERROR

    return call


def _is_gone(node: LifecycleNode) -> bool:
    """Whether the node was destroyed."""
    try:
        with node.handle:
            return False
    except InvalidHandle:
        return True
