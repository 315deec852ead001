"""How fast a model imagines, beside what the machine could do: ms per chunk, GFLOP per chunk, share of the matmul rate.

    ./lingbot python benchmarks/step_time.py [--model pusht-small] [--threads 1 2] [--json FILE]

The limit is measured in the same run: a float32 matrix product of 1024 x 1024, as often as fits one second.
"""

import argparse
import json
import platform
import statistics
import time
from pathlib import Path

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from lingbot_ros.evaluate.machine import describe_machine
from lingbot_ros.world import Session, World

WARM_UP = 10


def matmul_rate(seconds: float = 1.0) -> float:
    """FLOP per second of a large float32 matrix product with the current number of threads."""
    a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)
    count, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        a @ b
        count += 1
    return count * 2 * 1024**3 / (time.perf_counter() - started)


def random_controls(world: World, session: Session) -> np.ndarray:
    """Controls for one chunk, the same everywhere within the limits."""
    low, high = np.array(world.info.control.low), np.array(world.info.control.high)
    return np.repeat((low + high)[None] / 2, session.frames_in_next_chunk, axis=0)


def measure(name: str, threads: int, chunks: int) -> dict[str, object]:
    """Load, warm up to a full window, time `chunks` chunks."""
    world = World.load(name, threads=threads)
    image = world.seed_image()
    assert image is not None, f"{name} has no example image"
    session = world.start(image)
    for _ in range(WARM_UP):
        session.step(random_controls(world, session))
    with FlopCounterMode(display=False) as counter:
        session.step(random_controls(world, session))
    times_ms = []
    for _ in range(chunks):
        session.step(random_controls(world, session))
        times_ms.append(session.timing.total_s * 1e3)
    rate, flop = matmul_rate(), counter.get_total_flops()
    median_ms = statistics.median(times_ms)
    return {
        "model": name,
        "engine": str(world.info.engine),
        "threads": threads,
        "chunks": chunks,
        "ms_per_chunk_p50": round(median_ms, 2),
        "ms_per_chunk_p95": round(float(np.percentile(times_ms, 95)), 2),
        "frames_per_second": round(world.info.frames_per_chunk / median_ms * 1e3, 1),
        "gflop_per_chunk": round(flop / 1e9, 3),
        "matmul_gflop_per_s": round(rate / 1e9, 1),
        "ideal_ms_per_chunk": round(flop / rate * 1e3, 2),
    }


def main() -> None:
    """Measure for each number of threads, print a line each, and write them down if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="pusht-small")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--chunks", type=int, default=200)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    rows = [measure(args.model, threads, args.chunks) for threads in args.threads]
    for row in rows:
        print(json.dumps(row))
    if args.json:
        record = {"machine": describe_machine(), "python": platform.python_version(), "rows": rows}
        args.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
