"""ONNX Runtime against PyTorch on real exported graphs: the same numbers, the same sessions, honest refusals."""

import json
import logging
import shutil
import sys
import weakref
from dataclasses import replace
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from lingbot_ros.checkpoints.cards import find_card
from lingbot_ros.checkpoints.files import locate
from lingbot_ros.cli.main import main
from lingbot_ros.engine import artifacts
from lingbot_ros.engine.export.probe import probe_tensors
from lingbot_ros.engine.interface import EngineOptions, GraphSpec, Role
from lingbot_ros.engine.onnx_engine import FORM, OnnxEngine, OnnxProgram
from lingbot_ros.engine.registry import engine_reports
from lingbot_ros.errors import EngineError, InputError
from lingbot_ros.model.autoencoder import Frames
from lingbot_ros.world import Batch, LoadedModel, LoadOptions, Session, World
from lingbot_ros.world.exported_graphs import EXPERTS, exported_graphs
from test.support.tiny_camera import write_tiny_camera_model, write_tiny_experts
from test.support.tiny_model import FOUR_STEP_COMMIT, LAYERS, ONE_STEP, VELOCITY, write_tiny_model

RNG = np.random.default_rng(3)
IMAGES = RNG.integers(0, 256, (3, 32, 32, 3), np.uint8)
ACTIONS = RNG.uniform(0, 512, (9, 24, 2))
FRAMES = 16
PER_FORWARD = 5e-5
ONE_LEVEL = 1
"""Of grey, where a value lies on the border between two."""


def graphs_of(model: Path, rows: int = 1) -> dict[str, GraphSpec]:
    card = find_card(model)
    return {graph.name: graph for graph in exported_graphs(card, locate(card), rows)}


def apart(some: Frames, others: Frames) -> int:
    return int(np.abs(some.astype(int) - others.astype(int)).max())


def prediction_error(one: Session, other: Session) -> float:
    mine, theirs = (session._branches[0].tensors["prediction"] for session in (one, other))
    return float((mine - theirs).abs().max())


def check_parity(one: World, other: World, image: Frames, controls: np.ndarray, prompt: str = "") -> None:
    """Chunk by chunk from the same state, and free-running frames."""
    mine, theirs = one.start(image, prompt=prompt, seed=1), other.start(image, prompt=prompt, seed=1)
    free = other.start(image, prompt=prompt, seed=1)
    first = 0
    while first + mine.frames_in_next_chunk <= len(controls):
        chunk = controls[first : first + mine.frames_in_next_chunk]
        first += len(chunk)
        theirs.restore(mine.snapshot())
        frames = mine.step(chunk)
        theirs.step(chunk)
        assert prediction_error(mine, theirs) <= PER_FORWARD
        assert apart(frames, free.step(chunk)) <= ONE_LEVEL


def test_a_model_of_layers_imagines_the_same(worlds: tuple[World, World]) -> None:
    assert worlds[1].info.engine.engine == "onnxruntime"
    assert worlds[1].info.engine.engine_version == onnxruntime.__version__
    check_parity(*worlds, IMAGES[0], ACTIONS[0, :FRAMES])


def test_a_flow_model_of_few_steps_imagines_the_same(folder: Path) -> None:
    model = write_tiny_model(folder, "velocity", config=VELOCITY, sampler=FOUR_STEP_COMMIT)
    torch_world, onnx_world = (World.load(model, engine=name, threads=1) for name in ("torch", "onnxruntime"))
    check_parity(torch_world, onnx_world, IMAGES[0], ACTIONS[0, :FRAMES])


@pytest.mark.slow
def test_a_camera_model_with_text_imagines_the_same(folder: Path) -> None:
    model = write_tiny_camera_model(folder)
    torch_world, onnx_world = (World.load(model, engine=name, threads=1) for name in ("torch", "onnxruntime"))
    image = RNG.integers(0, 256, (torch_world.info.height, torch_world.info.width, 3), np.uint8)
    path = np.tile(np.eye(4), (41, 1, 1))
    path[:, 2, 3] = np.arange(41) * 0.02
    check_parity(torch_world, onnx_world, image, path, prompt="snow")


