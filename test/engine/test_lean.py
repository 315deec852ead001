"""The network with merged weights computes what the plain one does, which stays as it is."""

import torch

from lingbot_ros.engine.export.lean import FusedSelfAttention, SplitConv, lean
from lingbot_ros.engine.export.probe import probe_tensors
from lingbot_ros.engine.graphs import GraphShape, model_graphs
from lingbot_ros.model.attention import cached_attention
from lingbot_ros.model.config import StreamConfig
from test.support.tiny_model import LAYERS, random_transformer


@torch.inference_mode()
def test_merged_weights_are_the_same_network() -> None:
    model = random_transformer(LAYERS)
    shape = GraphShape(LAYERS, StreamConfig(chunk=1, window=4), 32, 32, torch.float32)
    step = model_graphs(shape, lambda: model)[-1]
    plain = step.build_module(cached_attention).eval()
    before = dict(plain.named_modules())
    merged = lean(plain)
    kinds = [type(module) for module in merged.modules()]
    assert kinds.count(FusedSelfAttention) == LAYERS.num_layers and kinds.count(SplitConv) == 2
    assert dict(plain.named_modules()) == before
    shared = {id(parameter) for parameter in plain.parameters()} & {id(parameter) for parameter in merged.parameters()}
    assert len(shared) == len(list(plain.parameters())) - 6 * LAYERS.num_layers - 2
    results = []
    for module in (plain, merged):
        tensors = probe_tensors(step)
        prediction = module(**{spec.name: tensors[spec.name] for spec in step.inputs})[0]
        results.append([prediction, *(tensors[spec.name] for spec in step.tensors if "cache" in spec.name)])
    for one, other in zip(*results, strict=True):
        assert (one - other).abs().max() < 2e-5
