"""Timers that keep real time, whatever /clock does."""

from collections.abc import Callable

from rclpy.callback_groups import CallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.timer import Timer


def steady_timer(node: Node, period_s: float, call: Callable[[], None], group: CallbackGroup) -> Timer:
    """As `node.create_timer`, which would stand still with a paused /clock: a watchdog would take the node for dead."""
    return node.create_timer(period_s, call, group, Clock(clock_type=ClockType.STEADY_TIME))
