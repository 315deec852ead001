"""Attention to a cache as ONNX has it: `TensorScatter` writes the chunk's slots, `Attention` reads the valid prefix.

ONNX mutates nothing: a cache that was written is an output. An engine binds input and output to one address, and the
operator then writes in place.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from lingbot_ros.model.attention import AttendTo

OPSET = 24
"""The first with `TensorScatter`."""

_SLICE_VERSION = 13


class ScatterAttention:
    """One layer. `outputs` are its caches after the call."""

    def __init__(self, keys: Tensor, values: Tensor, write_index: Tensor, length: Tensor, mask: Tensor | None) -> None:
        """`length` int64 [1] of the prefix that is attended to, `mask` [B, 1, N, length] if rows see less of it."""
        self._caches, self._write_index, self._length, self._mask = (keys, values), write_index, length, mask
        self.outputs: Sequence[Tensor] = ()

    def __call__(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        self.outputs = [self._scatter(cache, new) for cache, new in zip(self._caches, (k, v), strict=True)]
        keys, values = (prefix(cache, self._length, 2) for cache in self.outputs)
        return F.scaled_dot_product_attention(q, keys, values, attn_mask=self._mask)

    def _scatter(self, cache: Tensor, new: Tensor) -> Tensor:
        written: Tensor = torch.onnx.ops.symbolic(
            "TensorScatter",
            (cache, new, self._write_index),
            attrs={"axis": -2, "mode": "linear"},
            dtype=cache.dtype,
            shape=cache.shape,
            version=OPSET,
        )
        return written


class ExportedAttention:
    """What holds for every layer, computed once: how long the prefix is, and what each row of a batch sees of it."""

    def __init__(self, chunk_tokens: int, slots: int) -> None:
        self._chunk_tokens, self._slots = chunk_tokens, slots

    def __call__(self, write_index: Tensor, kv_len: Tensor) -> AttendTo:
        length, mask = kv_len, None
        if len(kv_len) > 1:
            length = kv_len.max().reshape(1)
            seen = torch.arange(self._slots)[None] < kv_len[:, None]
            # Expanded over the queries because ONNX Runtime broadcasts every axis of a mask but this one.
            whole = seen[:, None, None].expand(-1, 1, self._chunk_tokens, -1)
            mask = prefix(whole, length, 3)
        return lambda keys, values: ScatterAttention(keys, values, write_index, length, mask)


def prefix(x: Tensor, length: Tensor, axis: int) -> Tensor:
    """The first `length` [1] along an axis. Its shape is declared whole, as torch knows no other; see `onnx_export`."""
    start, axes = torch.zeros(1, dtype=torch.int64), torch.full((1,), axis, dtype=torch.int64)
    sliced: Tensor = torch.onnx.ops.symbolic(
        "Slice", (x, start, length, axes), dtype=x.dtype, shape=x.shape, version=_SLICE_VERSION
    )
    return sliced
