"""The released architectures with random weights: a forward at every length of the past, a chunk, the decoder."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache, partial

import torch
from torch.utils.flop_counter import FlopCounterMode

from lingbot_ros.checkpoints.cards import ModelCard, find_card
from lingbot_ros.engine.export.probe import probe_tensors
from lingbot_ros.engine.graphs import model_graphs
from lingbot_ros.engine.interface import EngineOptions, GraphSpec
from lingbot_ros.engine.registry import ENGINES, new_engine
from lingbot_ros.evaluate.gpu_day.measurement import Figures, Measurement, Place, matrix_peak, time_calls
from lingbot_ros.model.attention import cached_attention
from lingbot_ros.model.geometry import SPATIAL_STRIDE
from lingbot_ros.model.transformer import CausalWorldTransformer
from lingbot_ros.model.wan_autoencoder import WanAutoencoder
from lingbot_ros.world.assembly import graph_shape

_CALLS = 10


def speed(place: Place, name: str) -> Iterator[Measurement]:
    """A model of `lingbot models` in bf16 (f32 on a CPU) on every engine."""
    model = _RandomModel(place, name)
    for engine in ENGINES:
        yield Measurement(f"forward, {engine}", partial(model.forwards, engine))
    yield Measurement("decoder, torch f32", model.decoder)


def build(place: Place, name: str, layers: int) -> Iterator[Measurement]:
    """How long engines other than PyTorch take to load every graph of some layers, once all is built."""
    model = _RandomModel(place, name, layers)
    for engine in ENGINES:
        if engine != "torch":
            yield Measurement(f"{engine}, {layers} layers of {name}", partial(model.build, engine))


class _RandomModel:
    """Weights are made on the device when the first measurement needs them."""

    def __init__(self, place: Place, name: str, layers: int | None = None) -> None:
        self._place, self._card = place, _card(place, name, layers)
        self._precision = "f32" if place.is_tiny else "bf16"
        dtype = torch.float32 if place.is_tiny else torch.bfloat16
        self._shape = graph_shape(self._card, dtype)

    @cache  # noqa: B019  - one model per part, and a process per part
    def _model(self) -> CausalWorldTransformer:
        torch.manual_seed(0)
        with torch.device(self._place.device):
            model = CausalWorldTransformer(self._card.transformer).eval().requires_grad_(False)
            return model.to(self._shape.dtype)

    def _graphs(self) -> dict[str, GraphSpec]:
        return {graph.name: graph for graph in model_graphs(self._shape, self._model, "random")}

    def forwards(self, engine_name: str) -> Figures:
        """Milliseconds by share of the window that is filled, and what share of the measured matrix rate that is."""
        engine = new_engine(EngineOptions(self._place.device, self._precision, engine=engine_name))
        step = self._graphs()["step"]
        tensors = probe_tensors(step, engine.place)
        context = engine.load(step).context(tensors)
        slots = next(spec.shape[2] for spec in step.tensors if spec.name == "k_cache_0")
        chunk = self._shape.chunk_tokens
        chunks = slots // chunk
        times = {}
        for filled in sorted({1, max(chunks // 2, 1), chunks}):
            tensors["write_index"].fill_((filled - 1) * chunk)
            tensors["kv_len"].fill_(filled * chunk)
            times[filled] = time_calls(context.run, self._place, _CALLS)
        full = times[chunks]["p50_ms"]
        with FlopCounterMode(display=False) as counter, torch.inference_mode():
            step.build_module(cached_attention)(**{spec.name: tensors[spec.name] for spec in step.inputs})
        peak, flop = matrix_peak(self._place, self._shape.dtype), counter.get_total_flops()
        forwards = self._card.sampler.forwards
        return {
            "engine": str(engine.info),
            "size": [self._card.height, self._card.width],
            "parameters": sum(parameter.numel() for parameter in self._model().parameters()),
            "forward_by_chunks_seen": times,
            "chunk_ms": full * forwards,
            "forwards_of_a_chunk": forwards,
            "one_step_chunk_ms": full * 2,
            "flop": flop,
            "measured_peak_flop_per_s": peak,
            "limit_ms": flop / peak * 1e3,
            "share_of_peak": flop / peak * 1e3 / full,
            "memory_bytes": 0 if self._place.is_tiny else torch.cuda.max_memory_allocated(self._place.device),
        }

    def decoder(self) -> Figures:
        """Milliseconds that the autoencoder takes for a chunk of latents in the middle of a stream."""
        from diffusers import AutoencoderKLWan  # noqa: PLC0415  - takes a second

        with torch.device(self._place.device):
            network = AutoencoderKLWan(base_dim=12 if self._place.is_tiny else 96).eval().requires_grad_(False)
        autoencoder = WanAutoencoder(network, self._place.device, torch.float32)
        height, width = (size // SPATIAL_STRIDE for size in (self._card.height, self._card.width))
        latents = torch.randn(1, 16, self._card.stream.chunk, height, width, device=self._place.device)
        _, state = autoencoder.decode(latents, {})
        times = time_calls(lambda: autoencoder.decode(latents, state), self._place, 1 if self._place.is_tiny else 5, 1)
        return {"latent_frames": self._card.stream.chunk, **times}

    def build(self, engine_name: str) -> Figures:
        engine = new_engine(EngineOptions(self._place.device, self._precision, engine=engine_name))
        graphs = [graph for graph in self._graphs().values() if not graph.is_torch]
        times = {graph.name: time_calls(partial(engine.load, graph), self._place, 1, warm_up=0) for graph in graphs}
        again = {graph.name: time_calls(partial(engine.load, graph), self._place, 1, warm_up=0) for graph in graphs}
        return {"engine": str(engine.info), "first_load": times, "second_load": again}


def _card(place: Place, name: str, layers: int | None) -> ModelCard:
    card = find_card(name)
    config = card.transformer if layers is None else replace(card.transformer, num_layers=layers)
    if place.is_tiny:
        config = replace(config, dim=48, ffn_dim=64, num_layers=2, num_heads=2, freq_dim=32)
        card = replace(card, height=64, width=96)
    return replace(card, architecture=config)
