"""Decoders and the released geometry as exported graphs, valid and equal to PyTorch in ONNX Runtime."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from lingbot_ros.checkpoints.autoencoder import load_wan_autoencoder
from lingbot_ros.checkpoints.cards import find_card
from lingbot_ros.checkpoints.light_decoder import load_light_decoder
from lingbot_ros.engine.artifacts import Artifact, artifact_key, write_artifact
from lingbot_ros.engine.decode_graphs import decode_graphs
from lingbot_ros.engine.graph_decoder import GraphDecoder
from lingbot_ros.engine.graphs import GraphShape, model_graphs
from lingbot_ros.engine.interface import EngineOptions, GraphSpec
from lingbot_ros.engine.onnx_engine import FORM, OnnxEngine, OnnxProgram
from lingbot_ros.model.attention import cached_attention
from lingbot_ros.model.autoencoder import Decoder, Frames
from lingbot_ros.model.wan_autoencoder import WanAutoencoder
from test.support.tiny_camera import DATA, write_tiny_camera_model
from test.support.tiny_light_decoder import write_light_decoder
from test.support.tiny_model import random_transformer

CHANNELS, HEIGHT, WIDTH = 16, 4, 6
TWO_GIB = 2**31
ONE_LEVEL = 1
"""Of grey, where a value lies on the border between two."""


@pytest.fixture(scope="module")
def autoencoder(tmp_path_factory: pytest.TempPathFactory) -> WanAutoencoder:
    """The published architecture with the narrow weights of the conformance data."""
    assert DATA.is_dir()
    model = write_tiny_camera_model(tmp_path_factory.mktemp("decoders"))
    return load_wan_autoencoder(model / "Wan2.1_VAE.pth", "cpu", torch.float32)


def exported(graph: GraphSpec) -> tuple[OnnxProgram, Artifact]:
    """A program that has computed its probe, of a graph that ONNX's checker accepts."""
    artifact = OnnxEngine(EngineOptions(threads=1)).export(graph)
    model = onnx.load_from_string(artifact.model)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    assert {value.name for value in model.graph.input} == {spec.name for spec in graph.inputs}
    assert "GatherND" not in {node.op_type for node in model.graph.node}
    return OnnxProgram(graph, artifact, threads=1), artifact


def check_streams(graphs: list[GraphSpec], decoder: Decoder) -> None:
    """Chunk by chunk the same frames as PyTorch, from the beginning, after a fork, and from PyTorch's own state."""
    for graph in graphs:
        write_artifact(artifact_key(graph, FORM), exported(graph)[1])
    on_engine = GraphDecoder(OnnxEngine(EngineOptions(threads=1)), graphs)
    latents = torch.randn(1, CHANNELS, 6, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0))
    state, theirs, beginning = decoder.start(), on_engine.start(), True
    for chunk in latents.split((1, 1, 2, 2), dim=2):
        frames, after = decoder.decode(chunk, state)
        made, next_theirs = on_engine.decode(chunk, theirs)
        assert made.shape == frames.shape and apart(made, frames) <= ONE_LEVEL
        again, _ = on_engine.decode(chunk, theirs)
        assert (again == made).all(), "what is carried in was not changed"
        assert apart(on_engine.decode(chunk, state)[0], frames) <= ONE_LEVEL, "it continues what PyTorch began"
        if not beginning:
            assert apart(decoder.decode(chunk, theirs)[0], frames) <= ONE_LEVEL, "and PyTorch what it began"
        state, theirs, beginning = after, next_theirs, False


def apart(some: Frames, others: Frames) -> int:
    return int(np.abs(some.astype(int) - others.astype(int)).max())


def test_the_video_decoder_streams_through_two_graphs(autoencoder: WanAutoencoder) -> None:
    graphs = decode_graphs(autoencoder, CHANNELS, HEIGHT, WIDTH)
    assert [graph.name for graph in graphs] == ["decode_first", "decode"]
    check_streams(graphs, autoencoder)


def test_the_light_decoder_streams_through_one_graph(autoencoder: WanAutoencoder, tmp_path: Path) -> None:
    decoder = load_light_decoder(write_light_decoder(tmp_path), "cpu", torch.float32, autoencoder.denormalize)
    graphs = decode_graphs(decoder, CHANNELS, HEIGHT, WIDTH)
    assert [graph.name for graph in graphs] == ["decode"]
    check_streams(graphs, decoder)


def released(name: str, grid: int) -> dict[str, GraphSpec]:
    """The graphs of a released model of one block and `grid` x `grid` latent cells, with random weights."""
    card = find_card(name)
    config = replace(card.transformer, num_layers=1)
    model = random_transformer(config)
    streaming = replace(card.stream, window=3 * card.stream.chunk, sink=0)
    shape = GraphShape(config, streaming, grid, grid, torch.float32)
    return {graph.name: graph for graph in model_graphs(shape, lambda: model)}


@pytest.fixture(scope="module")
def small_released() -> dict[str, GraphSpec]:
    """Of the 1.3B."""
    return released("lingbot-world-v2-1.3b", grid=4)


@pytest.mark.parametrize("name", ["prompt", "control", "step"])
def test_the_widths_of_a_released_model_are_exported(name: str, small_released: dict[str, GraphSpec]) -> None:
    _, artifact = exported(small_released[name])
    assert len(artifact.model) < 100_000, "weights stay in the checkpoint"


@pytest.mark.slow
def test_more_than_two_gib_of_weights_are_exported() -> None:
    step = released("lingbot-world-v2-14b", grid=2)["step"]
    parameters = step.build_module(cached_attention).parameters()
    assert sum(parameter.numel() * parameter.element_size() for parameter in parameters) > TWO_GIB
    _, artifact = exported(step)
    assert len(artifact.model) < 100_000
