"""NVIDIA's two libraries: which is here, whether it loads, whether there is a GPU to run on.

Without a driver, TensorRT's `Runtime` and `Builder` are null pointers whose first use ends the process. So nothing here
makes one; `require_driver` comes before.
"""

import ctypes
import importlib
import logging
import re
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distributions
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from lingbot_ros.errors import EngineError


@dataclass(frozen=True)
class Flavour:
    """A library: the engine's name, its module, the first version that updates caches in place, how to install it."""

    name: str
    oldest: tuple[int, int]
    builds_without_gpu: bool
    install: str

    @property
    def module(self) -> str:
        """The Python module; the engine is called after it."""
        return self.name


TENSORRT = Flavour(
    "tensorrt",
    (10, 15),
    builds_without_gpu=False,
    install="./lingbot setup --engine tensorrt, or pip install lingbot_ros[tensorrt], with access to NVIDIA's own "
    "package index, where its libraries are",
)
RTX = Flavour(
    "tensorrt_rtx",
    (1, 7),
    builds_without_gpu=True,
    install="./lingbot setup --engine tensorrt_rtx, or pip install lingbot_ros[tensorrt_rtx] (95 MB)",
)
FLAVOURS = {flavour.name: flavour for flavour in (TENSORRT, RTX)}

_SHARED_LIBRARY = re.compile(r"[\w.+-]+\.so[.\d]*")
_NO_GPU_NEEDED = "engines torch and onnxruntime need none"


def load_library(flavour: Flavour) -> ModuleType:
    """The module; raises EngineError with NOT_INSTALLED, LIBRARY_LOAD or TOO_OLD. Needs no driver."""
    try:
        trt = importlib.import_module(flavour.module)
    except (ImportError, OSError) as error:
        raise _load_error(flavour, error) from error
    version = str(getattr(trt, "__version__", "unknown"))
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if numbers is None or (int(numbers[1]), int(numbers[2])) < flavour.oldest:
        needed = ".".join(map(str, flavour.oldest))
        raise EngineError(
            f"engine: TOO_OLD: {flavour.module} {version} is installed, {needed} is needed, which updates caches in "
            f"place; {flavour.install}"
        )
    return trt


def require_driver() -> None:
    """Raise EngineError (NO_DRIVER) unless NVIDIA's driver finds a GPU."""
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError as error:
        raise EngineError(
            f"engine: NO_DRIVER: NVIDIA's driver is not installed ({error}); install it on a machine with an NVIDIA "
            f"GPU, or use another engine: {_NO_GPU_NEEDED}"
        ) from error
    count = ctypes.c_int(0)
    for call in (lambda: cuda.cuInit(0), lambda: cuda.cuDeviceGetCount(ctypes.byref(count))):
        if code := call():
            raise EngineError(
                f"engine: NO_DRIVER: NVIDIA's driver does not start (CUDA error {code}); see nvidia-smi, or use "
                f"another engine: {_NO_GPU_NEEDED}"
            )
    if not count.value:
        raise EngineError(f"engine: NO_DRIVER: NVIDIA's driver finds no GPU; {_NO_GPU_NEEDED}")


@cache
def log_of(trt: ModuleType) -> Any:
    """The library's log, which keeps warnings and errors in `lines`. One per process: others would be ignored.

    With `verbose` it also keeps, and passes on, what the library tells at other levels.
    """

    logger = logging.getLogger(f"{__name__}.{trt.__name__}")

    class Log(trt.ILogger):  # type: ignore[name-defined]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.lines: list[str] = []
            self.verbose = False

        def log(self, severity: Any, message: str) -> None:
            if severity <= trt.ILogger.Severity.WARNING:
                self.lines.append(f"{severity.name}: {message}")
            if self.verbose:
                logger.info("%s: %s", severity.name, message)

    return Log()


def _load_error(flavour: Flavour, error: BaseException) -> EngineError:
    missing = _SHARED_LIBRARY.search(str(error))
    if isinstance(error, ModuleNotFoundError) and not _has_bindings(flavour):
        return EngineError(
            f"engine: NOT_INSTALLED: the package {flavour.module} is not installed ({error}); {flavour.install}"
        )
    if not _has_libraries(flavour):
        # The package on the public index only fetches the libraries from NVIDIA's; where that failed, bindings remain.
        return EngineError(
            f"engine: NOT_INSTALLED: only the bindings of {flavour.module} are here, its libraries are not ({error}): "
            f"their package on the public index is a placeholder that fetches them from NVIDIA's index; "
            f"{flavour.install}"
        )
    return EngineError(
        f"engine: LIBRARY_LOAD: {flavour.module} is here and does not load: "
        f"{f'{missing[0]} is missing or does not load' if missing else error} ({error}); install that library"
    )


def _has_bindings(flavour: Flavour) -> bool:
    return find_spec(f"{flavour.module}_bindings") is not None or find_spec(flavour.module) is not None


def _has_libraries(flavour: Flavour) -> bool:
    """Whether the libraries' own package has any library in it; true where the module is no wheel of NVIDIA's."""
    if find_spec(f"{flavour.module}_bindings") is None:
        return True
    pattern = re.compile(rf"{flavour.module}[_-]cu\d+[_-]libs", re.IGNORECASE)
    for found in distributions():
        try:
            if pattern.fullmatch(found.metadata["Name"] or ""):
                return any(".so" in file.name for file in found.files or ())
        except PackageNotFoundError:
            continue
    return find_spec(f"{flavour.module}_libs") is not None
