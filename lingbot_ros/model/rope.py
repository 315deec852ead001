"""Rotary position angles over (time, row, column), computed on demand so that time has no end (model_spec 3.7)."""

import torch
from torch import Tensor

from lingbot_ros.model.token_share import TokenShare

_THETA = 10000.0


def axis_pairs(head_dim: int) -> tuple[int, int, int]:
    """Rotary pairs per axis (time, row, column); head dimension 128 gives 22, 21, 21."""
    spatial = 2 * (head_dim // 6)
    return (head_dim - 2 * spatial) // 2, spatial // 2, spatial // 2


def axis_angles(positions: Tensor, pairs: int) -> Tensor:
    """Angles `pos * theta^(-j / pairs)` of one axis: positions [n] -> float64 [n, pairs]."""
    return positions.to(torch.float64)[:, None] * axis_frequencies(pairs)[None]


def axis_frequencies(pairs: int) -> Tensor:
    """Angle per step of each pair: float64 [pairs]."""
    exponents = -torch.arange(pairs, dtype=torch.float64) / max(pairs, 1)
    return _THETA**exponents


def rope_angles(frames: Tensor, rows: int, columns: int, head_dim: int) -> Tensor:
    """Angles of every token in (frame, row, column) order: float64 [f*rows*columns, head_dim/2].

    `frames` [f] are absolute time indices.
    """
    time, row, column = axis_pairs(head_dim)
    count = len(frames)
    grid = (count, rows, columns)
    parts = (
        axis_angles(frames, time).view(count, 1, 1, time).expand(*grid, time),
        axis_angles(torch.arange(rows), row).view(1, rows, 1, row).expand(*grid, row),
        axis_angles(torch.arange(columns), column).view(1, 1, columns, column).expand(*grid, column),
    )
    return torch.cat(parts, dim=-1).reshape(-1, head_dim // 2)


def rope_tables(frames: Tensor, rows: int, columns: int, head_dim: int) -> tuple[Tensor, Tensor]:
    """Cosine and sine rows, float32 [f*rows*columns, head_dim/2] each, evaluated in float64."""
    angles = rope_angles(frames, rows, columns, head_dim)
    return angles.cos().float(), angles.sin().float()


class RotaryTables:
    """The tables of one frame size. Only the columns of time change from chunk to chunk, so that only they are made."""

    def __init__(self, rows: int, columns: int, head_dim: int, share: TokenShare | None = None) -> None:
        """`share`: for the tokens of this process alone."""
        self._time_pairs = axis_pairs(head_dim)[0]
        cos, sin = rope_tables(torch.zeros(1), rows, columns, head_dim)
        if share is not None:
            cos, sin = share.own(cos, 1, axis=0), share.own(sin, 1, axis=0)
        self.tokens = len(cos)
        self._frequencies = axis_frequencies(self._time_pairs)
        self._places = (cos[:, self._time_pairs :], sin[:, self._time_pairs :])

    def begin(self, cos: Tensor, sin: Tensor) -> None:
        """Write what belongs to rows and columns into float32 tables [..., f*tokens, D/2]."""
        for table, places in zip((cos, sin), self._places, strict=True):
            table.unflatten(-2, (-1, self.tokens))[..., self._time_pairs :] = places

    def move(self, first: int, cos: Tensor, sin: Tensor) -> None:
        """Write the columns of time for frames `first`, `first` + 1, ... into tables that `begin` has seen."""
        if cos.shape[-2] == self.tokens:  # one frame: half the calls
            angles = self._frequencies * first
            cos[..., : self._time_pairs], sin[..., : self._time_pairs] = angles.cos(), angles.sin()
            return
        frames = torch.arange(first, first + cos.shape[-2] // self.tokens, dtype=torch.float64)
        angles = (frames[:, None] * self._frequencies)[:, None]
        for table, times in ((cos, angles.cos()), (sin, angles.sin())):
            table.unflatten(-2, (-1, self.tokens))[..., : self._time_pairs] = times


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate interleaved pairs of x [B, H, N, D] by tables [N, D/2] or [B, 1, N, D/2]; in float32, dtype of x kept.

    Real arithmetic on pairs rather than complex tensors: those do not export.
    """
    if torch.onnx.is_in_onnx_export():  # one operator instead of eleven
        tables = (table.reshape(-1, *table.shape[-2:]).expand(len(x), -1, -1) for table in (cos, sin))
        return torch.onnx.ops.rotary_embedding(x.float(), *tables, interleaved=True).to(x.dtype)
    pairs = x.float().unflatten(-1, (-1, 2))
    even, odd = pairs[..., 0], pairs[..., 1]
    rotated = torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1)
    return rotated.flatten(-2).to(x.dtype)
