"""From a plan on disk to an engine in memory, or to an error that says why not."""

import mmap
import re
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from lingbot_ros.engine.tensorrt.library import log_of
from lingbot_ros.errors import EngineError, ErrorCode

_REBUILD = "build it again: `lingbot engines build MODEL --force`"

_VALIDITY = {
    "VERSION_MISMATCH": ("STALE_PLAN", f"it was built by another version of the library; {_REBUILD}"),
    "MALFORMED_ENGINE": ("STALE_PLAN", f"it is no plan; {_REBUILD}"),
    "UNSUPPORTED_CC": ("UNSUPPORTED_GPU", "it was not compiled for a GPU like this; add it to --targets, or use torch"),
    "OLD_CUDA_DRIVER": ("TOO_OLD", "NVIDIA's driver is too old for it; upgrade the driver"),
    "OLD_CUDA_RUNTIME": ("TOO_OLD", "the CUDA runtime is too old for it; upgrade it"),
    "INSUFFICIENT_GPU_MEMORY": ("OUT_OF_MEMORY", "the GPU's memory does not hold it; use a lower precision or window"),
    "CUDA_ERROR": ("NO_DRIVER", "CUDA does not start; see nvidia-smi"),
}
"""What TensorRT-RTX says of a plan before it loads it: code, and what to do."""

_LOGGED = (
    (
        r"cudaError 35|insufficient for CUDA runtime",
        "NO_DRIVER",
        "NVIDIA's driver is missing or too old; see nvidia-smi",
    ),
    (r"incompatible device|compute capability", "UNSUPPORTED_GPU", f"it is for another kind of GPU; {_REBUILD}"),
    (r"out ?of ?memory", "OUT_OF_MEMORY", "the GPU's memory does not hold it; use a lower precision or window"),
)
_MALFORMED = re.compile(r"Serialization assertion|kEXPECTED_MAGIC_TAG|serialization version")


def open_plan(trt: ModuleType, path: Path) -> Any:
    """The `ICudaEngine` of a plan; raises EngineError with a code. The driver must have been checked."""
    log = log_of(trt)
    log.lines.clear()
    runtime = trt.Runtime(log)
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as plan:
            _check_header(trt, runtime, plan, path)
            engine = runtime.deserialize_cuda_engine(plan)
    except (OSError, ValueError) as error:  # an empty file cannot be mapped
        raise EngineError(f"engine: STALE_PLAN: {path}: {error}; {_REBUILD}") from error
    if engine is None:
        raise refusal(path, log.lines)
    return engine


def refusal(path: Path, lines: Sequence[str]) -> EngineError:
    """The error for a plan that was not loaded, from what was logged: the library raises no exception."""
    said = "; ".join(lines[-3:])
    if _MALFORMED.search(said):
        return EngineError(f"engine: STALE_PLAN: {path} is damaged or of another version; {_REBUILD} ({said})")
    for pattern, code, advice in _LOGGED:
        if re.search(pattern, said, re.IGNORECASE):
            return _error(code, path, advice, said)
    return EngineError(f"engine: LOAD_FAILED: {path}: {said}; {_REBUILD}")


def _check_header(trt: ModuleType, runtime: Any, plan: mmap.mmap, path: Path) -> None:
    """TensorRT-RTX judges a plan by its first bytes, and gives the reasons."""
    if not hasattr(runtime, "get_engine_validity"):
        return
    validity, reasons = runtime.get_engine_validity(plan[: runtime.engine_header_size])
    if validity != trt.EngineValidity.INVALID:
        return
    for name, (code, advice) in _VALIDITY.items():
        if int(reasons) & int(getattr(trt.EngineInvalidityDiagnostics, name).value):
            raise _error(code, path, advice, f"{trt.__name__} says {name}")


def _error(code: str, path: Path, advice: str, said: str) -> EngineError:
    number = ErrorCode.OUT_OF_MEMORY if code == "OUT_OF_MEMORY" else None
    return EngineError(f"engine: {code}: {path} cannot be loaded here: {advice} ({said})", number)
