"""The self-attention cache of one session: plain tensors, a ring, and a cursor that only `commit` moves."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from lingbot_ros.model.ring import ChunkSlot, Move, Ring


class KVCache:
    """K and V of every layer, [1, H, window * tokens, D] each or longer, and the number of committed chunks.

    A chunk is `begin`, any number of forwards that write the same slots, then `commit`; or `rollback`, which leaves the
    cache as it was before `begin`.
    """

    def __init__(self, keys: Sequence[Tensor], values: Sequence[Tensor], ring: Ring, tokens_per_frame: int) -> None:
        """The tensors belong to the caller and are updated in place; unused slots must hold finite numbers."""
        self.keys, self.values = list(keys), list(values)
        self.ring, self.tokens_per_frame = ring, tokens_per_frame
        self.committed = 0
        self._begun: ChunkSlot | None = None
        self._lost: list[Tensor] = []

    @property
    def slot(self) -> ChunkSlot:
        """Where the next chunk goes, in latent frames."""
        return self.ring.slot(self.committed)

    @property
    def filled_tokens(self) -> int:
        """Length of the prefix that holds committed chunks which a later one sees."""
        if self.ring.window == self.ring.chunk:
            return 0
        return min(self.committed * self.ring.chunk, self.ring.window) * self.tokens_per_frame

    def begin(self) -> ChunkSlot:
        """Prepare the next chunk's slots, remembering what will be lost in them; returns where they are."""
        slot = self.slot
        start, count = self._tokens(slot.lost_from), self._tokens(slot.lost)
        self._lost = [tensor.narrow(2, start, count).clone() for tensor in self._all()]
        self._begun = slot
        for move in slot.moves:
            self._move(move)
        return slot

    def commit(self) -> None:
        """Keep what the chunk's last forward wrote."""
        self._begun, self._lost = None, []
        self.committed += 1

    def rollback(self) -> None:
        """Undo everything since `begin`."""
        if self._begun is None:
            return
        for move in reversed(self._begun.moves):
            self._move(Move(move.target, move.source, move.count))
        for tensor, lost in zip(self._all(), self._lost, strict=True):
            tensor.narrow(2, self._tokens(self._begun.lost_from), lost.shape[2]).copy_(lost)
        self._begun, self._lost = None, []

    def turn(self, frames: int) -> None:
        """Rotate what lies behind the sink by some latent frames."""
        if frames:
            for tensor in self._all():
                behind = tensor[:, :, self._tokens(self.ring.sink) : self._tokens(self.ring.window)]
                behind.copy_(behind.roll(self._tokens(frames), 2))

    def state(self) -> dict[str, Tensor]:
        """Views of the committed part by name, and the number of committed chunks; the next chunk may change them."""
        end = self.filled_tokens
        state = {name: tensor[:, :, :end] for name, tensor in self._named()}
        return state | {"committed": torch.tensor(self.committed)}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Copy the `state` of a cache of the same shape, wherever that lies."""
        self.committed = int(state["committed"])
        for name, tensor in self._named():
            tensor[:, :, : self.filled_tokens] = state[name].to(tensor.device)

    def _tokens(self, frames: int) -> int:
        return frames * self.tokens_per_frame

    def _move(self, move: Move) -> None:
        source, target, count = (self._tokens(frames) for frames in (move.source, move.target, move.count))
        for tensor in self._all():
            tensor.narrow(2, target, count).copy_(tensor.narrow(2, source, count))

    def _all(self) -> Iterator[Tensor]:
        yield from self.keys
        yield from self.values

    def _named(self) -> Iterator[tuple[str, Tensor]]:
        for index, (key, value) in enumerate(zip(self.keys, self.values, strict=True)):
            yield f"k_cache_{index}", key
            yield f"v_cache_{index}", value


def zero_caches(layers: int, heads: int, slots: int, head_dim: int, dtype: torch.dtype, device: str) -> list[Tensor]:
    """Zeroed cache tensors: a NaN in an unused slot would poison engines that read and mask it."""
    return [torch.zeros(1, heads, slots, head_dim, dtype=dtype, device=device) for _ in range(layers)]
