"""Which engines there are, by name."""

from collections.abc import Callable

from lingbot_ros.engine.interface import Engine, EngineOptions
from lingbot_ros.engine.torch_engine import TorchEngine
from lingbot_ros.errors import EngineError

ENGINES: dict[str, Callable[[EngineOptions], Engine]] = {"torch": TorchEngine}

CHOICES = ("auto", *ENGINES)
"""What may be asked for."""


def new_engine(options: EngineOptions) -> Engine:
    """The engine that the options name; raises EngineError for one that does not exist or cannot run here."""
    if options.engine not in ENGINES:
        raise EngineError(f"engine: got {options.engine!r}; this version has {', '.join(CHOICES)}")
    return ENGINES[options.engine](options)
