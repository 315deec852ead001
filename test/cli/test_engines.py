"""`lingbot engines`, `export` and `bench`: one model on its way from PyTorch to ONNX Runtime."""

import json
import logging
import re
import shlex
from pathlib import Path

import pytest

from lingbot_ros.cli.main import main
from lingbot_ros.engine.artifacts import ARTIFACTS_VARIABLE
from lingbot_ros.world import World
from test.support.tiny_camera import write_tiny_camera_model
from test.support.tiny_light_decoder import write_light_decoder
from test.support.tiny_model import VELOCITY, write_tiny_model


def test_the_engines_are_listed_with_what_they_run_as(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["engines"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[:3]] == [["torch", "cpu"], ["torch", "cuda"], ["onnxruntime", "cpu"]]
    assert "usable: torch" in lines[0] and "usable: onnxruntime" in lines[2]
    listed = [line.split()[:2] for line in lines]
    assert ["tensorrt", "cuda"] in listed and ["tensorrt_rtx", "cuda"] in listed


def test_a_model_is_exported_once_and_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = str(write_tiny_model(tmp_path, config=VELOCITY))
    exported = tmp_path / "exported"
    assert main(["export", model, "--rows", "1", "--out", str(exported)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[0] for line in told] == ["control, 1 row", "step, 1 row"]
    folders = sorted(exported.iterdir())
    assert [str(folder) for folder in folders] == sorted(line.split(": ")[1] for line in told)
    assert all((folder / "model.onnx").is_file() and (folder / "probe.npz").is_file() for folder in folders)

    monkeypatch.setenv(ARTIFACTS_VARIABLE, str(exported))
    before = [folder.stat().st_mtime_ns for folder in folders]
    report = tmp_path / "report.json"
    assert main(["bench", model, "--rows", "1", "3", "--rounds", "2", "--json", str(report)]) == 0
    assert [folder.stat().st_mtime_ns for folder in sorted(exported.iterdir())] == before, "nothing is exported again"
    found = json.loads(report.read_text())
    assert [(one["engine"].split()[0], one["rows"]) for one in found["engines"]] == [
        ("torch", 1),
        ("onnxruntime", 1),
        ("torch", 3),
        ("onnxruntime", 3),
    ]
    assert all(one["p50_ms"] > 0 and one["gain"] > 0 for one in found["engines"])
    assert found["versions"]["onnxruntime"] and found["machine"]["cores"]


def test_a_model_is_exported_for_the_window_with_which_it_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(ARTIFACTS_VARIABLE, str(tmp_path / "cache"))
    model = write_tiny_model(tmp_path, config=VELOCITY)

    def told(**options: int) -> str:
        caplog.clear()
        with caplog.at_level(logging.INFO):
            World.load(model, **options)
        return caplog.text

    assert main(["export", str(model), "--rows", "1"]) == 0
    assert "NOT_EXPORTED, `" not in told()
    (hint,) = re.findall(r"onnxruntime: NOT_EXPORTED, `lingbot (export tiny --window 3 .*)` does it", told(window=3))
    monkeypatch.setenv("LINGBOT_MODELS", str(tmp_path))
    assert main(shlex.split(hint)) == 0
    assert "NOT_EXPORTED, `" not in told(window=3)


def test_plans_are_built_ahead_of_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(ARTIFACTS_VARIABLE, str(tmp_path / "cache"))
    pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed: pip install tensorrt-rtx (95 MB)")
    model, plans = str(write_tiny_model(tmp_path, config=VELOCITY)), tmp_path / "plans"
    command = ["engines", "build", model, "--precision", "f16", "--rows", "1", "--targets", "SM89", "SM120"]
    assert main([*command, "--out", str(plans)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[0] for line in told[:2]] == ["control, 1 row", "step, 1 row"]
    assert told[2].startswith("compiled, not executed")
    assert all((Path(line.split(": ")[1]) / "plan").is_file() for line in told[:2])
    built = {path: path.stat().st_ino for path in plans.glob("*/plan")}
    assert main(["export", model, "--to", "tensorrt_rtx", *command[3:], "--out", str(plans)]) == 0
    assert {path: path.stat().st_ino for path in plans.glob("*/plan")} == built, "nothing is built again"
    assert main(["engines", "build", model, "--precision", "fp8", "--rows", "1"]) == 1
    assert "NOT_EXPORTED: fp8 needs a graph that was calibrated and measured" in capsys.readouterr().err
    assert main(["engines", "build", model, "--rows", "1", "--targets", "SM90"]) == 2
    assert "--targets: got SM90; use some of SM75" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("decoder", ["autoencoder", "light decoder"])
def test_plans_of_a_decoder_are_built_with_those_of_its_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], decoder: str
) -> None:
    monkeypatch.setenv(ARTIFACTS_VARIABLE, str(tmp_path / "cache"))
    pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed: pip install tensorrt-rtx (95 MB)")
    options = [] if decoder == "autoencoder" else ["--light-decoder", str(write_light_decoder(tmp_path))]
    assert main(["engines", "build", str(write_tiny_camera_model(tmp_path)), *options]) == 0
    told = capsys.readouterr().out.splitlines()
    built = [line.split(": ") for line in told if ", 1 row: " in line]
    decoding = ["decode_first", "decode"] if decoder == "autoencoder" else ["decode"]
    assert [label for label, _ in built] == [f"{name}, 1 row" for name in ("prompt", "control", "step", *decoding)]
    assert all((Path(folder) / "plan").is_file() for _, folder in built)


@pytest.mark.parametrize(("head", "kind"), [("pusht-outcome", "outcome"), ("pusht-inverse", "inverse-dynamics")])
def test_plans_of_a_head_are_built(
    head: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(ARTIFACTS_VARIABLE, str(tmp_path / "cache"))
    pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed: pip install tensorrt-rtx (95 MB)")
    assert main(["engines", "build", head, "--precision", "f32", "--rows", "1"]) == 0
    label, folder = capsys.readouterr().out.splitlines()[0].split(": ")
    assert label == f"{kind}, 1 row" and (Path(folder) / "plan").is_file()


@pytest.mark.slow
def test_a_released_model_is_exported_with_its_decoder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, light = write_tiny_camera_model(tmp_path), write_light_decoder(tmp_path)
    assert main(["export", str(model), "--rows", "1", "--out", str(tmp_path / "wan")]) == 0
    graphs = [line.split(",")[0] for line in capsys.readouterr().out.splitlines() if ", 1 row: " in line]
    assert graphs == ["prompt", "control", "step", "decode_first", "decode"]
    options = ["--light-decoder", str(light), "--rows", "1", "--out", str(tmp_path / "light")]
    assert main(["export", str(model), *options]) == 0
    graphs = [line.split(",")[0] for line in capsys.readouterr().out.splitlines() if ", 1 row: " in line]
    assert graphs == ["prompt", "control", "step", "decode"]


def test_what_cannot_be_exported_or_measured_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "pusht-small", "--rows", "3"]) == 2
    assert "--rows: got 3; give 1 or 8" in capsys.readouterr().err
    for name in ("pusht-small", "pusht-outcome"):
        assert main(["export", name, "--light-decoder", "taew2_1.pth"]) == 2
        assert "--light-decoder: got taew2_1.pth" in capsys.readouterr().err
    assert main(["export", "pusht-small", "--window", "1"]) == 2
    assert "--window: got 1; sessions would have no past" in capsys.readouterr().err
    assert main(["export", "pusht-small", "--size", "64x64"]) == 2
    assert "--size: got (64, 64); pusht-small knows one size" in capsys.readouterr().err
    for name in ("pusht-lasting", "rooms-small"):
        assert main(["export", name]) == 1
        assert f"{name}: it " in capsys.readouterr().err
    assert main(["export", "pusht-small", "--precision", "bf16"]) == 2
    assert "--precision: got bf16; ONNX Runtime computes in f32 or int8" in capsys.readouterr().err
    assert main(["bench", "pusht-small", "--engine", "steam", "--rounds", "1"]) == 1
    assert "engine: got 'steam'" in capsys.readouterr().err
