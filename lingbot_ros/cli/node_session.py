"""Shared by the commands that start a node: ROS in this process, and the arguments of the node's process."""

import argparse
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from lingbot_msgs.msg import ModelInfo
from lingbot_ros.cli.model_arguments import given_options
from lingbot_ros.home import provide_ros_home
from lingbot_ros.nodes.end_signals import whole_or_not
from lingbot_ros.shared_files import find_shared

BRING_UP_S = 600.0
_LOCALHOST, _LOCALHOST_LARGE = "fastdds_localhost.xml", "fastdds_localhost_large_images.xml"


def use_large_images() -> None:
    """Use shared memory for large images in this process and its children. Call before ROS is initialised.

    On this machine only where `./lingbot` has said so; a profile of the user's own stays.
    """
    current = Path(os.environ.get("FASTDDS_DEFAULT_PROFILES_FILE", ""))
    if current.name == _LOCALHOST:
        os.environ["FASTDDS_DEFAULT_PROFILES_FILE"] = str(current.with_name(_LOCALHOST_LARGE))
        return
    profile = find_shared("config", "fastdds_large_images.xml")
    for name in (
        "FASTDDS_DEFAULT_PROFILES_FILE",
        "FASTRTPS_DEFAULT_PROFILES_FILE",
    ):  # the second name is that of Fast DDS 2
        os.environ.setdefault(name, str(profile))


class _Interruptible(SingleThreadedExecutor):
    """A signal waits for the callback that runs. rclpy would also make a RuntimeError of an interrupt in a message."""

    def spin_once(self, timeout_sec: float | None = None) -> None:
        with whole_or_not():
            super().spin_once(timeout_sec)


@contextmanager
def ros(namespace: str) -> Iterator[tuple[Node, SingleThreadedExecutor]]:
    """A node and its executor; Python keeps handling the signals."""
    provide_ros_home()
    rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    node = Node("lingbot_imagine", namespace=namespace)
    executor = _Interruptible()
    executor.add_node(node)
    try:
        yield node, executor
    finally:
        executor.shutdown(timeout_sec=0.5)
        node.destroy_node()
        rclpy.try_shutdown()


def ros_arguments(args: argparse.Namespace, more: Mapping[str, object]) -> list[str]:
    """ROS arguments for the given options only, so that the parameter file keeps the rest. `more` overrides both."""
    values = {
        # JSON is YAML, and quoting keeps every text a string.
        **{f"model.{name}": json.dumps(value) for name, value in given_options(args).items()},
        "mode": args.mode,
        "recording.on_start": args.record or None,
        **more,
    }
    arguments = ["--params-file", str(args.params_file)] if args.params_file else []
    for name, value in values.items():
        if value is not None:
            arguments += ["-p", f"{name}:={value}"]
    if args.namespace:
        arguments += ["-r", f"__ns:=/{args.namespace.strip('/')}"]
    return arguments


def what_ran(model: ModelInfo) -> dict[str, Any]:
    """The part of a summary that describes model and engine."""
    return {
        "schema": 1,
        "model": model.name,
        "licence": model.licence,
        "weights_sha256": model.weights_sha256,
        "engine": f"{model.engine} {model.engine_version}",
        "device": model.device,
        "precision": model.precision,
        "threads": model.threads,
    }
