"""`lingbot sim`: runs the node as a simulator in a child process, paused in its world, and prints its status."""

import argparse
import math
import sys
import time

from rclpy.executors import SingleThreadedExecutor

from lingbot_msgs.msg import ImaginationStatus
from lingbot_ros.checkpoints.cards import find_card
from lingbot_ros.cli.node_session import BRING_UP_S, ros, ros_arguments
from lingbot_ros.cli.page import require_page_packages, show_page
from lingbot_ros.errors import InputError
from lingbot_ros.nodes.client.imagination import ImaginationClient
from lingbot_ros.nodes.client.node_process import NodeProcess
from lingbot_ros.nodes.end_signals import interrupt_once
from lingbot_ros.runtime.enums import State
from lingbot_ros.runtime.scene_catalog import SceneCatalog
from lingbot_ros.tasks.registry import DEFAULT_SCENE

_LINE_S = 1.0


def simulate(args: argparse.Namespace) -> int:
    """See `lingbot_ros.cli.sim`."""
    if args.duration is not None and not args.duration > 0:
        raise InputError("--duration", args.duration, "give a positive number of seconds")
    world = SceneCatalog().read(args.world or DEFAULT_SCENE)
    args.model = args.model or world.model
    if find_card(args.model).name != world.model:
        raise InputError("--world", f"'{world.name}'", f"this world needs the model {world.model}, not {args.model}")
    if args.view:
        require_page_packages()
    interrupt_once()
    with (
        NodeProcess(ros_arguments(args, {"simulator.enabled": True, "simulator.world": world.source})) as process,
        ros(args.namespace) as (node, executor),
    ):
        heard: list[ImaginationStatus] = []
        node.create_subscription(ImaginationStatus, "status", heard.append, 1)
        try:
            ImaginationClient(node, executor).bring_up(BRING_UP_S, alive=lambda: process.exit_code() is None)
            print(
                f"paused in the world '{world.name}'; step it with {node.resolve_service_name('step_simulation')}",
                flush=True,
            )
            if not args.view:
                return _watch(args, executor, process, heard)
            show_page(args, node, executor, process, first_world=lambda _: None)
            return _ending(process)
        except KeyboardInterrupt:
            return 0


def _watch(
    args: argparse.Namespace, executor: SingleThreadedExecutor, process: NodeProcess, heard: list[ImaginationStatus]
) -> int:
    """Update one status line until the duration has passed or the node ends."""
    started_s = line_s = time.monotonic()
    terminal = sys.stdout.isatty()
    while args.duration is None or time.monotonic() - started_s < args.duration:
        executor.spin_once(0.1)
        if process.exit_code() is not None:
            print()
            return _ending(process)
        if heard and time.monotonic() - line_s >= _LINE_S:
            line_s = time.monotonic()
            line = _line(heard[-1])
            heard.clear()
            print(f"\r\033[K{line}" if terminal else line, end="" if terminal else "\n", flush=True)
    return 0


def _ending(process: NodeProcess) -> int:
    """Say so when the simulator has ended by itself, as on a client's request to quit."""
    code = process.exit_code()
    if code is not None:
        print("the simulator has ended" + ("" if code == 0 else f" with code {code}; see its log"))
    return 1 if code else 0


def _line(status: ImaginationStatus) -> str:
    engine = f"{status.engine} on {status.device}, {status.threads} thread(s)"
    rate = "-" if math.isnan(status.fps) else f"{status.fps:.1f}"
    return f"{State(status.state).name.lower()}  frame {status.frame_index}  {rate} frames/s  {engine}"
