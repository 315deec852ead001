"""What a frame costs in all: model, decoder, publishing and the way over DDS, by the real node, per number of threads.

    ./lingbot python benchmarks/frame_time.py [--model pusht-small] [--threads 1 2] [--json FILE]

The node runs in lockstep in a process of its own. One action at a time is published; the time ends when the image
that follows from it has been received here, raw, in another process. `model_ms` is what the node spent computing it.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import Image

from lingbot_msgs.msg import FrameInfo, RobotAction
from lingbot_msgs.srv import StartSession
from lingbot_ros.evaluate.machine import describe_machine, describe_versions
from lingbot_ros.nodes import qos
from lingbot_ros.nodes.client.imagination import ImaginationClient
from lingbot_ros.nodes.client.node_process import NodeProcess

LIMIT_MS = 62.0
WARM_UP = 10
PATIENCE_S = 60.0


@dataclass
class Heard:
    """What has arrived: when which image came, by its stamp, and the infos in order."""

    arrived_s: dict[tuple[int, int], float] = field(default_factory=dict)
    infos: list[FrameInfo] = field(default_factory=list)

    def picture(self, message: Image) -> None:
        self.arrived_s[stamp(message)] = time.perf_counter()


def stamp(message: Image | FrameInfo) -> tuple[int, int]:
    """A header's stamp, which an image and its info share."""
    return message.header.stamp.sec, message.header.stamp.nanosec


def measure(model: str, threads: int, frames: int) -> dict[str, object]:
    """Start the node with so many threads, warm up, and time `frames` frames one after the other."""
    parameters = {"model.name": model, "model.threads": threads, "mode": "lockstep"}
    arguments = [word for name, value in parameters.items() for word in ("-p", f"{name}:={value}")]
    with NodeProcess(arguments) as process:
        rclpy.init()
        node, executor = rclpy.create_node("frame_time"), SingleThreadedExecutor()
        executor.add_node(node)
        try:
            client = ImaginationClient(node, executor)
            client.bring_up(300.0, alive=lambda: process.exit_code() is None)
            rows = np.array(_drive(node, executor, client, frames + WARM_UP)[WARM_UP:]) * 1e3
        finally:
            executor.shutdown()
            node.destroy_node()
            rclpy.try_shutdown()
    return {
        "model": model,
        "threads": threads,
        "frames": frames,
        **{
            f"{name}_p{q}": round(float(np.percentile(rows[:, column], q)), 2)
            for column, name in enumerate(("frame_ms", "model_ms"))
            for q in (50, 95)
        },
        "within_limit": bool(np.percentile(rows[:, 0], 95) <= LIMIT_MS),
    }


def _drive(
    node: Node, executor: SingleThreadedExecutor, client: ImaginationClient, count: int
) -> list[tuple[float, float]]:
    """Seconds of the whole way and of the model alone, for each of `count` frames."""
    heard = Heard()
    node.create_subscription(Image, "image_raw", heard.picture, qos.IMAGE)
    node.create_subscription(FrameInfo, "frame_info", heard.infos.append, qos.FRAME_INFO)
    publisher = node.create_publisher(RobotAction, "action", qos.reliable(10))
    session = client.start_session(StartSession.Request())
    _until(executor, lambda: publisher.get_subscription_count() > 0 and bool(heard.infos))
    model = client.loaded_model()
    low, high = np.array(model.control_low), np.array(model.control_high)
    rng, rows, values = np.random.default_rng(0), [], (low + high) / 2
    for number in range(1, count + 1):
        values = np.clip(values + rng.normal(0.0, 10.0, values.shape), low, high)
        started = time.perf_counter()
        publisher.publish(RobotAction(id=number, values=values.tolist(), session_id=session.session_id))
        _until(executor, lambda number=number: _is_here(heard, number))
        info = heard.infos[-1]
        rows.append((heard.arrived_s[stamp(info)] - started, info.chunk_time))
    return rows


def _is_here(heard: Heard, number: int) -> bool:
    return heard.infos[-1].control_id == number and stamp(heard.infos[-1]) in heard.arrived_s


def _until(executor: SingleThreadedExecutor, condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"no frame came within {PATIENCE_S:.0f} s")
        executor.spin_once(0.1)


def main() -> None:
    """Measure for each number of threads, print a line each, and write them down if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="pusht-small", help="an action model with one frame per chunk")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--json", type=Path, help="e.g. benchmarks/results/frame_time.json")
    args = parser.parse_args()
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    machine = describe_machine()  # before the measurement, which is a load itself
    rows = []
    for threads in args.threads:
        rows.append(measure(args.model, threads, args.frames))
        print(json.dumps(rows[-1]), flush=True)
    if args.json:
        record = {
            "schema": 1,
            "machine": machine,
            "versions": describe_versions(),
            "limit_ms": LIMIT_MS,
            "rows": rows,
        }
        args.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
