"""Decoders and the released geometry as exported graphs, valid and equal to PyTorch in ONNX Runtime."""

from dataclasses import replace
from pathlib import Path

import onnx
import pytest
import torch

from lingbot_ros.checkpoints.autoencoder import load_wan_autoencoder
from lingbot_ros.checkpoints.cards import find_card
from lingbot_ros.checkpoints.light_decoder import load_light_decoder
from lingbot_ros.engine.artifacts import Artifact
from lingbot_ros.engine.decode_graphs import decode_graphs
from lingbot_ros.engine.graphs import GraphShape, model_graphs
from lingbot_ros.engine.interface import EngineOptions, GraphSpec
from lingbot_ros.engine.onnx_engine import OnnxEngine, OnnxProgram
from lingbot_ros.model.attention import cached_attention
from lingbot_ros.model.wan_autoencoder import WanAutoencoder
from test.support.tiny_camera import DATA, write_tiny_camera_model
from test.support.tiny_light_decoder import write_light_decoder
from test.support.tiny_model import random_transformer

CHANNELS, HEIGHT, WIDTH = 16, 4, 6
TWO_GIB = 2**31


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


def stream(graphs: list[GraphSpec], latents: torch.Tensor) -> torch.Tensor:
    """Pixels of latents [1, C, n, h, w], each decoded by the last graph, the first by the first."""
    programs = [exported(graph)[0] for graph in graphs]
    carried: dict[str, torch.Tensor] = {}
    pixels = []
    for index, latent in enumerate(latents.split(1, dim=2)):
        which = min(index, len(graphs) - 1)
        tensors = {spec.name: spec.allocate("cpu") for spec in graphs[which].tensors}
        tensors["latent"].copy_(latent)
        for name, tensor in carried.items():
            tensors[name].copy_(tensor)
        context = programs[which].context(tensors)
        context.run()
        carried = {n.removeprefix("next_"): t.clone() for n, t in tensors.items() if n.startswith("next_")}
        pixels.append(tensors["pixels"].clone())
    return torch.cat(pixels, dim=2)


def test_the_video_decoder_streams_through_two_graphs(autoencoder: WanAutoencoder) -> None:
    graphs = decode_graphs(autoencoder, CHANNELS, HEIGHT, WIDTH)
    assert [graph.name for graph in graphs] == ["decode_first", "decode"]
    latents = torch.randn(1, CHANNELS, 4, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0))
    expected, _ = autoencoder.decode_pixels(latents, {})
    found = stream(graphs, latents)
    assert found.shape == expected.shape == (1, 3, 13, 8 * HEIGHT, 8 * WIDTH)
    assert (found - expected).abs().max() < 1e-4


def test_the_light_decoder_streams_through_one_graph(autoencoder: WanAutoencoder, tmp_path: Path) -> None:
    decoder = load_light_decoder(write_light_decoder(tmp_path), "cpu", torch.float32, autoencoder.denormalize)
    graphs = decode_graphs(decoder, CHANNELS, HEIGHT, WIDTH)
    assert [graph.name for graph in graphs] == ["decode"]
    latents = torch.randn(1, CHANNELS, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(1))
    frames, _ = decoder.decode(latents, {})
    found = ((stream(graphs, latents)[0, :, 3:].clamp(-1, 1) + 1) * 127.5).round()
    expected = torch.from_numpy(frames).permute(3, 0, 1, 2)
    assert (found - expected).abs().max() <= 1


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
