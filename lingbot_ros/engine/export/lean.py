"""The same network with merged weights, for export: fewer and larger operators, the same numbers up to rounding."""

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lingbot_ros.model.attention import Attend, SelfAttention, merge_heads, split_heads
from lingbot_ros.model.pixel import JoinedConv
from lingbot_ros.model.rope import rotate


def lean(module: nn.Module) -> nn.Module:
    """A copy that shares all parameters but the merged ones. The module itself stays as it is.

    Up-samplings have whole factors.
    """
    if isinstance(module, SelfAttention):
        return FusedSelfAttention(module)
    if isinstance(module, JoinedConv):
        return SplitConv(module)
    twin = copy.copy(module)
    if isinstance(twin, nn.Upsample) and twin.mode == "nearest-exact":
        twin.mode = "nearest"  # the same for whole factors; the other becomes a gather of every value
    twin._modules = {name: child and lean(child) for name, child in module._modules.items()}
    return twin


class FusedSelfAttention(nn.Module):
    """`SelfAttention` with one linear for queries, keys and values."""

    def __init__(self, plain: SelfAttention) -> None:
        super().__init__()
        self.num_heads, self.o, self.norm_q, self.norm_k = plain.num_heads, plain.o, plain.norm_q, plain.norm_k
        linears = (plain.q, plain.k, plain.v)
        self.weight = nn.Parameter(torch.cat([linear.weight for linear in linears]), requires_grad=False)
        self.bias = nn.Parameter(torch.cat([linear.bias for linear in linears]), requires_grad=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, attend: Attend) -> Tensor:
        """See `SelfAttention`."""
        q, k, v = F.linear(x, self.weight, self.bias).chunk(3, dim=-1)
        q = rotate(split_heads(self.norm_q(q), self.num_heads), cos, sin)
        k = rotate(split_heads(self.norm_k(k), self.num_heads), cos, sin)
        return self.o(merge_heads(attend(q, k, split_heads(v, self.num_heads))))


class SplitConv(nn.Module):
    """`JoinedConv` as a sum of two convolutions, of which nothing is joined.

    ONNX Runtime needs up to four times as long for the convolution of eight rows that were joined before.
    """

    def __init__(self, plain: JoinedConv) -> None:
        super().__init__()
        first = plain.weight.shape[1] // 2
        self.first = nn.Parameter(plain.weight[:, :first].clone(), requires_grad=False)
        self.second = nn.Parameter(plain.weight[:, first:].clone(), requires_grad=False)
        self.bias = plain.bias
        self._padding = plain.padding

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        """See `JoinedConv`."""
        whole = F.conv2d(one, self.first, self.bias, padding=self._padding)
        return whole + F.conv2d(other, self.second, padding=self._padding)
