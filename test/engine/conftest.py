"""Exported graphs of tiny models, made once for the tests of this folder."""

from pathlib import Path

import pytest

from lingbot_ros.engine import artifacts
from lingbot_ros.world import World
from test.support.tiny_model import LAYERS, ONE_STEP, write_tiny_model


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where models and exported graphs lie."""
    return tmp_path_factory.mktemp("engines")


@pytest.fixture(autouse=True)
def exported_here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the tests of this folder alone: elsewhere an exported graph would decide which engine `auto` takes."""
    monkeypatch.setenv(artifacts.ARTIFACTS_VARIABLE, str(folder / "exported"))


@pytest.fixture(scope="package")
def layers(folder: Path) -> Path:
    """A one-step pixel model like the shipped one."""
    return write_tiny_model(folder, "layers", config=LAYERS, sampler=ONE_STEP)


@pytest.fixture(scope="package")
def worlds(folder: Path, layers: Path) -> tuple[World, World]:
    """The same small model by PyTorch and by ONNX Runtime."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(artifacts.ARTIFACTS_VARIABLE, str(folder / "exported"))
        return World.load(layers, engine="torch", threads=1), World.load(layers, engine="onnxruntime", threads=1)
