"""PyTorch compiled: the same numbers up to rounding, and an error with a code where nothing compiles."""

from pathlib import Path

import numpy as np
import pytest

from lingbot_ros.errors import EngineError
from lingbot_ros.world import World
from test.support.tiny_model import LAYERS, ONE_STEP, write_tiny_model


@pytest.mark.slow
def test_a_compiled_model_imagines_the_same(tmp_path: Path) -> None:
    """Minutes on a busy machine."""
    model = write_tiny_model(tmp_path, config=LAYERS, sampler=ONE_STEP)
    worlds = [World.load(model, engine=engine, threads=1) for engine in ("torch", "torch_compiled")]
    assert worlds[1].info.engine.engine == "torch_compiled"
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (32, 32, 3), np.uint8)
    sessions = [world.start(image, seed=1) for world in worlds]
    for action in rng.uniform(0, 512, (12, 2)):
        frames = [session.step([action]).astype(int) for session in sessions]
        assert np.abs(frames[0] - frames[1]).max() <= 1
    one, other = (session._branches[0].tensors["prediction"] for session in sessions)
    assert (one - other).abs().max() < 1e-4


def test_without_a_compiler_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = write_tiny_model(tmp_path, config=LAYERS, sampler=ONE_STEP)
    monkeypatch.setenv("CXX", "/no/such/compiler")
    with pytest.raises(EngineError, match=r"engine: NO_COMPILER: /no/such/compiler was not found; install g\+\+"):
        World.load(model, engine="torch_compiled")
