"""The self-attention cache of one session: plain tensors, a ring, and a cursor that only `commit` moves."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from lingbot_ros.model.ring import ChunkSlot, Ring


class KVCache:
    """K and V of every layer, [1, H, window * tokens, D] each, and the number of committed chunks.

    A chunk is `begin`, any number of forwards that write the same slots, then `commit`; or `rollback`, which leaves the
    cache as it was before `begin`.
    """

    def __init__(self, keys: Sequence[Tensor], values: Sequence[Tensor], ring: Ring, tokens_per_frame: int) -> None:
        """The tensors belong to the caller and are updated in place; unused slots must hold finite numbers."""
        self.keys, self.values = list(keys), list(values)
        self.ring, self.tokens_per_frame = ring, tokens_per_frame
        self.committed = 0
        self._overwritten: list[Tensor] | None = None
        self._saved_from = 0

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
        """Prepare the next chunk's slots, remembering what they hold now; returns where they are."""
        slot = self.slot
        self._saved_from = slot.shift.target if slot.shift else slot.write
        saved_to = min(self._tokens(slot.write + self.ring.chunk), self.filled_tokens)
        self._overwritten = [
            tensor[:, :, self._tokens(self._saved_from) : saved_to].clone() for tensor in self._all()
        ]
        if slot.shift:
            self._move(slot.shift.source, slot.shift.target, slot.shift.count)
        return slot

    def commit(self) -> None:
        """Keep what the chunk's last forward wrote."""
        self._overwritten = None
        self.committed += 1

    def rollback(self) -> None:
        """Undo everything since `begin`."""
        if self._overwritten is None:
            return
        for tensor, saved in zip(self._all(), self._overwritten, strict=True):
            tensor.narrow(2, self._tokens(self._saved_from), saved.shape[2]).copy_(saved)
        self._overwritten = None

    def turn(self, frames: int) -> None:
        """Rotate what lies behind the sink by some latent frames."""
        if frames:
            for tensor in self._all():
                behind = tensor[:, :, self._tokens(self.ring.sink) :]
                behind.copy_(behind.roll(self._tokens(frames), 2))

    def copy_from(self, other: "KVCache") -> None:
        """Take over the committed part of a cache of the same shape."""
        for mine, theirs in zip(self._all(), other._all(), strict=True):
            mine[:, :, : other.filled_tokens] = theirs[:, :, : other.filled_tokens]
        self.committed = other.committed

    def state(self) -> dict[str, Tensor]:
        """Copies of the committed part by name, on the CPU."""
        end = self.filled_tokens
        return {name: tensor[:, :, :end].to("cpu", copy=True) for name, tensor in self._named()}

    def load_state(self, state: dict[str, Tensor], committed: int) -> None:
        """The reverse of `state`; `committed` is the number of chunks it held."""
        self.committed = committed
        for name, tensor in self._named():
            tensor[:, :, : self.filled_tokens] = state[name].to(tensor.device)

    def _tokens(self, frames: int) -> int:
        return frames * self.tokens_per_frame

    def _move(self, source: int, target: int, count: int) -> None:
        for tensor in self._all():
            moved = tensor.narrow(2, self._tokens(source), self._tokens(count)).clone()
            tensor.narrow(2, self._tokens(target), self._tokens(count)).copy_(moved)

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
