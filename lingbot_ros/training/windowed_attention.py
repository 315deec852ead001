"""Attention over a whole clip at the price of its window: what makes clips far longer than the window affordable."""

import torch
import torch.nn.functional as F
from torch import Tensor

from lingbot_ros.model.attention import Attend, MaskedAttention, block_causal_mask
from lingbot_ros.model.ring import Ring


def clip_attention(ring: Ring, frames: int, tokens_per_frame: int, device: torch.device) -> Attend:
    """Attention of one full pass over `frames` latent frames, in which each sees what it sees when streaming.

    A clip of few windows, one with an attention sink or with a window of no whole chunks is masked whole; a longer one
    is cut into windows.
    """
    if ring.sink == 0 and ring.rest == 0 and frames > 2 * ring.window:
        return WindowedAttention(ring, tokens_per_frame, device)
    return MaskedAttention(_additive(block_causal_mask(ring, frames, tokens_per_frame), device))


class WindowedAttention:
    """Cuts a clip into pieces of one window each; no frame sees farther back than the piece before its own."""

    def __init__(self, ring: Ring, tokens_per_frame: int, device: torch.device) -> None:
        """`ring` has no sink and a window of whole chunks."""
        self._piece = ring.window * tokens_per_frame
        visible = block_causal_mask(ring, 2 * ring.window, tokens_per_frame)
        self._first = _additive(visible[: self._piece, : self._piece], device)
        self._later = _additive(visible[self._piece :], device)

    def __call__(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """q, k, v [B, H, N, D] of a clip of more than one window -> [B, H, N, D]."""
        tokens, piece = q.shape[2], self._piece
        first = F.scaled_dot_product_attention(q[:, :, :piece], k[:, :, :piece], v[:, :, :piece], attn_mask=self._first)
        # What pads the last piece comes after every real token and is therefore seen by none.
        q, k, v = (F.pad(x, (0, 0, 0, -tokens % piece)) for x in (q, k, v))
        queries = self._fold(q[:, :, piece:], piece)
        keys, values = (
            torch.cat((self._fold(x[:, :, :-piece], piece), self._fold(x[:, :, piece:], piece)), dim=2) for x in (k, v)
        )
        later = F.scaled_dot_product_attention(queries, keys, values, attn_mask=self._later)
        later = later.unflatten(0, (len(q), -1)).transpose(1, 2).flatten(2, 3)
        return torch.cat((first, later), dim=2)[:, :, :tokens]

    @staticmethod
    def _fold(x: Tensor, piece: int) -> Tensor:
        """[B, H, P * piece, D] -> [B * P, H, piece, D]."""
        return x.unflatten(2, (-1, piece)).transpose(1, 2).flatten(0, 1)


def _additive(visible: Tensor, device: torch.device) -> Tensor:
    return torch.zeros(visible.shape).masked_fill(~visible, -torch.inf).to(device)
