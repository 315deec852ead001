"""The shipped model on every engine: what it computes, and how fast."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from lingbot_ros.checkpoints.cards import list_cards
from lingbot_ros.engine.registry import ENGINES
from lingbot_ros.evaluate.gpu_day.measurement import Figures, Measurement, Place, time_calls
from lingbot_ros.model.config import TransformerConfig
from lingbot_ros.world import Batch, World

_FRAMES = 16


def parity(place: Place) -> Iterator[Measurement]:
    """Every engine and precision on the device against PyTorch in f32 on the CPU, by frames that run freely."""
    for engine in ENGINES:
        for precision in ("f32", "bf16", "f16"):
            yield Measurement(f"{engine} {precision}", partial(_frames_apart, place, engine, precision))


def speed(place: Place) -> Iterator[Measurement]:
    """Every engine, worlds in step: milliseconds per chunk of all of them."""
    for engine in ENGINES:
        for precision in ("f32", "bf16"):
            for rows in (1, 8) if place.is_tiny else (1, 8, 64):
                run = partial(_speed, place, engine, precision, rows)
                yield Measurement(f"{engine} {precision}, {rows} worlds", run)


def _model() -> str:
    """The shipped transformer that runs anywhere: on pixels, without an autoencoder."""
    return next(
        card.name
        for card in list_cards()
        if card.autoencoder == "pixel" and isinstance(card.architecture, TransformerConfig)
    )


def _frames_apart(place: Place, engine: str, precision: str) -> Figures:
    reference = World.load(_model(), engine="torch", device="cpu", precision="f32")
    other = World.load(_model(), engine=engine, device=place.device, precision=precision)
    image = reference.seed_image()
    assert image is not None
    sessions = [world.start(image, seed=1) for world in (reference, other)]
    path = np.random.default_rng(1).uniform(100, 400, (_FRAMES, 2))
    frames = [[session.step([action])[0].astype(int) for action in path] for session in sessions]
    apart = np.abs(np.array(frames[0]) - np.array(frames[1]))
    return {
        "engine": str(other.info.engine),
        "frames": _FRAMES,
        "levels": int(apart.max()),
        "share": float((apart > 0).mean()),
    }


def _speed(place: Place, engine: str, precision: str, rows: int) -> Figures:
    world = World.load(_model(), engine=engine, device=place.device, precision=precision)
    times = time_calls(_stepper(world, rows), place, *((3, 1) if place.is_tiny else (60, 10)))
    return {"engine": str(world.info.engine), "rows": rows, "frames_per_s": rows * 1e3 / times["p50_ms"], **times}


def _stepper(world: World, rows: int) -> Callable[[], object]:
    rng, image = np.random.default_rng(0), world.seed_image()
    assert image is not None
    if rows == 1:
        session = world.start(image)
        return lambda: session.step(rng.uniform(0, 512, (1, 2)))
    batch = Batch(world, rows)
    for row in range(rows):
        batch.start(row, image, seed=row)
    return lambda: batch.step(rng.uniform(0, 512, (rows, 1, 2)))
