"""How much of a step is spent outside the graphs: in Python, and in the tensors around them.

    ./lingbot python benchmarks/host_time.py [--model pusht-small] [--engine onnxruntime] [--steps 300]

Processor time of one thread. The time in the graphs, those of PyTorch included, is taken off each step.
"""

import argparse
import time

import numpy as np
import torch

from lingbot_ros.engine.onnx_engine import OnnxContext
from lingbot_ros.engine.torch_engine import TorchContext
from lingbot_ros.world import World
from lingbot_ros.world.random_controls import RandomControls

WARM_UP = 60


class GraphClock:
    """The processor time spent in graphs since it was set to 0."""

    spent_s = 0.0

    def watch(self, kind: type[OnnxContext] | type[TorchContext]) -> None:
        """Measure every run of a graph of this kind from now on."""
        run = kind.run

        def timed(context: OnnxContext | TorchContext) -> None:
            started = time.process_time()
            run(context)  # type: ignore[arg-type]
            self.spent_s += time.process_time() - started

        kind.run = timed  # type: ignore[assignment]


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="pusht-small")
    parser.add_argument("--engine", default="onnxruntime")
    parser.add_argument("--steps", type=int, default=300)
    args = parser.parse_args()
    torch.set_num_threads(1)
    clock = GraphClock()
    clock.watch(OnnxContext)
    clock.watch(TorchContext)
    world = World.load(args.model, engine=args.engine, threads=1)
    session = world.start(np.zeros((world.info.height, world.info.width, 3), np.uint8))
    random = RandomControls(world)
    whole, host = [], []
    for _ in range(WARM_UP + args.steps):
        controls = random.next(session.frames_in_next_chunk)
        clock.spent_s = 0.0
        started = time.process_time()
        session.step(controls)
        whole.append(time.process_time() - started)
        host.append(whole[-1] - clock.spent_s)
    for name, times in (("a step", whole), ("of which outside the graphs", host)):
        p50, p95 = np.quantile(times[WARM_UP:], (0.5, 0.95)) * 1e3
        print(f"{name}: p50 {p50:.2f} ms, p95 {p95:.2f} ms")


if __name__ == "__main__":
    main()
