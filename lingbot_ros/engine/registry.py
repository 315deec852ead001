"""Which engines there are, by name, and what each says about this machine."""

from collections.abc import Callable
from dataclasses import dataclass

from lingbot_ros.engine.compiled_torch import CompiledTorchEngine
from lingbot_ros.engine.interface import Engine, EngineOptions, ProgramInfo
from lingbot_ros.engine.onnx_engine import OnnxEngine
from lingbot_ros.engine.tensorrt.engine import new_tensorrt, new_tensorrt_rtx
from lingbot_ros.engine.tensorrt.library import FLAVOURS
from lingbot_ros.engine.torch_engine import TorchEngine
from lingbot_ros.errors import EngineError, LingbotError

ENGINES: dict[str, Callable[[EngineOptions], Engine]] = {
    "torch": TorchEngine,
    "onnxruntime": OnnxEngine,
    "torch_compiled": CompiledTorchEngine,
    "tensorrt": new_tensorrt,
    "tensorrt_rtx": new_tensorrt_rtx,
}

CHOICES = ("auto", *ENGINES)
"""What may be asked for. `auto` is decided per model, see `world.engine_choice`."""

_DEVICES = (
    ("torch", "cpu", "f32"),
    ("torch", "cuda", "bf16"),
    ("onnxruntime", "cpu", "f32"),
    ("torch_compiled", "cpu", "f32"),
    ("torch_compiled", "cuda", "bf16"),
    *((name, "cuda", "bf16") for name in FLAVOURS),
)


@dataclass(frozen=True)
class EngineReport:
    """An engine on a device: what it would run as, or why it cannot (a code and what to do)."""

    engine: str
    device: str
    info: ProgramInfo | None
    refusal: str = ""


def new_engine(options: EngineOptions) -> Engine:
    """The engine that the options name; raises EngineError for one that does not exist or cannot run here."""
    check_engine(options.engine)
    return ENGINES[options.engine](options)


def check_engine(name: str) -> str:
    """The name, if it may be asked for; else EngineError."""
    if name not in CHOICES:
        raise EngineError(f"engine: got {name!r}; this version has {', '.join(CHOICES)}")
    return name


def engine_reports() -> list[EngineReport]:
    """Every engine on every kind of device it knows, in each one's usual precision there."""
    found = []
    for name, device, precision in _DEVICES:
        try:
            info = new_engine(EngineOptions(device, precision, engine=name)).info
            found.append(EngineReport(name, device, info))
        except LingbotError as error:
            found.append(EngineReport(name, device, None, str(error)))
    return found
