"""What `lingbot sim` does: the node as a simulator in a process of its own, paused in its world, and one line."""

import argparse
import math
import signal
import sys
import time
from typing import Any

from rclpy.client import Client
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from simulation_interfaces.msg import SimulationState
from simulation_interfaces.srv import SetSimulationState

from lingbot_msgs.msg import ImaginationStatus
from lingbot_ros.cli.node_session import BRING_UP_S, ros, ros_arguments
from lingbot_ros.errors import InputError, LingbotError
from lingbot_ros.live.codes import State
from lingbot_ros.nodes.imagination_client import ImaginationClient
from lingbot_ros.nodes.node_process import NodeProcess

DEFAULT_WORLD = "pusht"
_LINE_S = 1.0


def simulate(args: argparse.Namespace) -> int:
    """See `lingbot_ros.cli.verbs.sim`."""
    if args.duration is not None and not args.duration > 0:
        raise InputError("--duration", args.duration, "give a positive number of seconds")
    if args.model is not None and args.world is None and args.model != "pusht-small":
        raise InputError("--world", "none", f"name a world of {args.model}, a YAML file as docs/ros_api.md describes")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    world = args.world or DEFAULT_WORLD
    with (
        NodeProcess(ros_arguments(args, {"simulator.enabled": True, "simulator.world": world})) as process,
        ros(args.namespace) as (node, executor),
    ):
        heard: list[ImaginationStatus] = []
        node.create_subscription(ImaginationStatus, "status", heard.append, 1)
        try:
            ImaginationClient(node, executor).bring_up(BRING_UP_S, alive=lambda: process.exit_code() is None)
            _pause(node, executor)
            print(f"paused in '{world}': step it with {node.resolve_service_name('step_simulation')}", flush=True)
            return _watch(args, executor, process, heard)
        except KeyboardInterrupt:
            return 0


def _pause(node: Node, executor: SingleThreadedExecutor) -> None:
    client: Client[Any, Any] = node.create_client(SetSimulationState, "set_simulation_state")
    if not client.wait_for_service(10.0):
        raise LingbotError("set_simulation_state does not appear; is the node running on this ROS_DOMAIN_ID?")
    paused = SimulationState(state=SimulationState.STATE_PAUSED)
    pending = client.call_async(SetSimulationState.Request(state=paused))
    executor.spin_until_future_complete(pending, 10.0)
    answer = pending.result()
    if answer is None or answer.result.result != answer.result.RESULT_OK:
        raise LingbotError(f"the simulator cannot be paused: {answer.result.error_message if answer else 'no answer'}")


def _watch(
    args: argparse.Namespace, executor: SingleThreadedExecutor, process: NodeProcess, heard: list[ImaginationStatus]
) -> int:
    """One line that stays up to date, until the time is over or the node ends."""
    started_s = line_s = time.monotonic()
    terminal = sys.stdout.isatty()
    while args.duration is None or time.monotonic() - started_s < args.duration:
        executor.spin_once(0.1)
        code = process.exit_code()
        if code is not None:
            print("\nthe simulator has ended" + ("" if code == 0 else f" with code {code}; its log says why"))
            return 0 if code == 0 else 1
        if heard and time.monotonic() - line_s >= _LINE_S:
            line_s = time.monotonic()
            line = _line(heard[-1])
            heard.clear()
            print(f"\r\033[K{line}" if terminal else line, end="" if terminal else "\n", flush=True)
    return 0


def _line(status: ImaginationStatus) -> str:
    engine = f"{status.engine} on {status.device}, {status.threads} thread(s)"
    rate = "-" if math.isnan(status.fps) else f"{status.fps:.1f}"
    return f"{State(status.state).name.lower()}  frame {status.frame_index}  {rate} frames/s  {engine}"
