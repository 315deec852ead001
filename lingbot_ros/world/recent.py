"""The chunks in a session's attention window, kept to be read again under another prompt (model_spec 5.4)."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from lingbot_ros.model.ring import Ring
from lingbot_ros.world.branch import Branch, ChunkInputs


@dataclass(frozen=True)
class RecentChunk:
    """A committed chunk: its clean latents and what it was generated from."""

    inputs: ChunkInputs
    latents: Tensor


class RecentChunks:
    """As many committed chunks as the window holds besides the sink; the sink is never read again."""

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self._chunks: list[RecentChunk] = []

    def add(self, chunk: RecentChunk) -> None:
        """The newest; the one that the next chunk will push out of the window is forgotten once it does."""
        room = (self._ring.window - self._ring.sink) // self._ring.chunk
        self._chunks = [*self._chunks, chunk][-room:]

    def replay(self, branches: Sequence[Branch]) -> None:
        """Rewrite the keys and values of these chunks in order, each seeing the sink and those before it, at time 0.

        When it fails half-way, replaying again mends the cache: everything that it writes depends on the chunks alone.
        """
        committed = branches[0].cache.committed
        chunks = [chunk for chunk in self._chunks if chunk.inputs.index * self._ring.chunk >= self._ring.sink]
        slots = self._ring.replay_slots([chunk.inputs.index for chunk in chunks], committed)
        for chunk, slot in zip(chunks, slots, strict=True):
            branches[0].place(chunk.inputs, slot)
            for branch in branches:
                branch.predict(chunk.latents, 0.0)
        for branch in branches:
            branch.cache.turn(self._ring.replay_turn(committed))

    def state(self) -> dict[str, Tensor]:
        """By name; chunk i holds `i.latents`, `i.condition` and its controls."""
        return {
            f"{chunk.inputs.index}.{name}": tensor
            for chunk in self._chunks
            for name, tensor in {
                "latents": chunk.latents,
                "condition": chunk.inputs.condition,
                **chunk.inputs.controls,
            }.items()
        }

    def load_state(self, state: dict[str, Tensor]) -> None:
        """The reverse of `state`."""
        found: dict[int, dict[str, Tensor]] = {}
        for key, tensor in state.items():
            index, name = key.split(".", 1)
            found.setdefault(int(index), {})[name] = tensor
        self._chunks = []
        for chunk_index, tensors in sorted(found.items()):
            latents, condition = tensors.pop("latents"), tensors.pop("condition")
            self._chunks.append(RecentChunk(ChunkInputs(chunk_index, condition, tensors), latents))
