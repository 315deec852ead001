"""The day on a GPU, as far as a CPU can tell: it refuses, it runs, and nothing that fails stops it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from lingbot_ros.cli.main import main
from lingbot_ros.engine.torch_engine import TorchEngine
from lingbot_ros.evaluate.gpu_day import day, released_models
from lingbot_ros.evaluate.gpu_day.measurement import Measurement, Place


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--gpu", "1.3b", "--out", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert "NO_DRIVER" in told and "`lingbot bench --gpu --device cpu` tries the programs at tiny sizes" in told
    assert not list(tmp_path.iterdir())
    assert main(["bench", "--gpu", "weather"]) == 2
    assert "--gpu: got weather; give parity, small, 1.3b, 14b, build, train" in capsys.readouterr().err


def test_a_part_runs_on_a_cpu_and_says_what_that_is_worth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(released_models, "ENGINES", {"torch": TorchEngine, "steam": TorchEngine})
    path = day.run_part("14b", Place("cpu"), tmp_path)
    assert path.name == "cpu_trial_14b.json"
    report = json.loads(path.read_text())
    assert report["place"]["note"].startswith("a CPU with tiny models")
    forward = report["measurements"]["forward, torch"]
    assert forward["chunk_ms"] > 0 and forward["flop"] > 0 and len(forward["forward_by_chunks_seen"]) == 3
    assert "engine: got 'steam'" in report["measurements"]["forward, steam"]["error"]
    assert report["measurements"]["decoder, torch f32"]["p50_ms"] > 0


def test_neither_an_error_nor_the_end_of_its_time_loses_what_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def some(*_: object) -> Iterator[Measurement]:
        yield Measurement("broken", lambda: {"share": 1 / 0})
        yield Measurement("whole", lambda: {"p50_ms": 1.0})

    monkeypatch.setattr(day, "measurements", some)
    found = json.loads(day.run_part("small", Place("cpu"), tmp_path).read_text())["measurements"]
    assert found["broken"]["error"].startswith("ZeroDivisionError") and found["whole"]["p50_ms"] == 1.0
    found = json.loads(day.run_part("small", Place("cpu"), tmp_path, limit_s=0).read_text())["measurements"]
    assert found == {"broken": {"skipped": "no time left"}, "whole": {"skipped": "no time left"}}
