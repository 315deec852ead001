"""One network living through a session's chunks: its caches, the text that it sees, its bound graphs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lingbot_ros.model.cache import KVCache
from lingbot_ros.model.ring import ChunkSlot, Ring
from lingbot_ros.model.rope import rope_tables
from lingbot_ros.world.network import Network


@dataclass(frozen=True)
class ChunkInputs:
    """What stays the same for all forwards of a chunk: its index, condition channels and encoded controls."""

    index: int
    condition: Tensor
    controls: Mapping[str, Tensor]


class Branch:
    """Guidance needs two branches of the same network, with the prompt and with the negative one, in step."""

    def __init__(self, network: Network, ring: Ring, shared: Mapping[str, Tensor]) -> None:
        """`shared` are the tensors of `Network.allocate_shared`, which branches of one network have in common."""
        self._shape = network.shape
        self.tensors = {**shared, **network.allocate_own()}
        layers = range(network.shape.transformer.num_layers)
        self.cache = KVCache(
            [self.tensors[f"k_cache_{i}"] for i in layers],
            [self.tensors[f"v_cache_{i}"] for i in layers],
            ring,
            network.shape.tokens_per_frame,
        )
        self._contexts = {name: program.context(self.tensors) for name, program in network.programs.items()}

    def read_text(self, features: Tensor) -> None:
        """Make features [1, L, width] the text that is attended to."""
        self.tensors["text_features"].copy_(features)
        self._contexts["prompt"].run()

    def place(self, inputs: ChunkInputs, slot: ChunkSlot, recalled: int = 0) -> None:
        """Fill every input that stays the same for a chunk that lives in `slot` of the cache.

        `recalled` latent frames behind the window are attended to as well.
        """
        tensors, shape = self.tensors, self._shape
        tensors["write_index"].fill_(slot.write * shape.tokens_per_frame)
        tensors["kv_len"].fill_((slot.length + recalled) * shape.tokens_per_frame)
        first = inputs.index * shape.stream.chunk
        positions = torch.arange(first, first + shape.stream.chunk)
        cos, sin = rope_tables(positions, shape.rows, shape.columns, shape.transformer.head_dim)
        tensors["cos"].copy_(cos)
        tensors["sin"].copy_(sin)
        tensors["condition"].copy_(inputs.condition)
        for name, tensor in inputs.controls.items():
            tensors[name].copy_(tensor)
        self._contexts["control"].run()

    def predict(self, latent: Tensor, timestep: float) -> Tensor:
        """One forward; writes the chunk's cache slots."""
        self.tensors["latent"].copy_(latent)
        self.tensors["timestep"].fill_(timestep)
        self._contexts["step"].run()
        return self.tensors["prediction"].clone()

    def close(self) -> None:
        self.tensors.clear()
        self._contexts.clear()


def guided_prediction(branches: Sequence[Branch], latent: Tensor, timestep: float, guidance: float) -> Tensor:
    """The first branch's prediction, pushed away from the second's if there is one (model_spec 4.2)."""
    prediction = branches[0].predict(latent, timestep)
    for other in branches[1:]:
        without = other.predict(latent, timestep)
        prediction = without + guidance * (prediction - without)
    return prediction
