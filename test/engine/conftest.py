"""Exported graphs of tiny models, made once for the tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lingbot_ros.engine import artifacts
from lingbot_ros.world import World
from test.support.tiny_model import LAYERS, ONE_STEP, write_tiny_model


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where models and exported graphs lie."""
    patch = pytest.MonkeyPatch()
    path = tmp_path_factory.mktemp("engines")
    patch.setenv(artifacts.ARTIFACTS_VARIABLE, str(path / "exported"))
    yield path
    patch.undo()


@pytest.fixture(scope="package")
def layers(folder: Path) -> Path:
    """A one-step pixel model like the shipped one."""
    return write_tiny_model(folder, "layers", config=LAYERS, sampler=ONE_STEP)


@pytest.fixture(scope="package")
def worlds(layers: Path) -> tuple[World, World]:
    """The same small model by PyTorch and by ONNX Runtime."""
    return World.load(layers, engine="torch", threads=1), World.load(layers, engine="onnxruntime", threads=1)
