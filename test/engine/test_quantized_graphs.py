"""INT8 and FP8: quantised by ONNX Runtime, measured against float32, and offered only where little is lost."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from lingbot_ros.checkpoints.cards import find_card
from lingbot_ros.checkpoints.files import locate
from lingbot_ros.cli.main import main
from lingbot_ros.engine.artifacts import ARTIFACTS_VARIABLE, artifact_key, read_artifact
from lingbot_ros.engine.export.exported import form_of
from lingbot_ros.engine.export.positional import Positional
from lingbot_ros.engine.export.weights import weight_of
from lingbot_ros.engine.kept_folders import name_of
from lingbot_ros.engine.onnx_engine import OnnxProgram
from lingbot_ros.engine.quality import Quality, quality_key, require_quality, write_quality
from lingbot_ros.errors import EngineError
from lingbot_ros.evaluate.precision_loss import psnr_db
from lingbot_ros.world import World
from lingbot_ros.world.exported_graphs import exported_graphs
from lingbot_ros.world.network import checkpoint_digest
from test.support.tiny_model import LAYERS

LINEARS = 4 * LAYERS.num_layers
"""At least: queries, keys and values may be one."""

GOOD = Quality("int8", 0.01, {"8": 50.0}, {"psnr_db@64": 0.1, "block_iou@64": 0.005}, gain=1.3)


@pytest.fixture(scope="module")
def exported(folder: Path) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ARTIFACTS_VARIABLE, str(folder / "quantised"))
        yield folder / "quantised"


@pytest.fixture(autouse=True)
def exported_here(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ARTIFACTS_VARIABLE, str(exported))


def test_a_quantised_engine_is_offered_once_it_was_measured(
    layers: Path, exported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(EngineError, match="NOT_MEASURED: int8 must be calibrated and measured first: lingbot export"):
        World.load(layers, engine="onnxruntime", precision="int8", threads=1)
    assert main(["export", str(layers), "--precision", "int8", "--rows", "1"]) == 1
    told = capsys.readouterr().out
    assert "one forward is at most" in told and "frames after 64 chunks: " in told
    assert "not offered: NOT_MEASURED: the model has no report of its own" in told
    with pytest.raises(EngineError, match="NOT_MEASURED: the model has no report of its own"):
        World.load(layers, engine="onnxruntime", precision="int8", threads=1)

    digest = checkpoint_digest(locate(find_card(layers)).digest, 0)
    write_quality(quality_key(digest, "int8", torch.float32), GOOD)
    world = World.load(layers, engine="onnxruntime", precision="int8", threads=1)
    exact = World.load(layers, engine="torch", threads=1)
    assert str(world.info.engine).endswith("on cpu, int8, 1 thread")
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    sessions = [one.start(image) for one in (world, exact)]
    for _ in range(6):
        frames = [session.step([[200.0, 300.0]]) for session in sessions]
    assert psnr_db(*frames) > 30


def test_only_the_linears_of_the_blocks_are_quantised(layers: Path, exported: Path) -> None:
    """Weights stay in the checkpoint, each is quantised per channel, activations as a whole, zero in the middle."""
    card = find_card(layers)
    step = exported_graphs(card, locate(card))[-1]
    artifact = read_artifact(artifact_key(step, form_of(step, "int8")))
    assert artifact is not None and len(artifact.model) < 200_000
    model = onnx.load_from_string(artifact.model)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    nodes = Counter(node.op_type for node in model.graph.node)
    quantised = {node.input[0] for node in model.graph.node if node.op_type == "QuantizeLinear"}
    weights = {name for name in quantised if name in artifact.weights}
    used = {name for node in model.graph.node if node.op_type == "MatMul" for name in node.input}
    assert all(".blocks." in artifact.weights[name].parameter for name in weights)
    assert not [name for name in used & {*artifact.weights} if ".blocks." in artifact.weights[name].parameter]
    assert len(weights) >= LINEARS
    assert nodes["QuantizeLinear"] == nodes["DequantizeLinear"] == len(quantised)
    kept = [one for one in model.graph.initializer if one.name not in artifact.weights]
    constants = {one.name: onnx.numpy_helper.to_array(one) for one in kept}
    ends = [node.input for node in model.graph.node if node.op_type == "QuantizeLinear"]
    assert all(not constants[zero].any() and constants[zero].dtype == np.int8 for _, _, zero in ends)
    assert all((constants[scale].size > 1) == (name in weights) for name, scale, _ in ends)
    program = OnnxProgram(step, artifact, 1, precision="int8")
    program.release()
    assert artifact.quantised_probe is not None
    wrong = {name: values * 1.2 for name, values in artifact.quantised_probe.items()}
    with pytest.raises(EngineError, match="PROBE_FAILED"):
        OnnxProgram(step, replace(artifact, quantised_probe=wrong), 1, precision="int8")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, ""),
        ({"losses": {}}, "NOT_MEASURED"),
        ({"losses": {"psnr_db@64": 0.25}}, "QUALITY_LOST: psnr_db@64 is worse by 0.250, allowed are 0.2"),
        ({"losses": {"block_iou@16": 0.02}}, "QUALITY_LOST: block_iou@16 is worse by 0.020, allowed are 0.01"),
        ({"gain": 1.05}, "NOT_FASTER: 1.05 times as fast as f32"),
        ({"gain": None}, ""),
    ],
)
def test_a_verdict_names_what_is_lost(tmp_path: Path, change: dict[str, object], why: str) -> None:
    quality = replace(GOOD, **change)  # type: ignore[arg-type]
    key = quality_key("weights", "int8", torch.float32)
    write_quality(key, quality, tmp_path)
    if not why:
        assert require_quality("onnxruntime", key, tmp_path) == quality
        return
    with pytest.raises(EngineError, match=why):
        require_quality("onnxruntime", key, tmp_path)


def test_a_verdict_that_was_changed_is_refused(tmp_path: Path) -> None:
    key = quality_key("weights", "fp8", torch.float16)
    write_quality(key, GOOD, tmp_path)
    path = tmp_path / name_of(key) / "quality.json"
    path.write_text(path.read_text().replace("0.1", "0.0"))
    with pytest.raises(EngineError, match="STALE_PLAN.*files were changed.*--to tensorrt --precision fp8"):
        require_quality("tensorrt", key, tmp_path)
    with pytest.raises(EngineError, match="NOT_MEASURED"):
        require_quality("tensorrt", quality_key("other weights", "fp8", torch.float16), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "refuses"), [("int8", None), ("fp8", "SM86")])
def test_quantised_graphs_compile(layers: Path, exported: Path, precision: str, refuses: str | None) -> None:
    """FP8 needs Ada or later, which the builder says."""
    trt = pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed: pip install tensorrt-rtx (95 MB)")
    from lingbot_ros.engine.tensorrt.build import compile_graph

    main(["export", str(layers), "--to", "tensorrt_rtx", "--precision", precision, "--rows", "1"])
    card = find_card(layers)
    step = exported_graphs(card, locate(card), dtype=torch.float16)[-1]
    artifact = read_artifact(artifact_key(step, form_of(step, precision)))
    assert artifact is not None
    parameters = Positional(step).weights()
    weights = {name: weight_of(source, parameters) for name, source in artifact.weights.items()}
    for targets in (("SM89", "SM120"), ("SM75", "SM86") if refuses is None else ("SM89",)):
        compiled = compile_graph(trt, step, artifact.model, weights, targets)
        assert compiled.layers["KV_CACHE_UPDATE"] == 2 * LAYERS.num_layers
        assert compiled.layers["QUANTIZE"] >= LINEARS
    if refuses is not None:
        with pytest.raises(EngineError, match=r"BUILD_FAILED.*sm86.*fp8"):
            compile_graph(trt, step, artifact.model, weights, [refuses])
