"""One network living through a session's chunks: its caches, the text that it sees, its bound graphs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from lingbot_ros.engine.interface import Context
from lingbot_ros.model.cache import KVCache
from lingbot_ros.model.ring import ChunkSlot, Ring
from lingbot_ros.world.network import Network


@dataclass(frozen=True)
class ChunkInputs:
    """What stays the same for all forwards of a chunk: its index, condition channels and encoded controls."""

    index: int
    condition: Tensor
    controls: Mapping[str, Tensor]


class Branch:
    """Guidance needs two branches of the same network, with the prompt and with the negative one, in step."""

    def __init__(self, network: Network, ring: Ring, tensors: Mapping[str, Tensor]) -> None:
        """`tensors` are those of `Network.allocate_shared`, which a network's branches may have in common, and of
        `Network.allocate_own`: of one row, or one row's part of a batch's.
        """
        self._network, self._shape = network, network.shape
        self.tensors = dict(tensors)
        self.cache = KVCache(self.tensors.pop("caches"), ring, network.shape.tokens_per_frame)
        self._contexts: dict[str, Context] = {}

    def read_text(self, features: Tensor) -> None:
        """Make features [1, L, width] the text that is attended to."""
        self.tensors["text_features"].copy_(features)
        self._run("prompt")

    def place(self, inputs: ChunkInputs, slot: ChunkSlot, recalled: int = 0) -> None:
        """Prepare the constant inputs of a chunk that uses `slot` of the cache.

        `recalled` latent frames behind the window are attended to as well.
        """
        self.fill(inputs, slot, recalled)
        if self._shape.transformer.control is not None:
            self._run("control")

    def fill(self, inputs: ChunkInputs, slot: ChunkSlot, recalled: int = 0) -> None:
        """Write a chunk's inputs, before its control graph runs."""
        tensors = self.tensors
        self.seat(slot, recalled)
        self._network.rotary.move(inputs.index * self._shape.stream.chunk, tensors["cos"], tensors["sin"])
        tensors["condition"].copy_(inputs.condition)
        for name, tensor in inputs.controls.items():
            tensors[name].copy_(tensor)

    def seat(self, slot: ChunkSlot, recalled: int = 0) -> None:
        """Say where in the cache the next forwards write, and how far they see."""
        if self._shape.sees_past:
            self.tensors["write_index"].fill_(slot.write * self._shape.tokens_per_frame)
            self.tensors["kv_len"].fill_((slot.length + recalled) * self._shape.tokens_per_frame)

    def predict(self, latent: Tensor | None, timestep: float) -> Tensor:
        """One forward; writes the chunk's cache slots. Only velocity models read a latent.

        The result is the bound tensor itself, good until the next forward of the network.
        """
        if latent is not None and "latent" in self.tensors:
            self.tensors["latent"].copy_(latent)
        self.tensors["timestep"].fill_(timestep)
        self._run("time")
        self._run("step")
        return self.tensors["prediction"]

    def close(self) -> None:
        for context in self._contexts.values():
            context.close()
        self._contexts.clear()
        self.tensors.clear()

    def _run(self, graph: str) -> None:
        context = self._contexts.get(graph)
        if context is None:
            context = self._contexts[graph] = self._network.programs()[graph].context(self.tensors)
        context.run()


def guided_prediction(branches: Sequence[Branch], latent: Tensor | None, timestep: float, guidance: float) -> Tensor:
    """The first branch's prediction, pushed away from the second's if there is one (model_spec 4.2)."""
    prediction = branches[0].predict(latent, timestep)
    if len(branches) > 1:
        prediction = prediction.clone()  # branches share it
    for other in branches[1:]:
        without = other.predict(latent, timestep)
        prediction = without + guidance * (prediction - without)
    return prediction
