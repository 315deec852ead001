"""PyTorch with `torch.compile`: kernels are made for the parts of a network when it first runs."""

import copy
import importlib.util
import os
import shutil
from dataclasses import replace

from torch import nn

from lingbot_ros.engine.interface import EngineOptions, GraphSpec
from lingbot_ros.engine.torch_engine import TorchEngine, TorchProgram
from lingbot_ros.errors import EngineError
from lingbot_ros.model.pixel import PixelHead, PixelStem
from lingbot_ros.model.rigid_layers.rigid_layers import RigidLayers
from lingbot_ros.model.transformer import Block

NAME = "torch_compiled"

_PARTS = (Block, PixelStem, PixelHead, RigidLayers)
"""Compiled each by itself: all blocks of a model share one kernel set, and where in its cache a chunk is stays a
number of the host, for which two lengths make it a variable."""


class CompiledTorchEngine(TorchEngine):
    """As `TorchEngine`; the first chunks take tens of seconds more, and results differ in rounding."""

    def __init__(self, options: EngineOptions) -> None:
        """Raises EngineError (NO_COMPILER) where nothing could compile, and what `TorchEngine` raises."""
        super().__init__(options)
        require_compiler(options.device)
        self.info = replace(self.info, engine=NAME)

    def load(self, graph: GraphSpec) -> TorchProgram:
        program = super().load(graph)
        program.rebuild(_compiled)
        return program


def require_compiler(device: str) -> None:
    """Raise EngineError (NO_COMPILER) unless there is what `torch.compile` needs for a device."""
    compiler = os.environ.get("CXX") or "g++"
    if shutil.which(compiler) is None:
        raise EngineError(f"engine: NO_COMPILER: {compiler} was not found; install g++, set CXX, or use engine torch")
    if device.startswith("cuda") and importlib.util.find_spec("triton") is None:
        raise EngineError(
            "engine: NO_COMPILER: the package triton is not installed; pip install triton, or use engine torch"
        )


def _compiled(module: nn.Module) -> nn.Module:
    """A copy that shares the weights; the module itself stays uncompiled for those who share it."""
    twin = copy.copy(module)
    if isinstance(module, _PARTS):
        twin.compile()
        return twin
    twin._modules = {name: child and _compiled(child) for name, child in module._modules.items()}
    return twin
