"""`lingbot setup`: one line for what an engine or the documentation needs."""

import sys
from importlib.metadata import version

import pytest

from lingbot_ros.cli.main import main


def test_an_engine_is_installed_by_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["setup", "--engine", "onnxruntime"]) == 0
    assert f"onnxruntime {version('onnxruntime')}" in capsys.readouterr().out.splitlines()


@pytest.mark.slow
def test_the_generator_of_the_documentation_is_installed_by_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """20 MB, from the network."""
    assert main(["setup", "--docs"]) == 0
    assert f"zensical {version('zensical')}" in capsys.readouterr().out.splitlines()


@pytest.mark.slow
def test_tensorrt_rtx_is_installed_by_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """110 MB, from the network."""
    assert main(["setup", "--engine", "tensorrt_rtx"]) == 0
    assert f"tensorrt-rtx {version('tensorrt-rtx')}" in capsys.readouterr().out.splitlines()


def test_the_python_of_the_system_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    assert main(["setup", "--engine", "tensorrt"]) == 1
    assert 'make a virtual environment, there pip install "lingbot_ros[tensorrt]"' in capsys.readouterr().err
