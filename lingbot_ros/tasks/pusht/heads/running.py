"""A head's network on an engine: images side by side in forwards of the sizes that the engine has graphs for."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from lingbot_ros.engine.interface import Engine, GraphSpec, Program, Role
from lingbot_ros.engine.torch_engine import TorchEngine
from lingbot_ros.tasks.pusht.heads.graphs import head_graphs
from lingbot_ros.world.tile import tile_sizes

Running = Callable[[Tensor], tuple[Tensor, ...]]
"""What a head's network is: pictures [B, ...] -> its outputs, [B, ...] each."""

logger = logging.getLogger(__name__)


def running_on(engine: Engine | None, name: str | Path, network: nn.Module) -> Running:
    """The head on `engine` where its graphs were exported for it; else its network in PyTorch, which the log says."""
    if engine is None or isinstance(engine, TorchEngine):
        return network
    graphs = {rows: graph for rows in engine.batches or (1,) for graph in head_graphs(name, rows)}
    if not all(engine.is_ready(graph) for graph in graphs.values()):
        logger.info("head %s: torch; %s: NOT_EXPORTED, `lingbot export %s` does it", name, engine.info.engine, name)
        return network
    return _HeadOnEngine(engine, graphs)


class _HeadOnEngine:
    def __init__(self, engine: Engine, graphs: Mapping[int, GraphSpec]) -> None:
        self._engine, self._graphs = engine, graphs
        self._programs: dict[int, Program] = {rows: engine.load(graph) for rows, graph in graphs.items()}

    def __call__(self, pictures: Tensor) -> tuple[Tensor, ...]:
        tiles = pictures.split(tile_sizes(len(pictures), tuple(self._graphs)))
        made = [self._forward(tile) for tile in tiles]
        return tuple(torch.cat(parts) for parts in zip(*made, strict=True))

    def _forward(self, pictures: Tensor) -> list[Tensor]:
        graph = self._graphs[len(pictures)]
        tensors = {spec.name: spec.allocate(self._engine.place(spec)) for spec in graph.tensors}
        tensors["pictures"].copy_(pictures)
        context = self._programs[len(pictures)].context(tensors)
        context.run()
        context.close()
        return [tensors[spec.name].cpu() for spec in graph.tensors if spec.role is Role.OUTPUT]
