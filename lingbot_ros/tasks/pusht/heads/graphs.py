"""The heads as graphs of engines: images in, what the network says of them out, before any calibration."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import torch
from torch import nn

from lingbot_ros.checkpoints.tensors import file_sha256
from lingbot_ros.engine.interface import GraphSpec, Role, TensorSpec
from lingbot_ros.errors import ModelError
from lingbot_ros.tasks.pusht.heads import networks
from lingbot_ros.tasks.pusht.heads.files import HeadKind, find_head, load_head, read_card
from lingbot_ros.tasks.pusht.heads.networks import SIZE, InverseNet, OutcomeNet

_PICTURE = (3, SIZE, SIZE)


def head_graphs(name: str | Path, rows: int = 1) -> list[GraphSpec]:
    """The graph of a head by name or folder, for `rows` images or triples of images at once; none if it is no head.

    Its input is `pictures`, float32 in -1..1, and its outputs are those of the network. Raises ModelError for a head
    that is damaged.
    """
    try:
        folder = find_head(name)
    except ModelError:
        return []
    card = read_card(folder)
    weights, given = card.weights.sha256, (rows, *_PICTURE)
    if card.kind == "outcome":
        return [_graph("outcome", folder, OutcomeNet, given, {"logit": (rows,), "coverage": (rows,)}, weights)]
    if card.kind == "inverse-dynamics":
        made = {"action": (rows, 2), "log_spread": (rows, 2)}
        return [_graph("inverse-dynamics", folder, InverseNet, (rows, 3, *_PICTURE), made, weights)]
    return []


def _graph(
    kind: HeadKind,
    folder: Path,
    network: Callable[[], nn.Module],
    given: tuple[int, ...],
    made: Mapping[str, tuple[int, ...]],
    weights: str,
) -> GraphSpec:
    @cache
    def loaded() -> nn.Module:
        module = network()
        load_head(folder, kind, module)
        return module

    tensors = [TensorSpec("pictures", given, torch.float32, Role.INPUT)]
    tensors += [TensorSpec(name, shape, torch.float32, Role.OUTPUT) for name, shape in made.items()]
    code = file_sha256(Path(networks.__file__))  # which decides what a plan that was built before computes
    return GraphSpec(kind, tuple(tensors), lambda _: loaded(), batch=given[0], weights=weights, sizes=code)
