"""NVIDIA's own parser and builder on our exported graphs: compiled, not executed."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from lingbot_ros.checkpoints.cards import find_card
from lingbot_ros.checkpoints.files import locate
from lingbot_ros.engine import artifacts
from lingbot_ros.engine.artifacts import Artifact
from lingbot_ros.engine.export.exported import export_artifact
from lingbot_ros.engine.export.positional import Positional
from lingbot_ros.engine.export.weights import Values, weight_of
from lingbot_ros.engine.interface import GraphSpec
from lingbot_ros.engine.kept_folders import KEY, name_of, one_writer
from lingbot_ros.engine.onnx_engine import OnnxProgram
from lingbot_ros.engine.tensorrt import plans
from lingbot_ros.engine.tensorrt.library import RTX, TENSORRT
from lingbot_ros.engine.tensorrt.progress import BuildProgress
from lingbot_ros.errors import EngineError, ErrorCode, InputError
from lingbot_ros.world.exported_graphs import exported_graphs
from test.support.tiny_camera import write_tiny_camera_model
from test.support.tiny_model import LAYERS

trt = pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed: pip install tensorrt-rtx (95 MB)")

from lingbot_ros.engine.tensorrt.build import compile_graph  # noqa: E402
from lingbot_ros.engine.tensorrt.opening import open_plan  # noqa: E402

TYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
Exported = Callable[..., tuple[GraphSpec, Artifact]]


@pytest.fixture(scope="module")
def exported(layers: Path) -> Exported:
    """A graph of the one-step model and its exported form, made once per precision and number of rows."""

    @cache
    def make(name: str, precision: str = "f32", rows: int = 1) -> tuple[GraphSpec, Artifact]:
        card = find_card(layers)
        graphs = exported_graphs(card, locate(card), rows, TYPES[precision])
        (graph,) = (graph for graph in graphs if graph.name == name)
        return graph, export_artifact(graph)

    return make


def weights_of(graph: GraphSpec, artifact: Artifact) -> dict[str, Values]:
    parameters = Positional(graph).weights()
    return {name: weight_of(source, parameters) for name, source in artifact.weights.items()}


def compiled(graph: GraphSpec, artifact: Artifact, *targets: str, progress: BuildProgress | None = None):  # type: ignore[no-untyped-def]
    return compile_graph(trt, graph, artifact.model, weights_of(graph, artifact), targets, progress)


@pytest.fixture
def maker(tmp_path: Path) -> plans.PlanMaker:
    return plans.PlanMaker(RTX, trt, "f32", folder=tmp_path / "plans")


@pytest.mark.parametrize(
    ("precision", "rows"),
    [
        ("f32", 1),
        pytest.param("f32", 8, marks=pytest.mark.slow),
        ("f16", 1),
        pytest.param("bf16", 1, marks=pytest.mark.slow),
    ],
)
def test_every_cache_becomes_an_update_in_place(exported: Exported, precision: str, rows: int) -> None:
    made = compiled(*exported("step", precision, rows))
    assert made.layers["KV_CACHE_UPDATE"] == 2 * LAYERS.num_layers
    assert made.layers["ATTENTION_INPUT"] == made.layers["ROTARY_EMBEDDING"] / 2 == LAYERS.num_layers
    assert len(made.plan) > 100_000
    assert not any("Unused Input" in line for line in made.warnings)


@pytest.mark.slow
def test_one_plan_serves_every_gpu_from_ampere_on(exported: Exported) -> None:
    targets = ("SM80", "SM86", "SM89", "SM120", "SM121")
    for name in ("control", "step"):
        assert compiled(*exported(name, "f16"), *targets).plan
    assert compiled(*exported("step", "f16"), "SM75").plan, "Turing, where nothing is left in float32"
    with pytest.raises(EngineError, match=r"BUILD_FAILED: the step graph.*sm75.*b16"):
        compiled(*exported("step", "bf16"), "SM75")
    with pytest.raises(EngineError, match=r"BUILD_FAILED: the control graph.*FP32 GEMM is not supported"):
        compiled(*exported("control", "f16"), "SM75")
    with pytest.raises(InputError, match="--targets: got SM90; use some of SM75, SM80"):
        compiled(*exported("control"), "SM90")


@pytest.mark.slow
def test_camera_models_with_text_compile(tmp_path: Path) -> None:
    card = find_card(write_tiny_camera_model(tmp_path))
    for precision in ("f16", "bf16"):
        for graph in exported_graphs(card, locate(card), 1, TYPES[precision]):
            assert compiled(graph, export_artifact(graph)).plan, graph.name


def test_half_precision_computes_the_same_up_to_rounding(exported: Exported) -> None:
    """The float16 graph that is compiled runs in ONNX Runtime, too. It has no bfloat16 on a CPU."""
    graph, artifact = exported("step", "f16")
    OnnxProgram(graph, artifact, 1, precision="f16").release()
    wrong = {name: values * 1.1 for name, values in artifact.probe.items()}
    with pytest.raises(EngineError, match="PROBE_FAILED"):
        OnnxProgram(graph, replace(artifact, probe=wrong), 1, precision="f16")


def test_what_the_parser_or_builder_refuses_is_told(exported: Exported) -> None:
    graph, artifact = exported("step")
    weights = weights_of(graph, artifact)
    with pytest.raises(EngineError, match=r"GRAPH_REJECTED: the step graph: .*Only linear mode is supported"):
        compile_graph(trt, graph, artifact.model.replace(b"linear", b"ninear"), weights)
    model = onnx.load_from_string(artifact.model)
    model.graph.input.append(onnx.helper.make_tensor_value_info("spare", onnx.TensorProto.FLOAT, [1]))
    with pytest.raises(EngineError, match=r"GRAPH_REJECTED: the step graph.*Unused Input: spare"):
        compile_graph(trt, graph, model.SerializeToString(), weights)
    model = onnx.load_from_string(artifact.model)
    for node in model.graph.node:
        if node.op_type == "Attention":  # as if the length were dropped: whole caches instead of their prefix
            cut = {slice_.output[0]: slice_.input[0] for slice_ in model.graph.node if slice_.op_type == "Slice"}
            node.input[1:3] = [cut[name] for name in node.input[1:3]]
    with pytest.raises(EngineError, match="GRAPH_REJECTED: 2 layers attend to a cache, 0 of them"):
        compile_graph(trt, graph, model.SerializeToString(), weights)


def test_a_build_tells_how_far_it_is_and_can_be_cancelled(exported: Exported) -> None:
    shares: list[float] = []
    assert compiled(*exported("step"), progress=BuildProgress(lambda share, left_s: shares.append(share))).plan
    assert shares == sorted(shares) and shares[0] < 0.2 and shares[-1] == 1 and len(shares) > 100
    progress = BuildProgress(lambda share, left_s: progress.cancel() if share > 0.3 else None)
    with pytest.raises(EngineError, match="the build of the step graph was cancelled") as caught:
        compiled(*exported("step"), progress=progress)
    assert caught.value.code == ErrorCode.CANCELED

    def interrupt(share: float, left_s: float) -> None:
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        compiled(*exported("step"), progress=BuildProgress(interrupt))


def test_a_plan_is_built_once_and_again_when_asked(
    exported: Exported, maker: plans.PlanMaker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    graph, artifact = exported("control")
    assert maker.find(graph) is None
    plan = maker.make(graph, artifact=artifact)
    built = plan.path.stat().st_ino
    assert maker.make(graph, artifact=artifact).path.stat().st_ino == built
    assert maker.make(graph, force=True, artifact=artifact).path.stat().st_ino != built
    assert not [path for path in plan.path.parent.parent.iterdir() if path.is_dir() and path.name.startswith(".")]
    assert {path.name for path in plan.path.parent.iterdir()} == {
        "plan",
        "probe.npz",
        "build.log",
        "key.json",
        "sha256",
    }


@pytest.mark.parametrize("damage", ["truncated", "foreign", "other version", "no key", "empty"])
def test_a_plan_that_does_not_fit_is_never_loaded(
    exported: Exported, maker: plans.PlanMaker, tmp_path: Path, damage: str
) -> None:
    """In a folder that was named it is refused, and the message names what differs; in the cache it is built anew."""
    graph, artifact = exported("control")
    plan = maker.make(graph, artifact=artifact)
    folder = plan.path.parent
    if damage == "truncated":
        plan.path.write_bytes(plan.path.read_bytes()[:-100])
    elif damage == "empty":
        plan.path.write_bytes(b"")
    elif damage == "foreign":
        (folder / KEY).write_text((folder / KEY).read_text().replace(graph.key, "0" * 64))
    elif damage == "no key":
        (folder / KEY).unlink()
    else:
        (folder / KEY).write_text((folder / KEY).read_text().replace(trt.__version__, "1.6.0"))
        folder.rename(folder.parent / f"{graph.name}-1-{'0' * 16}")
    expected = {"foreign": "graph_key", "other version": r"version \(1.6.0, wanted", "no key": KEY}
    with pytest.raises(EngineError, match=f"STALE_PLAN.*{expected.get(damage, 'files were changed')}.*--force"):
        maker.make(graph, artifact=artifact)
    in_cache = replace(maker, folder=None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(artifacts.ARTIFACTS_VARIABLE, str(tmp_path / "plans"))
        assert in_cache.make(graph, artifact=artifact).path.stat().st_size > 100_000
    assert maker.make(graph, force=True, artifact=artifact).path.is_file()


def test_two_builders_build_once(exported: Exported, maker: plans.PlanMaker, caplog: pytest.LogCaptureFixture) -> None:
    """The second waits for the first, which here is another process, and takes what it built."""
    caplog.set_level(logging.INFO)
    graph, artifact = exported("control")
    assert maker.folder is not None
    folder = maker.folder / name_of(maker.key(graph))
    found: list[plans.Plan] = []
    waiting = threading.Thread(target=lambda: found.append(maker.make(graph, artifact=artifact)))
    with one_writer(folder, lambda: None):
        waiting.start()
        while "another program builds" not in caplog.text:
            time.sleep(0.01)
        assert not found
    waiting.join()
    assert found[0].path.is_file() and caplog.text.count("building the plan") == 1


def test_a_killed_build_leaves_nothing_behind(exported: Exported, maker: plans.PlanMaker) -> None:
    """Its lock ends with it, and the next build removes its files."""
    graph, artifact = exported("control")
    assert maker.folder is not None
    folder = maker.folder / name_of(maker.key(graph))
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from lingbot_ros.engine.kept_folders import one_writer, write_folder\n"
        "def fill(making):\n"
        "    (making / 'plan').write_bytes(b'half'); print('half', flush=True); os.kill(os.getpid(), signal.SIGKILL)\n"
        "folder = Path(sys.argv[1])\n"
        "with one_writer(folder, lambda: None): write_folder(folder, {'graph': 'control'}, fill)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, folder], check=False, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL and killed.stdout == "half\n" and not folder.exists()
    assert any(path.is_dir() for path in maker.folder.iterdir()), "the half is there"
    assert maker.make(graph, artifact=artifact).path.is_file()
    assert [path for path in maker.folder.iterdir() if path.is_dir()] == [folder]


def test_too_little_disk_or_memory_is_told_before_and_a_full_disk_after(
    exported: Exported, maker: plans.PlanMaker, tmp_path: Path
) -> None:
    huge = np.lib.stride_tricks.as_strided(np.zeros(1, np.float32), (1 << 48,), (0,))
    with pytest.raises(EngineError, match=r"the plan needs \d+ MB in .* are free") as caught:
        plans.check_room(tmp_path, {"huge": huge})
    assert caught.value.code == ErrorCode.DISK
    # More than a third of the memory, as virtual as the one above.
    large = np.lib.stride_tricks.as_strided(np.zeros(1, np.uint8), (plans.available_memory() // 2,), (0,))
    with pytest.raises(EngineError, match=r"OUT_OF_MEMORY: building needs about \d+ MB") as caught:
        plans.check_room(tmp_path, {"large": large})
    assert caught.value.code == ErrorCode.OUT_OF_MEMORY
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from lingbot_ros.engine.kept_folders import write_folder\n"
        "from lingbot_ros.errors import EngineError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "try: write_folder(Path(sys.argv[1]), {}, lambda making: (making / 'plan').write_bytes(bytes(2000)))\n"
        "except EngineError as error: print(error.code.name, error)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "full" / "plan-1"], check=True, capture_output=True, text=True
    ).stdout
    assert "DISK engine: cannot write" in told and "free space there" in told
    assert list((tmp_path / "full").iterdir()) == []


def test_opening_a_plan_says_why_not(exported: Exported, maker: plans.PlanMaker, tmp_path: Path) -> None:
    """The real runtime on a machine without a driver; each is an error, none ends the process."""
    graph, artifact = exported("control")
    plan = maker.make(graph, artifact=artifact).path
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(EngineError, match=r"NO_DRIVER: .*plan cannot be loaded here"):
        open_plan(trt, plan)
    for content in (b"no plan at all" * 100, plan.read_bytes()[:1000], b""):
        (tmp_path / "broken").write_bytes(content)
        with pytest.raises(EngineError, match="STALE_PLAN"):
            open_plan(trt, tmp_path / "broken")


def test_a_key_names_what_decides(exported: Exported, maker: plans.PlanMaker) -> None:
    graph, _ = exported("control")
    key = maker.key(graph)
    assert key["version"] == trt.__version__ and key["targets"] == "default" and key["precision"] == "f32"
    others = [
        replace(maker, targets=("SM86",)).key(graph),
        replace(maker, precision="f16").key(graph),
        maker.key(replace(graph, weights="other")),
    ]
    assert len({name_of(one) for one in (key, *others)}) == 4
    assert TENSORRT.builds_without_gpu is False and os.path.basename(name_of(key)).startswith("control-1-")
