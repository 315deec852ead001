"""NVIDIA's own parser and builder on our exported graphs: compiled, not executed."""

import numpy as np
import pytest

from lingbot_ros.engine.export.positional import Positional
from lingbot_ros.engine.export.weights import weight_of
from lingbot_ros.engine.interface import EngineOptions, GraphSpec
from lingbot_ros.engine.onnx_engine import OnnxEngine
from lingbot_ros.errors import EngineError
from lingbot_ros.world import World
from lingbot_ros.world.engine_choice import exported_graphs
from test.support.tiny_model import LAYERS

trt = pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed: pip install tensorrt-rtx (95 MB)")

from lingbot_ros.engine.export.tensorrt_build import compile_graph  # noqa: E402


def parts(world: World, name: str, rows: int = 1) -> tuple[GraphSpec, bytes, dict[str, np.ndarray]]:
    graphs = exported_graphs(world.card, world.files, rows)
    (graph,) = (graph for graph in graphs if graph.name == name)
    artifact = OnnxEngine(EngineOptions()).find(graph)
    assert artifact is not None
    parameters = Positional(graph).weights()
    return graph, artifact.model, {n: weight_of(source, parameters) for n, source in artifact.weights.items()}


@pytest.mark.parametrize("rows", [1, 8])
def test_every_cache_becomes_an_update_in_place(worlds: tuple[World, World], rows: int) -> None:
    worlds[1].networks[0].programs(rows)
    graph, model, weights = parts(worlds[1], "step", rows)
    compiled = compile_graph(trt, graph, model, weights)
    assert compiled.layers["KV_CACHE_UPDATE"] == 2 * LAYERS.num_layers
    assert compiled.layers["ATTENTION_INPUT"] == compiled.layers["ROTARY_EMBEDDING"] / 2 == LAYERS.num_layers
    assert len(compiled.plan) > 100_000
    control = compile_graph(trt, *parts(worlds[1], "control", rows))
    assert control.plan and not control.layers["KV_CACHE_UPDATE"]


def test_what_the_parser_refuses_is_told(worlds: tuple[World, World]) -> None:
    graph, model, weights = parts(worlds[1], "step")
    with pytest.raises(EngineError, match="GRAPH_REJECTED: the step graph"):
        compile_graph(trt, graph, model.replace(b"linear", b"ninear"), weights)