@pytest.mark.slow
def test_both_experts_and_the_decoder_run_where_they_are_asked_to(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Exported by command, found again by `auto`; the log says what each engine runs."""
    caplog.set_level(logging.INFO)
    monkeypatch.setenv("LINGBOT_WEIGHTS", str(folder))
    monkeypatch.setenv(artifacts.ARTIFACTS_VARIABLE, str(folder / "experts-exported"))
    model, *_ = write_tiny_experts(folder, "experts")
    card = find_card(model)
    options = LoadOptions(model, device="cpu", precision="f32", threads=1)
    assert main(["export", str(model)]) == 0
    labels = [line.split(": ")[0] for line in capsys.readouterr().out.splitlines() if ", 1 row: " in line]
    of_experts = [f"{graph} of the {noise} expert" for noise in EXPERTS for graph in ("prompt", "control", "step")]
    assert labels == [f"{label}, 1 row" for label in (*of_experts, "decode_first", "decode")]
    folders = {path.name: path.stat().st_mtime_ns for path in artifacts.artifacts_folder().iterdir()}
    torch_world, onnx_world, chosen = (
        World(LoadedModel(card, locate(card), replace(options, engine=name)))
        for name in ("torch", "onnxruntime", "auto")
    )
    assert (
        "onnxruntime runs prompt, control, step, decode_first, decode; PyTorch runs time, the text enc" in caplog.text
    )
    image = RNG.integers(0, 256, (torch_world.info.height, torch_world.info.width, 3), np.uint8)
    path = np.tile(np.eye(4), (9, 1, 1))
    frames = [world.start(image, prompt="snow").step(path) for world in (torch_world, onnx_world)]
    assert apart(*frames) <= ONE_LEVEL and {network._digest[-1] for network in onnx_world.model.networks} == {"0", "1"}
    assert chosen.info.engine.engine in ("torch", "onnxruntime")
    assert "onnxruntime is " in caplog.text and "torch; onnxruntime: NOT_EXPORTED" not in caplog.text
    assert {path.name: path.stat().st_mtime_ns for path in artifacts.artifacts_folder().iterdir()} == folders


def test_a_session_may_change_engines_between_chunks(worlds: tuple[World, World]) -> None:
    """State belongs to the session: both engines are bound to the same tensors and take turns."""
    torch_world, _ = worlds
    alone, mixed = (torch_world.start(IMAGES[1], seed=2) for _ in range(2))
    (branch,) = mixed._branches
    programs = [world.model.networks[0].programs() for world in worlds]
    contexts = [{name: one[name].context(branch.tensors) for name in ("control", "step")} for one in programs]
    for step in range(FRAMES):
        branch._contexts |= contexts[step % 2]
        controls = ACTIONS[1, step : step + 1]
        assert apart(mixed.step(controls), alone.step(controls)) <= ONE_LEVEL
        assert prediction_error(mixed, alone) <= 10 * PER_FORWARD


def test_forks_and_restored_sessions_go_on_to_the_bit(worlds: tuple[World, World]) -> None:
    world = worlds[1]
    session = world.start(IMAGES[2], seed=3)
    for step in range(6):
        session.step(ACTIONS[2, step : step + 1])
    fork, again = session.fork(), world.restore(session.snapshot())
    for step in range(6, FRAMES):
        frames = [one.step(ACTIONS[2, step : step + 1]) for one in (session, fork, again)]
        assert (frames[0] == frames[1]).all() and (frames[0] == frames[2]).all()
    fork.close()
    assert session.step(ACTIONS[2, :1]).any(), "a closed fork takes nothing away"


def test_a_batch_runs_through_the_engines_own_programs(worlds: tuple[World, World]) -> None:
    """Nine rows are a forward of eight and one of one; rows start, idle, fork and are spread as everywhere."""
    world = worlds[1]
    batch = Batch(world, 9)
    sessions = [world.start(IMAGES[row % 3], seed=row) for row in range(9)]
    for row in range(9):
        batch.start(row, IMAGES[row % 3], seed=row)
    for step in range(6):
        living = [row for row in range(9) if step != 3 or row != 4]
        frames = batch.step(ACTIONS[:, step : step + 1], living)
        for row in living:
            assert apart(frames[row], sessions[row].step(ACTIONS[row, step : step + 1])) <= ONE_LEVEL
    assert sorted(world.model.networks[0]._programs) == [1, 8]
    assert all(isinstance(programs["step"], OnnxProgram) for programs in world.model.networks[0]._programs.values())
    batch.spread(sessions[0], [1, 5, 7])
    frames = batch.step(np.repeat(ACTIONS[:1, 6:7], 9, 0))
    assert (frames[1] == frames[5]).all() and (frames[1] == frames[7]).all()
    assert apart(frames[1], sessions[0].step(ACTIONS[0, 6:7])) <= ONE_LEVEL


def test_caches_are_written_where_they_lie(
    worlds: tuple[World, World], layers: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """ONNX Runtime says at warning level when it copies a cache instead; bound apart, it does."""
    engine, step = OnnxEngine(EngineOptions(threads=1)), graphs_of(layers)["step"]
    artifact = engine.find(step)
    assert artifact is not None
    program = OnnxProgram(step, artifact, 1, severity=2)
    assert "in-place" not in capfd.readouterr().err
    tensors = probe_tensors(step)
    context = program.context(tensors)
    other = tensors["k_cache_0"].clone()
    context._binding.bind_output("k_out_0", "cpu", 0, np.float32, list(other.shape), other.data_ptr())
    context.run()
    assert "in-place optimization" in capfd.readouterr().err


def test_a_context_keeps_its_tensors_until_it_is_closed(worlds: tuple[World, World], layers: Path) -> None:
    step = graphs_of(layers)["step"]
    tensors = probe_tensors(step)
    context = worlds[1].model.networks[0].programs()["step"].context(tensors)
    kept = weakref.ref(tensors["k_cache_0"])
    tensors.clear()
    context.run()
    assert kept() is not None
    context.close()
    assert kept() is None


@pytest.mark.parametrize("rows", [1, 8])
def test_an_exported_graph_is_valid_and_has_the_names_of_its_spec(
    worlds: tuple[World, World], layers: Path, rows: int
) -> None:
    worlds[1].model.networks[0].programs(rows)
    step = graphs_of(layers, rows)["step"]
    artifact = OnnxEngine(EngineOptions()).find(step)
    assert artifact is not None
    model = onnx.load_from_string(artifact.model)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    assert {value.name for value in model.graph.input} == {spec.name for spec in step.inputs}
    assert [value.name for value in model.graph.output] == list(step.outputs)
    operators = [node.op_type for node in model.graph.node]
    assert operators.count("TensorScatter") == 2 * LAYERS.num_layers
    assert operators.count("Attention") == operators.count("RotaryEmbedding") // 2 == LAYERS.num_layers
    assert "Sinusoid" not in operators and not any(s.name in ("latent", "timestep") for s in step.tensors)
    assert len(artifact.model) < 200_000, "weights stay in the checkpoint"


def test_a_graph_that_computes_something_else_is_refused(worlds: tuple[World, World], layers: Path) -> None:
    engine, step = OnnxEngine(EngineOptions(threads=1)), graphs_of(layers)["step"]
    artifact = engine.find(step)
    assert artifact is not None
    wrong = {name: values + 0.01 for name, values in artifact.probe.items()}
    with pytest.raises(EngineError, match="PROBE_FAILED: in the step graph prediction is off by 1"):
        OnnxProgram(step, replace(artifact, probe=wrong), 1)
    swapped = dict(artifact.weights)
    one, other = [name for name, source in swapped.items() if source.parameter.endswith("ffn.0.weight")]
    swapped[one], swapped[other] = swapped[other], swapped[one]
    with pytest.raises(EngineError, match="PROBE_FAILED"):
        OnnxProgram(step, replace(artifact, weights=swapped), 1)
    with pytest.raises(EngineError, match="GRAPH_REJECTED"):
        OnnxProgram(step, replace(artifact, model=artifact.model[:-100]), 1)


def test_a_graph_of_other_code_counts_as_not_exported(
    worlds: tuple[World, World], layers: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    engine, control = OnnxEngine(EngineOptions(threads=1)), graphs_of(layers)["control"]
    key = artifacts.artifact_key(control, FORM)
    artifact = artifacts.read_artifact(key)
    assert artifact is not None
    older = {name: values + 0.01 for name, values in artifact.probe.items()}
    artifacts.write_artifact(key, replace(artifact, probe=older))
    assert engine.find(control) is None and "is of other code" in caplog.text
    artifacts.write_artifact(key, artifact)
    assert engine.find(control) is not None


@pytest.mark.parametrize("damage", ["truncated", "foreign", "missing"])
def test_a_damaged_folder_is_refused_and_says_what_to_do(
    worlds: tuple[World, World], layers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    shutil.copytree(artifacts.artifacts_folder(), tmp_path / "copy")
    monkeypatch.setenv(artifacts.ARTIFACTS_VARIABLE, str(tmp_path / "copy"))
    control = graphs_of(layers)["control"]
    folder = tmp_path / "copy" / artifacts.name_of(artifacts.artifact_key(control, FORM))
    model = folder / "model.onnx"
    if damage == "truncated":
        model.write_bytes(model.read_bytes()[:-10])
    elif damage == "foreign":
        key = json.loads((folder / "key.json").read_text())
        (folder / "key.json").write_text(json.dumps(key | {"graph_key": "0"}))
    else:
        model.unlink()
    with pytest.raises(EngineError, match=r"STALE_PLAN.*remove that folder"):
        OnnxEngine(EngineOptions()).find(control)


def test_what_cannot_run_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="precision: got bf16"):
        OnnxEngine(EngineOptions(precision="bf16"))
    with pytest.raises(EngineError, match="PROVIDER_MISSING"):
        OnnxEngine(EngineOptions(device="cuda"))
    with monkeypatch.context() as patch:
        patch.setattr(onnxruntime, "__version__", "1.20.1")
        with pytest.raises(EngineError, match=r"TOO_OLD: onnxruntime 1.20.1 is installed, 1.25 is needed"):
            OnnxEngine(EngineOptions())
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(EngineError, match="NOT_INSTALLED: the package onnxruntime"):
        OnnxEngine(EngineOptions())
    refusals = {(report.engine, report.device): report.refusal for report in engine_reports()}
    assert not refusals["torch", "cpu"] and "NOT_INSTALLED" in refusals["onnxruntime", "cpu"]


def test_a_library_that_is_here_and_does_not_load_is_told_from_one_that_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layers: Path
) -> None:
    """The dynamic linker refuses a file that is no library; exporting needs packages of its own."""
    library = tmp_path / "onnxruntime" / f"state{EXTENSION_SUFFIXES[0]}"
    library.parent.mkdir()
    library.write_bytes(b"no library")
    (library.parent / "__init__.py").write_text("from onnxruntime import state")
    with monkeypatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        for name in [name for name in sys.modules if name.partition(".")[0] == "onnxruntime"]:
            patch.delitem(sys.modules, name)
        with pytest.raises(EngineError, match="LIBRARY_LOAD: onnxruntime does not load: .*state"):
            OnnxEngine(EngineOptions())
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(EngineError, match="NOT_INSTALLED: exporting needs onnxscript; ./lingbot setup installs it"):
        OnnxEngine(EngineOptions()).export(graphs_of(layers)["control"])


def test_auto_takes_what_was_exported_if_it_is_faster(
    worlds: tuple[World, World], folder: Path, layers: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    other = write_tiny_model(folder, "never-exported", config=LAYERS, sampler=ONE_STEP, seed=5)
    assert World.load(other, threads=1).info.engine.engine == "torch"
    assert "engine auto: torch; onnxruntime: NOT_EXPORTED, `lingbot export never-exported --to onnx`" in caplog.text
    assert "auto: not tensorrt: NO_DRIVER" in caplog.text and "auto: not tensorrt_rtx: NO_DRIVER" in caplog.text
    caplog.clear()
    chosen = World.load(layers, threads=1).info.engine.engine
    (line,) = [record.message for record in caplog.records if record.message.startswith("engine auto")]
    gain = float(line.split("onnxruntime is ")[1].split()[0])
    assert chosen == ("onnxruntime" if gain >= 1.1 else "torch")
    caplog.clear()
    assert World.load(layers, precision="bf16", threads=1).info.engine.engine == "torch"
    assert "onnxruntime: precision: got bf16" in caplog.text


def test_every_state_comes_back_under_a_name_of_its_own(layers: Path) -> None:
    for graph in graphs_of(layers).values():
        states = [spec for spec in graph.tensors if spec.role is Role.STATE]
        assert len({spec.output for spec in states} | {spec.name for spec in graph.tensors}) == len(states) + len(
            graph.tensors
        )
    assert torch.equal(torch.tensor(graphs_of(layers, 8)["step"].batch), torch.tensor(8))
