"""The decoder of a card's model as graphs."""

from pathlib import Path

from lingbot_ros.checkpoints.cards import ModelCard
from lingbot_ros.checkpoints.files import ModelFiles
from lingbot_ros.engine.decode_graphs import decode_graphs
from lingbot_ros.engine.interface import GraphSpec
from lingbot_ros.model.geometry import SPATIAL_STRIDE
from lingbot_ros.world.assembly import choose_decoder, load_autoencoder


def decoder_graphs(card: ModelCard, files: ModelFiles, light_decoder: Path | None = None) -> list[GraphSpec]:
    """The graphs that make frames of latents, by the autoencoder or a light decoder; none for models of pixels."""
    if card.autoencoder == "pixel":
        return []
    decoder, light_digest = choose_decoder(load_autoencoder(card, files, "cpu"), light_decoder, "cpu")
    height, width = card.height // SPATIAL_STRIDE, card.width // SPATIAL_STRIDE
    return decode_graphs(decoder, card.transformer.latent_channels, height, width, files.digest + light_digest)
