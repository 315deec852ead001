"""The graphs of a card's model that engines other than PyTorch run, to export, to compile and to load."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import torch

from lingbot_ros.checkpoints.cards import ModelCard
from lingbot_ros.checkpoints.files import ModelFiles
from lingbot_ros.checkpoints.weights import load_transformer
from lingbot_ros.engine.decode_graphs import decode_graphs
from lingbot_ros.engine.graphs import model_graphs
from lingbot_ros.engine.interface import GraphSpec
from lingbot_ros.model.autoencoder import Autoencoder
from lingbot_ros.model.geometry import SPATIAL_STRIDE
from lingbot_ros.model.transformer import CausalWorldTransformer
from lingbot_ros.world.assembly import choose_decoder, graph_shape, load_autoencoder
from lingbot_ros.world.network import checkpoint_digest

EXPERTS = ("high-noise", "low-noise")
"""The networks of a model that has two, in the order in which sampling needs them."""


def exported_graphs(
    card: ModelCard, files: ModelFiles, rows: int = 1, dtype: torch.dtype = torch.float32, network: int = 0
) -> list[GraphSpec]:
    """The graphs of one of a card's networks, the step graph last.

    `dtype` is that of linears and caches; `network` 1 is the second of a model with two experts. Raises ModelError for
    a model without a network.
    """
    checkpoint = files.low_noise if network else files.transformer

    @cache
    def model() -> CausalWorldTransformer:
        return load_transformer(card.transformer, checkpoint, dtype, "cpu")

    shape = replace(graph_shape(card, dtype), batch=rows)
    graphs = model_graphs(shape, model, checkpoint_digest(files.digest, network))
    return [graph for graph in graphs if not graph.is_torch]


def decoder_graphs(
    card: ModelCard, files: ModelFiles, light_decoder: Path | None = None, autoencoder: Autoencoder | None = None
) -> list[GraphSpec]:
    """The graphs that make frames of latents, by the autoencoder or a light decoder; none for models of pixels.

    `autoencoder`: the model's own on the CPU, if it was loaded before.
    """
    if card.autoencoder == "pixel":
        return []
    autoencoder = autoencoder or load_autoencoder(card, files, "cpu")
    decoder, light_digest = choose_decoder(autoencoder, light_decoder, "cpu")
    height, width = card.height // SPATIAL_STRIDE, card.width // SPATIAL_STRIDE
    return decode_graphs(decoder, card.transformer.latent_channels, height, width, files.digest + light_digest)


def all_graphs(
    card: ModelCard,
    files: ModelFiles,
    rows: Iterable[int] = (1,),
    dtype: torch.dtype = torch.float32,
    light_decoder: Path | None = None,
) -> Iterator[tuple[str, GraphSpec]]:
    """All that a world of the model needs, each with a label for people: both experts' graphs, then the decoder's."""
    rows = tuple(rows)
    for network in range(2 if files.low_noise else 1):
        expert = f" of the {EXPERTS[network]} expert" if files.low_noise else ""
        for count in rows:
            for graph in exported_graphs(card, files, count, dtype, network):
                yield f"{graph.name}{expert}, {count} row{'s' if count > 1 else ''}", graph
    for graph in decoder_graphs(card, files, light_decoder):
        yield f"{graph.name}, 1 row", graph
