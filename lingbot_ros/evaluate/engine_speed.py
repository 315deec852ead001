"""What a step costs on each engine, side by side: engines take turns, so that a busy machine is busy for all."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.world import Batch, World

_WARM_UP = 10
"""Chunks; the attention window is full afterwards."""


@dataclass(frozen=True)
class EngineSpeed:
    """Milliseconds of processor time per row and chunk, and how many times as fast as the first engine.

    `gain` is the median of the ratios of steps that were made one after the other.
    """

    engine: str
    rows: int
    rounds: int
    p50_ms: float
    p95_ms: float
    gain: float


def compare_engines(
    model: str, engines: Sequence[str], rows: int, rounds: int, threads: int = 1, device: str = "cpu"
) -> list[EngineSpeed]:
    """Step `rows` worlds of an action model in each engine, `rounds` chunks each; the first engine is the reference."""
    if rounds < 1:
        raise InputError("--rounds", rounds, "give 1 or more")
    worlds = [World.load(model, engine=engine, device=device, threads=threads) for engine in engines]
    steps = [_stepper(world, rows) for world in worlds]
    for step in steps:
        for _ in range(_WARM_UP):
            step()
    spent = np.zeros((len(steps), rounds))
    for turn in range(rounds):
        order = range(len(steps))
        for index in order if turn % 2 else reversed(order):
            started = time.process_time()
            steps[index]()
            spent[index, turn] = (time.process_time() - started) * 1e3 / rows
    return [_summary(world, rows, times, spent[0]) for world, times in zip(worlds, spent, strict=True)]


def _stepper(world: World, rows: int) -> Callable[[], object]:
    """Imagines a chunk of every row, the same in every world."""
    control, rng = world.info.control, np.random.default_rng(0)
    if control.kind != "action":
        raise InputError("model", world.info.name, "give an action model")
    image = world.seed_image()
    if image is None:
        image = rng.integers(0, 256, (world.info.height, world.info.width, 3), np.uint8)
    low, high = np.array(control.low), np.array(control.high)

    def controls() -> NDArray[np.float64]:
        return rng.uniform(low, high, (rows, world.info.frames_per_chunk, control.dim))

    if rows == 1:
        session = world.start(image)
        return lambda: session.step(controls()[0])
    batch = Batch(world, rows)
    for row in range(rows):
        batch.start(row, image, seed=row)
    return lambda: batch.step(controls())


def _summary(world: World, rows: int, times: NDArray[np.float64], reference: NDArray[np.float64]) -> EngineSpeed:
    p50, p95 = np.percentile(times, (50, 95))
    gain = statistics.median((reference / times).tolist())
    return EngineSpeed(str(world.info.engine), rows, len(times), float(p50), float(p95), gain)
