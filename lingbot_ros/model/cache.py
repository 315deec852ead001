"""The self-attention cache of one session: plain tensors, a ring, and a cursor that only `commit` moves."""

from collections.abc import Iterator

import torch
from torch import Tensor

from lingbot_ros.model.ring import ChunkSlot, Move, Ring


class KVCache:
    """K and V of every layer in one block, and the number of committed chunks.

    A chunk is `begin`, any number of forwards that write the same slots, then `commit`; or `rollback`, which leaves the
    cache as it was before `begin`.
    """

    def __init__(self, block: Tensor, ring: Ring, tokens_per_frame: int) -> None:
        """`block` [2 * layers, B, H, window * tokens or more, D], K and V of a layer one after the other.

        It belongs to the caller and is updated in place; unused slots must hold finite numbers. A model that sees no
        past has no layers here.
        """
        self.block, self.keys, self.values = block, list(block[0::2]), list(block[1::2])
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
        return self._filled_after(self.committed)

    def _filled_after(self, chunks: int) -> int:
        if self.ring.window == self.ring.chunk:
            return 0
        return min(chunks * self.ring.chunk, self.ring.window) * self.tokens_per_frame

    def shapes_after(self, chunks: int) -> dict[str, tuple[int, ...]]:
        """Of the tensors of `state`, by name, when so many chunks are committed."""
        end = self._filled_after(chunks)
        caches = {name: (*tensor.shape[:2], end, *tensor.shape[3:]) for name, tensor in self._named()}
        return {"committed": (), **caches}

    def begin(self) -> ChunkSlot:
        """Prepare the next chunk's slots, remembering what will be lost in them; returns where they are."""
        slot = self.slot
        self._lost = [self._part(*part).clone() for part in slot.lost]
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
        for part, lost in zip(self._begun.lost, self._lost, strict=True):
            self._part(*part).copy_(lost)
        self._begun, self._lost = None, []

    def turn(self, frames: int) -> None:
        """Rotate what lies behind the sink by some latent frames."""
        if frames:
            behind = self.block[..., self._tokens(self.ring.sink) : self._tokens(self.ring.window), :]
            behind.copy_(behind.roll(self._tokens(frames), 3))

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
        self._part(move.target, move.count).copy_(self._part(move.source, move.count))

    def _part(self, first: int, count: int) -> Tensor:
        """The slots of `count` latent frames."""
        return self.block.narrow(3, self._tokens(first), self._tokens(count))

    def _named(self) -> Iterator[tuple[str, Tensor]]:
        for index, (key, value) in enumerate(zip(self.keys, self.values, strict=True)):
            yield f"k_cache_{index}", key
            yield f"v_cache_{index}", value


def zero_caches(
    layers: int, heads: int, slots: int, head_dim: int, dtype: torch.dtype, device: str, batch: int = 1
) -> Tensor:
    """A zeroed block for `KVCache`: a NaN in an unused slot would poison engines that read and mask it."""
    return torch.zeros(2 * layers, batch, heads, slots, head_dim, dtype=dtype, device=device)
