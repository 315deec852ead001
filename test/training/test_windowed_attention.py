"""Attention over a clip in pieces gives what the whole masked pass gives."""

import pytest
import torch

from lingbot_ros.model.attention import MaskedAttention, block_causal_mask
from lingbot_ros.model.ring import Ring
from lingbot_ros.training.windowed_attention import WindowedAttention, clip_attention

TOKENS = 3


@pytest.mark.parametrize(("chunk", "window", "frames"), [(1, 4, 9), (1, 4, 12), (1, 4, 16), (2, 4, 14), (3, 6, 24)])
def test_pieces_and_gradients_are_those_of_the_whole(chunk: int, window: int, frames: int) -> None:
    ring = Ring(chunk, window)
    torch.manual_seed(0)
    q, k, v = (torch.randn(2, 2, frames * TOKENS, 8, requires_grad=True) for _ in range(3))
    whole = MaskedAttention(block_causal_mask(ring, frames, TOKENS))(q, k, v)
    expected = torch.autograd.grad(whole.square().sum(), (q, k, v))
    pieces = clip_attention(ring, frames, TOKENS, torch.device("cpu"))
    assert isinstance(pieces, WindowedAttention)
    result = pieces(q, k, v)
    torch.testing.assert_close(result, whole)
    torch.testing.assert_close(torch.autograd.grad(result.square().sum(), (q, k, v)), expected)


@pytest.mark.parametrize(("sink", "frames"), [(0, 8), (2, 20)])
def test_short_clips_and_sinks_are_masked_whole(sink: int, frames: int) -> None:
    assert isinstance(clip_attention(Ring(1, 4, sink), frames, TOKENS, torch.device("cpu")), MaskedAttention)
