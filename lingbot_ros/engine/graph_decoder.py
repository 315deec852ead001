"""A decoder of latents whose graphs an engine runs, in the place of PyTorch's."""

from collections.abc import Sequence

import torch
from torch import Tensor

from lingbot_ros.engine.decode_graphs import DECODE_GRAPHS, whole_feature
from lingbot_ros.engine.interface import Engine, GraphSpec, Role
from lingbot_ros.model.autoencoder import DecoderState, Frames, pixels_to_frames

_FIRST, _NEXT = DECODE_GRAPHS
_CARRIED, _LEFT = "feature_", "next_feature_"


class GraphDecoder:
    """Like the decoder that the graphs are of: same frames up to rounding, and either continues the other's state."""

    def __init__(self, engine: Engine, graphs: Sequence[GraphSpec]) -> None:
        """`graphs` of `decode_graphs`, which the engine loads. Raises EngineError."""
        self._engine = engine
        self._graphs = {graph.name: graph for graph in graphs}
        self._programs = {graph.name: engine.load(graph) for graph in graphs}

    @property
    def graphs(self) -> list[str]:
        """The names of what the engine runs."""
        return list(self._graphs)

    def start(self) -> DecoderState:
        return {}

    @torch.inference_mode()
    def decode(self, latents: Tensor, state: DecoderState) -> tuple[Frames, DecoderState]:
        """Normalised latents [1, C, c, h, w] -> the chunk's frames and the state for the next chunk."""
        pixels = []
        for latent in latents.split(1, dim=2):
            made, state = self._decode_one(latent, state)
            pixels.append(made)
        return pixels_to_frames(torch.cat(pixels, dim=2)), state

    def _decode_one(self, latent: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        """What is carried in is bound where it lies: sessions that were forked share it, and nothing writes to it."""
        name = _NEXT if state or _FIRST not in self._graphs else _FIRST
        tensors = {}
        for spec in self._graphs[name].tensors:
            place, slot = self._engine.place(spec), spec.name.removeprefix(_CARRIED)
            if spec.role is Role.INPUT and slot in state:
                tensors[spec.name] = whole_feature(state[slot], spec.shape).to(place).contiguous()
            else:
                tensors[spec.name] = spec.allocate(place)
        tensors["latent"].copy_(latent)
        context = self._programs[name].context(tensors)
        context.run()
        context.close()
        after = {key.removeprefix(_LEFT): tensor for key, tensor in tensors.items() if key.startswith(_LEFT)}
        # A light decoder makes four frames of the first latent frame as well, of which the last counts.
        return tensors["pixels"] if state else tensors["pixels"][:, :, -1:], after
