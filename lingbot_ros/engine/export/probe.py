"""What a graph computes on fixed inputs, by the PyTorch module in float32: every engine must reproduce it.

The cache is half full and its unused slots hold finite garbage, so that a length that was dropped, a slot that is
wrong, layers that were exchanged and a cache that is not written in place all show.
"""

import copy
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lingbot_ros.engine.export.positional import on_cpu
from lingbot_ros.engine.interface import GraphSpec, Role
from lingbot_ros.errors import EngineError
from lingbot_ros.model.attention import cached_attention

TOLERANCES = {"f32": 1e-4, "f16": 2e-2, "bf16": 2e-2, "int8": 5e-2, "fp8": 5e-2}
"""By precision, of the largest magnitude of each tensor."""

_FORWARDS = 2

Probe = dict[str, NDArray[np.float32]]


def probe_tensors(graph: GraphSpec, place: Callable[..., str] = lambda _: "cpu") -> dict[str, Tensor]:
    """Every tensor of the graph, filled for the probe. Rows of a batch are at different places of their caches."""
    generator = torch.Generator().manual_seed(11)
    tensors = {}
    for spec in graph.tensors:
        tensor = spec.allocate("cpu")
        if spec.role is not Role.OUTPUT and not spec.scalar:
            tensor.copy_(torch.randn(spec.shape, generator=generator).clamp(-3, 3) * 0.3)
        tensors[spec.name] = tensor
    if "write_index" in tensors:
        tokens = next(spec.shape[1] for spec in graph.tensors if spec.name == "cos")
        slots = next(spec.shape[2] for spec in graph.tensors if spec.role is Role.STATE)
        chunks = slots // tokens
        for row in range(graph.batch):
            filled = max(chunks // 2 - row % 2, 1) * tokens
            tensors["write_index"][row], tensors["kv_len"][row] = filled - tokens, filled
            for spec in graph.tensors:
                if spec.role is Role.STATE:
                    unused = tensors[spec.name][row, :, filled:]
                    unused.copy_(torch.randint(0, 2, unused.shape, generator=generator) * 14 - 7)
    return {spec.name: tensors[spec.name].to(place(spec)) for spec in graph.tensors}


@torch.inference_mode()
def expected(graph: GraphSpec) -> Probe:
    """What the PyTorch module makes of `probe_tensors` in two forwards, in float32 whatever the graph's types are."""
    tensors, module = probe_tensors(graph), on_cpu(graph.build_module(cached_attention).eval())
    if any(spec.dtype in (torch.float16, torch.bfloat16) for spec in graph.tensors):
        module = copy.deepcopy(module).float()  # a copy: the model is others', too
    tensors = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}
    for _ in range(_FORWARDS):
        results = module(**{spec.name: tensors[spec.name] for spec in graph.inputs})
    for spec, result in zip([s for s in graph.tensors if s.role is Role.OUTPUT], results, strict=True):
        tensors[spec.name].copy_(result)
    return _observed(graph, tensors)


def check(
    graph: GraphSpec, tensors: dict[str, Tensor], run: Callable[[], None], probe: Probe, precision: str = "f32"
) -> None:
    """Run a bound graph twice on `probe_tensors`; raises EngineError that names the tensor, the error and the limit."""
    if differs := difference(computed(graph, tensors, run), probe, TOLERANCES[precision]):
        raise EngineError(
            f"engine: PROBE_FAILED: in the {graph.name} graph {differs}. This engine computes something else on this "
            "machine; use engine torch and report it"
        )


def computed(graph: GraphSpec, tensors: dict[str, Tensor], run: Callable[[], None]) -> Probe:
    """What a bound graph makes of `probe_tensors` in two forwards."""
    for _ in range(_FORWARDS):
        run()
    return _observed(graph, tensors)


def difference(found: Probe, probe: Probe, tolerance: float = TOLERANCES["f32"]) -> str:
    """What is not the same up to rounding, in words; empty if all is."""
    for name, values in probe.items():
        error, limit = float(np.abs(found[name] - values).max()), tolerance * float(np.abs(values).max())
        if not error <= limit:  # also catches NaN
            return f"{name} is off by {error:.2e}, of which {limit:.2e} would be rounding"
    return ""


def _observed(graph: GraphSpec, tensors: dict[str, Tensor]) -> Probe:
    """Outputs whole, and of every cache its mean over the head's dimension: any slot that differs shows there."""
    seen = {s.name: tensors[s.name].float().cpu().numpy().copy() for s in graph.tensors if s.role is Role.OUTPUT}
    states = {s.name: tensors[s.name].float().mean(-1).cpu().numpy() for s in graph.tensors if s.role is Role.STATE}
    return seen | states
