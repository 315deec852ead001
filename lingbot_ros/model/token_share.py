"""Context parallelism after Ulysses: processes share a chunk's tokens in linears, and its heads in self-attention.

Process p of P computes the p-th part of every latent frame's tokens. Before attention each process hands its tokens of
all heads to those that own the heads, afterwards back: two exchanges per block. A cache then holds all tokens of the
process's own heads, in the order of one process alone, so that nothing that handles caches knows of this.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.distributed as dist
from torch import Tensor

from lingbot_ros.errors import InputError

if TYPE_CHECKING:
    from lingbot_ros.model.attention import Attend


@dataclass(frozen=True)
class TokenShare:
    """What this process computes: part `rank` of `count`. Collective calls go to the default process group."""

    rank: int
    count: int

    def check(self, tokens_per_frame: int, heads: int) -> None:
        """Raise InputError unless frames and heads can be cut into equal parts."""
        for what, size in (("tokens of a latent frame", tokens_per_frame), ("heads", heads)):
            if size % self.count:
                raise InputError("processes", self.count, f"give a number that divides {size}, the {what}")

    def own(self, x: Tensor, frames: int, axis: int = 1) -> Tensor:
        """All tokens of some frames, `frames` * S along an axis -> those of this process, `frames` * S / count."""
        parts = x.unflatten(axis, (frames, self.count, -1))
        return parts.select(axis + 1, self.rank).flatten(axis, axis + 1)

    def gather(self, x: Tensor, frames: int) -> Tensor:
        """The reverse of `own` for axis 1: [B, own tokens, d] of every process -> [B, all tokens, d] in each."""
        parts = x.new_empty(self.count, *x.shape)
        dist.all_gather(list(parts.unbind(0)), x.contiguous())
        return parts.unflatten(2, (frames, -1)).permute(1, 2, 0, 3, 4).flatten(1, 3)

    def attend(self, attend: "Attend", frames: int) -> "Attend":
        """Attention to caches of this process's heads, for queries, keys and values of its tokens."""

        def shared(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
            return self._to_tokens(attend(*self._to_heads((q, k, v), frames)), frames)

        return shared

    def _to_heads(self, tensors: Sequence[Tensor], frames: int) -> Sequence[Tensor]:
        """[B, H, own tokens, D] each -> [B, own heads, all tokens, D] each."""
        stacked = torch.stack([x.unflatten(1, (self.count, -1)).movedim(1, 0) for x in tensors], dim=1)
        parts = self._exchange(stacked)  # [process, tensor, B, h, f * s, D]
        whole = parts.unflatten(4, (frames, -1)).permute(1, 2, 3, 4, 0, 5, 6).flatten(3, 5)
        return whole.unbind(0)

    def _to_tokens(self, x: Tensor, frames: int) -> Tensor:
        """[B, own heads, all tokens, D] -> [B, H, own tokens, D]."""
        parts = x.unflatten(2, (frames, self.count, -1)).permute(3, 0, 1, 2, 4, 5).flatten(3, 4)
        return self._exchange(parts).movedim(0, 1).flatten(1, 2)

    def _exchange(self, parts: Tensor) -> Tensor:
        """Part p goes to process p; what comes from process p is part p of the result."""
        parts = parts.contiguous()
        received = torch.empty_like(parts)
        dist.all_to_all_single(received, parts)
        return received
