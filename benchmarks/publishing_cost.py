"""What a raw frame costs its publisher: python benchmarks/publishing_cost.py [--out FILE].

Median ms per frame of filling an Image message, and of publishing it without a subscriber.
"""

import argparse
import array
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import rclpy
from numpy.typing import NDArray
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from lingbot_ros.bridge.images import rgb_to_image
from lingbot_ros.nodes.qos import IMAGE

SIZES = ((480, 832), (720, 1280))
Way = Callable[[NDArray[np.uint8]], object]


def ways(publish: Callable[[Image], None], height: int, width: int) -> dict[str, tuple[Way, int]]:
    """Each way with the number of its repetitions."""
    target = np.empty((height, width, 3), np.uint8)
    kept = rgb_to_image(target, Header())
    view = np.frombuffer(kept.data, np.uint8).reshape(target.shape)

    def from_bytes(frame: NDArray[np.uint8]) -> None:
        Image().data = array.array("B", frame.tobytes())

    def element_by_element(frame: NDArray[np.uint8]) -> None:
        Image().data = frame.reshape(-1)

    return {
        "memcpy limit": (lambda frame: np.copyto(target, frame), 100),
        "fastest correct: refill one message": (lambda frame: np.copyto(view, frame), 100),
        "ours: bridge.images.rgb_to_image": (lambda frame: rgb_to_image(frame, Header()), 100),
        "naive: array of bytes": (from_bytes, 30),
        "naive: elements": (element_by_element, 3),
        "publish alone": (lambda frame: publish(kept), 100),
        "ours and publish": (lambda frame: publish(rgb_to_image(frame, Header())), 100),
    }


def median_ms(way: Way, frame: NDArray[np.uint8], times: int) -> float:
    """Median of one call, after one to warm up."""
    way(frame)
    spent = []
    for _ in range(times):
        started = time.perf_counter()
        way(frame)
        spent.append(time.perf_counter() - started)
    return statistics.median(spent) * 1e3


def main() -> None:
    """Measure, print the table, and write it where asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    args = parser.parse_args()
    rclpy.init()
    node = rclpy.create_node("publishing_cost")
    publisher = node.create_publisher(Image, "image_raw", IMAGE)
    figures: dict[str, dict[str, float]] = {}
    for height, width in SIZES:
        frame = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
        for name, (way, times) in ways(publisher.publish, height, width).items():
            figures.setdefault(name, {})[f"{height}x{width}"] = round(median_ms(way, frame, times), 3)
    rclpy.shutdown()
    print(f"{'ms per frame':<38}" + "".join(f"{f'{h}x{w}':>12}" for h, w in SIZES))
    for name, row in figures.items():
        print(f"{name:<38}" + "".join(f"{value:>12.3f}" for value in row.values()))
    if args.out is not None:
        machine = {"processor": platform.machine(), "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 2)}
        versions = {"python": platform.python_version(), "rclpy": version("rclpy"), "numpy": np.__version__}
        report = {"schema": 1, "machine": machine, "versions": versions, "median_ms": figures}
        args.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
