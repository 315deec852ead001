"""Self- and cross-attention with full-width RMS-normed queries and keys (model_spec 3.6)."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lingbot_ros.model.ring import Ring
from lingbot_ros.model.rope import rotate

Attend = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(q, k, v), each [B, H, N, D] with q and k rotated -> [B, H, N, D]: what the new tokens may see."""


class RMSNorm(nn.Module):
    """x / rms(x) over the full width in float32, cast back, times weight."""

    def __init__(self, dim: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        if x.dtype is torch.float32:
            return F.rms_norm(x, (x.shape[-1],), self.weight.float(), self.eps)
        return F.rms_norm(x.float(), (x.shape[-1],), eps=self.eps).to(x.dtype) * self.weight.to(x.dtype)


class SelfAttention(nn.Module):
    """Attention of a chunk's tokens to whatever `attend` shows them."""

    def __init__(self, dim: int, num_heads: int, eps: float) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.q, self.k, self.v, self.o = (nn.Linear(dim, dim) for _ in range(4))
        self.norm_q, self.norm_k = RMSNorm(dim, eps), RMSNorm(dim, eps)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, attend: Attend) -> Tensor:
        """x [B, N, dim], rotary tables as `rotate` takes them -> [B, N, dim]."""
        q = rotate(split_heads(self.norm_q(self.q(x)), self.num_heads), cos, sin)
        k = rotate(split_heads(self.norm_k(self.k(x)), self.num_heads), cos, sin)
        v = split_heads(self.v(x), self.num_heads)
        return self.o(merge_heads(attend(q, k, v)))


class CrossAttention(nn.Module):
    """Attention to text whose keys and values were computed once per prompt; no mask, no rotation."""

    def __init__(self, dim: int, num_heads: int, eps: float) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.q, self.k, self.v, self.o = (nn.Linear(dim, dim) for _ in range(4))
        self.norm_q, self.norm_k = RMSNorm(dim, eps), RMSNorm(dim, eps)

    def keys_values(self, text: Tensor) -> tuple[Tensor, Tensor]:
        """text [B, L, dim] -> K and V, [B, H, L, D] each."""
        return split_heads(self.norm_k(self.k(text)), self.num_heads), split_heads(self.v(text), self.num_heads)

    def forward(self, x: Tensor, k: Tensor, v: Tensor) -> Tensor:
        q = split_heads(self.norm_q(self.q(x)), self.num_heads)
        return self.o(merge_heads(F.scaled_dot_product_attention(q, k, v)))


class CachedAttention:
    """Write the chunk's keys and values into their cache slots, then attend to the valid prefix; no mask is needed."""

    def __init__(self, k_cache: Tensor, v_cache: Tensor, write_index: int, kv_len: int) -> None:
        """Caches [B, H, S_max, D] are updated in place; `write_index` and `kv_len` are in tokens."""
        self.k_cache, self.v_cache = k_cache, v_cache
        self.write_index, self.kv_len = write_index, kv_len

    def __call__(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        count = k.shape[2]
        self.k_cache.narrow(2, self.write_index, count).copy_(k)
        self.v_cache.narrow(2, self.write_index, count).copy_(v)
        keys, values = self.k_cache.narrow(2, 0, self.kv_len), self.v_cache.narrow(2, 0, self.kv_len)
        return F.scaled_dot_product_attention(q, keys, values)


class RowsAttention:
    """As `CachedAttention` for a batch whose rows are at different places of their caches."""

    def __init__(self, k_cache: Tensor, v_cache: Tensor, write_index: Sequence[int], kv_len: Sequence[int]) -> None:
        """One place and one length per row, in tokens."""
        places = enumerate(zip(write_index, kv_len, strict=True))
        self._rows = [CachedAttention(k_cache[r : r + 1], v_cache[r : r + 1], *place) for r, place in places]

    def __call__(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        rows = zip(self._rows, q.split(1), k.split(1), v.split(1), strict=True)
        return torch.cat([attend(*tensors) for attend, *tensors in rows])


AttendTo = Callable[[Tensor, Tensor], Attend]
"""K and V cache of a layer -> how its tokens attend to them."""

Attention = Callable[[Tensor, Tensor], AttendTo]
"""First slot of the chunk and length of the valid prefix, int64 [B] each in tokens -> what holds for every layer."""


def cached_attention(write_index: Tensor, kv_len: Tensor) -> AttendTo:
    """Eagerly and in place: rows that are at the same place in one go, else one by one."""
    starts, lengths = write_index.tolist(), kv_len.tolist()
    if len(set(starts)) == len(set(lengths)) == 1:
        return lambda keys, values: CachedAttention(keys, values, starts[0], lengths[0])
    return lambda keys, values: RowsAttention(keys, values, starts, lengths)


class MaskedAttention:
    """Attend inside one full pass under a boolean mask [N, N] (True = visible); used in training and as a reference."""

    def __init__(self, mask: Tensor | None) -> None:
        self.mask = mask

    def __call__(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=self.mask)


def block_causal_mask(ring: Ring, frames: int, tokens_per_frame: int) -> Tensor:
    """Boolean [N, N] mask: one full pass over `frames` latent frames sees under it what streaming with `ring` sees."""
    mask = torch.zeros(frames, frames, dtype=torch.bool)
    for frame in range(frames):
        visible = [index for index in ring.visible(frame // ring.chunk) if index < frames]
        mask[frame, visible] = True
    return mask.repeat_interleave(tokens_per_frame, 0).repeat_interleave(tokens_per_frame, 1)


def split_heads(x: Tensor, num_heads: int) -> Tensor:
    """[B, N, H*D] -> [B, H, N, D]."""
    return x.unflatten(-1, (num_heads, -1)).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """[B, H, N, D] -> [B, N, H*D]."""
    return x.transpose(1, 2).flatten(2)
