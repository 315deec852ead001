"""A measurement, where it is made, and the clock."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Place:
    """Where measurements are made. On a CPU models are tiny: that the programs run is all that such figures say."""

    device: str

    @property
    def is_tiny(self) -> bool:
        return not self.device.startswith("cuda")

    def wait(self) -> None:
        """Until the device has done all that it was given."""
        if not self.is_tiny:
            torch.cuda.synchronize(self.device)

    def describe(self) -> dict[str, Any]:
        """The device's name, memory and compute capability; of a CPU, what its figures are worth."""
        if self.is_tiny:
            return {"device": self.device, "note": "a CPU with tiny models: the programs run, nothing is said of a GPU"}
        found = torch.cuda.get_device_properties(self.device)
        capability = f"{found.major}.{found.minor}"
        return {"device": found.name, "memory_bytes": found.total_memory, "compute_capability": capability}


@dataclass(frozen=True)
class Measurement:
    """`run` gives figures, or raises: then the error is what was found."""

    name: str
    run: Callable[[], Figures]


def time_calls(call: Callable[[], object], place: Place, calls: int, warm_up: int = 3) -> dict[str, float]:
    """Milliseconds of wall time per call, each waited for."""
    for _ in range(warm_up):
        call()
    spent = []
    for _ in range(calls):
        place.wait()
        started = time.perf_counter()
        call()
        place.wait()
        spent.append((time.perf_counter() - started) * 1e3)
    spent.sort()
    return {"p50_ms": statistics.median(spent), "p95_ms": spent[min(int(0.95 * calls), calls - 1)], "calls": calls}


def matrix_peak(place: Place, dtype: torch.dtype) -> float:
    """FLOP per second of a large square matrix product, as measured, not as the data sheet says."""
    size = 512 if place.is_tiny else 8192
    a, b = (torch.randn(size, size, device=place.device).to(dtype) for _ in range(2))
    return 2 * size**3 / (time_calls(lambda: a @ b, place, 10)["p50_ms"] / 1e3)
