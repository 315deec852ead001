"""Binding tensors to graphs: every tensor is checked by name, results land where they were bound."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from lingbot_ros.engine.graphs import GraphShape, model_graphs
from lingbot_ros.engine.interface import EngineOptions, GraphSpec, Role
from lingbot_ros.engine.torch_engine import TorchEngine
from lingbot_ros.errors import InputError
from lingbot_ros.model.config import StreamConfig
from test.support.tiny_model import MOTION, random_transformer

SHAPE = GraphShape(MOTION, StreamConfig(chunk=1, window=4), 32, 32, torch.float32)


def graphs() -> dict[str, GraphSpec]:
    model = random_transformer(MOTION)
    return {graph.name: graph for graph in model_graphs(SHAPE, lambda: model)}


def allocate(*specs: GraphSpec) -> dict[str, Tensor]:
    return {tensor.name: tensor.allocate("cpu") for spec in specs for tensor in spec.tensors}


def test_the_graphs_of_an_action_model() -> None:
    assert list(graphs()) == ["control", "time", "step"]
    step = {spec.name: spec for spec in graphs()["step"].tensors}
    assert step["k_cache_1"].shape == (1, 2, 4 * 4, 24) and step["k_cache_1"].role is Role.STATE
    assert step["write_index"].scalar and step["kv_len"].scalar
    assert "latent" not in step, "a model that predicts no velocity reads none"
    assert step["prediction"].role is Role.OUTPUT


def test_a_run_fills_outputs_and_updates_the_cache_in_place() -> None:
    engine = TorchEngine(EngineOptions(threads=1))
    control, time, step = graphs().values()
    tensors = allocate(control, time, step)
    addresses = {name: tensor.data_ptr() for name, tensor in tensors.items()}
    tensors["actions"].uniform_(-1, 1)
    tensors["condition"].uniform_(-1, 1)
    tensors["cos"].fill_(1)
    tensors["write_index"].fill_(4)
    tensors["kv_len"].fill_(8)
    for graph in (control, time, step):
        engine.load(graph).context(tensors).run()
    assert tensors["control_frame"].abs().sum() > 0 and tensors["prediction"].abs().sum() > 0
    written = tensors["k_cache_0"].abs().sum(dim=(0, 1, 3)) > 0
    assert written.tolist() == [4 <= slot < 8 for slot in range(16)]
    assert addresses == {name: tensor.data_ptr() for name, tensor in tensors.items()}


BROKEN: list[tuple[str, Callable[[Tensor], Tensor]]] = [
    ("condition", lambda tensor: tensor[..., :-1].contiguous()),
    ("k_cache_0", lambda tensor: tensor.double()),
    ("v_cache_1", lambda tensor: tensor.transpose(1, 2).contiguous().transpose(1, 2)),
]


@pytest.mark.parametrize(("name", "breaks"), BROKEN, ids=["shape", "dtype", "layout"])
def test_a_tensor_that_does_not_fit_is_named(name: str, breaks: Callable[[Tensor], Tensor]) -> None:
    step = graphs()["step"]
    tensors = allocate(step)
    tensors[name] = breaks(tensors[name])
    with pytest.raises(InputError) as error:
        TorchEngine(EngineOptions()).load(step).context(tensors)
    assert error.value.field == name


def test_nothing_below_the_engine_imports_one() -> None:
    """model/ and control/ must not know how they are executed."""
    root = Path(__file__).parents[2] / "lingbot_ros"
    for room in ("model", "control"):
        for path in (root / room).rglob("*.py"):
            assert "lingbot_ros.engine" not in path.read_text(), path
