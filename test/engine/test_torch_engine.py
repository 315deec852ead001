"""Binding tensors to graphs: every tensor is checked by name, results land where they were bound."""

import gc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from weakref import ref

import pytest
import torch
from torch import Tensor

from lingbot_ros.engine.export.probe import probe_tensors
from lingbot_ros.engine.graphs import GraphShape, model_graphs, step_tensors
from lingbot_ros.engine.interface import EngineOptions, GraphSpec, Role
from lingbot_ros.engine.torch_engine import TorchEngine
from lingbot_ros.errors import InputError
from lingbot_ros.model.config import StreamConfig
from lingbot_ros.model.transformer import CausalWorldTransformer
from test.support.tiny_model import MOTION, VELOCITY, random_transformer

SHAPE = GraphShape(MOTION, StreamConfig(chunk=1, window=4), 32, 32, torch.float32)


def graphs() -> dict[str, GraphSpec]:
    return graphs_of(random_transformer(MOTION))


def graphs_of(model: CausalWorldTransformer) -> dict[str, GraphSpec]:
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


def test_an_engine_sets_the_number_of_threads_where_it_runs_and_not_before() -> None:
    threads = torch.get_num_threads()
    try:
        engine = TorchEngine(EngineOptions(threads=threads + 1))
        control = graphs()["control"]
        context = engine.load(control).context(allocate(control))
        assert torch.get_num_threads() == threads
        context.run()
        assert torch.get_num_threads() == threads + 1
    finally:
        torch.set_num_threads(threads)


def test_a_model_that_makes_one_clip_has_no_cache() -> None:
    shape = GraphShape(VELOCITY, StreamConfig(chunk=4, window=4), 32, 32, torch.float32)
    names = [spec.name for spec in step_tensors(shape)]
    assert "latent" in names, "a model that predicts a velocity reads one"
    assert not any("cache" in name or name in ("write_index", "kv_len") for name in names)


def test_rows_at_different_places_of_their_caches_are_those_rows_alone() -> None:
    model = random_transformer(MOTION)
    engine = TorchEngine(EngineOptions(threads=1))
    (step,) = (g for g in model_graphs(replace(SHAPE, batch=3), lambda: model) if g.name == "step")
    (single,) = (g for g in model_graphs(SHAPE, lambda: model) if g.name == "step")
    together = probe_tensors(step)
    together["write_index"].copy_(torch.tensor([0, 8, 8]))
    together["kv_len"].copy_(torch.tensor([4, 12, 16]))
    rows = [{spec.name: together[spec.name][row : row + 1].clone() for spec in single.tensors} for row in range(3)]
    engine.load(step).context(together).run()
    program = engine.load(single)
    for row, tensors in enumerate(rows):
        program.context(tensors).run()
        for name, tensor in tensors.items():
            assert (together[name][row] - tensor[0]).abs().max() < 1e-5, (row, name)


def test_a_time_is_embedded_once() -> None:
    time = graphs()["time"]
    program = TorchEngine(EngineOptions(threads=1)).load(time)
    tensors = allocate(time)
    context = program.context(tensors)
    seen = []
    for timestep in (999.0, 500.0, 999.0):
        tensors["timestep"].fill_(timestep)
        context.run()
        seen.append(tensors["e"].clone())
    assert torch.equal(seen[0], seen[2]) and not torch.equal(seen[0], seen[1])
    assert program._module is not None and len(program._module._known) == 2


def test_a_released_program_and_a_closed_context_hold_nothing() -> None:
    model = random_transformer(MOTION)
    weights = [model]
    (step,) = (graph for graph in model_graphs(SHAPE, lambda: weights[0]) if graph.name == "step")
    program, tensors = TorchEngine(EngineOptions(threads=1)).load(step), allocate(step)
    context = program.context(tensors)
    kept = [ref(model), ref(tensors["k_cache_0"])]
    context.close()
    program.release()
    weights.clear()
    del model, context
    tensors.clear()
    gc.collect()
    assert [one() for one in kept] == [None, None]


def test_a_key_tells_weights_shapes_and_rows_apart() -> None:
    model = random_transformer(MOTION)
    keys = {
        graph.key
        for shape in (SHAPE, replace(SHAPE, batch=2), replace(SHAPE, width=64), replace(SHAPE, height=64))
        for weights in ("one", "other")
        for graph in model_graphs(shape, lambda: model, weights)
    }
    assert len(keys) == 4 * 2 * 3
