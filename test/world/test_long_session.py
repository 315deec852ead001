"""What a chunk costs does not depend on how long a session has lived: counted, from chunk 10 to chunk 2,000."""

import gc
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from lingbot_ros.engine.torch_engine import TorchContext
from lingbot_ros.model.config import ActionControlConfig, StreamConfig, TransformerConfig
from lingbot_ros.model.rope import rope_tables
from lingbot_ros.model.sampler import SamplerConfig
from lingbot_ros.world import Session, World
from test.support.tiny_camera import write_tiny_camera_model
from test.support.tiny_model import write_tiny_model

LOOKED_AT = (10, 11, 12, 100, 511, 512, 1023, 1024, 1025, 2000)
"""Latent frame 1024, where a stored table of angles would end, is in chunk 512."""

GROWTH = 8 * 2**20
"""Bytes by which the process may grow over 2,000 chunks: one leaked 4 kB tensor per chunk would be as much."""

TINY = TransformerConfig(
    dim=16,
    ffn_dim=16,
    num_layers=1,
    num_heads=1,
    latent_channels=3,
    condition_channels=3,
    patch_size=(1, 8, 8),
    freq_dim=16,
    control=ActionControlConfig(dim=2, history=1),
)
TWO_STEPS = SamplerConfig(timesteps=(999.0, 624.0), sigmas=(0.9998, 0.6247), renoise=(0.6247,))


class CostOfChunk(TorchDispatchMode):
    """Counts what PyTorch really does: operations, bytes of their results, queries and keys of every attention."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: Counter[str] = Counter()
        self.bytes = 0
        self.attended: list[tuple[int, int]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        self.operations[str(func)] += 1
        results = result if isinstance(result, (tuple, list)) else (result,)
        self.bytes += sum(item.numel() * item.element_size() for item in results if isinstance(item, Tensor))
        if "scaled_dot_product" in str(func):
            self.attended.append((args[0].shape[2], args[1].shape[2]))
        return result


@dataclass
class Looked:
    """One chunk's counts, and what the process held after it."""

    operations: Counter[str]
    bytes: int
    attended: list[tuple[int, int]]
    flop: int
    engine_calls: int
    live_tensors: int
    live_bytes: int
    resident_bytes: int


def resident_bytes() -> int:
    """Of this process, now."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


def live_tensors() -> list[Tensor]:
    gc.collect()
    return [item for item in gc.get_objects() if type(item) is Tensor]


def look(session: Session, step: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> Looked:
    """Live one chunk, counting."""
    calls, run = [0], TorchContext.run

    def counted(self: TorchContext) -> None:
        calls[0] += 1
        run(self)

    with monkeypatch.context() as patch, CostOfChunk() as cost, FlopCounterMode(display=False) as flops:
        patch.setattr(TorchContext, "run", counted)
        step()
    tensors = live_tensors()
    size = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    return Looked(
        cost.operations,
        cost.bytes,
        cost.attended,
        flops.get_total_flops(),
        calls[0],
        len(tensors),
        size,
        resident_bytes(),
    )


def check_positions(session: Session, world: World) -> None:
    """The angles of the chunk that was generated last are those of its absolute latent frames, and finite."""
    chunk, shape = world.card.stream.chunk, world.model.networks[0].shape
    frames = torch.arange(chunk) + (session.chunk_index - 1) * chunk
    expected = rope_tables(frames, shape.rows, shape.columns, shape.transformer.head_dim)
    for name, table in zip(("cos", "sin"), expected, strict=True):
        assert torch.equal(session._branches[0].tensors[name][0], table), f"{name} at latent frames {frames.tolist()}"


def live(
    session: Session, world: World, controls: np.ndarray, looked_at: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> dict[int, Looked]:
    """Step to the last chunk of `looked_at`, looking at those."""
    seen = {}
    while session.chunk_index <= looked_at[-1]:
        index = session.chunk_index
        if index in looked_at:
            seen[index] = look(session, lambda: session.step(controls), monkeypatch)
            check_positions(session, world)
        else:
            session.step(controls if index else controls[: session.frames_in_next_chunk])
    return seen


def check_constant(seen: dict[int, Looked], forwards: int, window_tokens: int, growth: int) -> None:
    first, *others = seen.values()
    assert first.engine_calls == 2 * forwards + 1, "the controls once, then the time and the step of every forward"
    own = [pair for pair in first.attended if pair[1] == window_tokens]
    assert len(own) >= forwards, "every forward attends to the whole window"
    for index, other in zip(list(seen)[1:], others, strict=True):
        for what in ("operations", "bytes", "attended", "flop", "engine_calls", "live_tensors", "live_bytes"):
            assert getattr(other, what) == getattr(first, what), f"{what} of chunk {index}"
        assert other.resident_bytes - first.resident_bytes < growth, f"chunk {index}"


def test_a_chunk_costs_the_same_at_10_and_at_2000(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two latent frames per chunk, a sink that ends inside one, a clean commit: through latent frame 4001."""
    stream = StreamConfig(chunk=2, window=7, sink=3)
    world = World.load(write_tiny_model(tmp_path, config=TINY, sampler=TWO_STEPS, stream=stream, size=16), threads=1)
    session = world.start(np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8))
    seen = live(session, world, np.full((2, 2), 100.0), LOOKED_AT, monkeypatch)
    assert list(seen) == list(LOOKED_AT) and session.chunk_index == 2001
    check_constant(seen, forwards=3, window_tokens=7 * 4, growth=GROWTH)


@pytest.mark.slow
def test_a_camera_model_costs_the_same_at_100_and_at_2000(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The released architecture with text, rays and video autoencoder; by chunk 100 the empty frames are constant."""
    sampler = SamplerConfig(timesteps=(999.0,), sigmas=(0.9998,))
    world = World.load(write_tiny_camera_model(tmp_path, sampler=sampler), threads=1)
    session = world.start(np.zeros((32, 48, 3), np.uint8), prompt="a red house")
    poses = np.tile(np.eye(4), (8, 1, 1))
    seen = live(session, world, poses, (100, 101, 511, 512, 513, 1000, 2000), monkeypatch)
    check_constant(seen, forwards=2, window_tokens=6 * 6, growth=2 * GROWTH)
