"""The graphs of a model, as engines run them: `prompt` per prompt, `control` per chunk, `time` and `step` per forward.

Scalars are separate tensors and every layer has its own K and V cache, because compiled engines need it so. Only what
a model reads is among a graph's tensors.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lingbot_ros.engine.interface import GraphSpec, Role, TensorSpec
from lingbot_ros.model.attention import Attend, Attention, MaskedAttention
from lingbot_ros.model.config import ActionControlConfig, RayControlConfig, StreamConfig, TransformerConfig
from lingbot_ros.model.transformer import (
    CausalWorldTransformer,
    ControlEmbedding,
    StepInputs,
    TimeModulation,
    embed_time,
    modulate_by_time,
)

Build = Callable[[], CausalWorldTransformer]

TIME_GRAPH = "time"
"""The name of the graph that runs in PyTorch whatever the engine."""


@dataclass(frozen=True)
class GraphShape:
    """The static sizes of a model's graphs: latent height and width, chunk and window, dtype of linears and cache.

    `batch` rows go through one forward, each with a cache, a place in it and a time of its own. `processes` share the
    tokens and the heads.
    """

    transformer: TransformerConfig
    stream: StreamConfig
    height: int
    width: int
    dtype: torch.dtype
    batch: int = 1
    processes: int = 1

    @property
    def rows(self) -> int:
        return self.height // self.transformer.patch_size[1]

    @property
    def columns(self) -> int:
        return self.width // self.transformer.patch_size[2]

    @property
    def tokens_per_frame(self) -> int:
        return self.rows * self.columns

    @property
    def chunk_tokens(self) -> int:
        return self.stream.chunk * self.tokens_per_frame

    @property
    def own_tokens(self) -> int:
        """Tokens of a chunk that one process computes."""
        return self.chunk_tokens // self.processes

    @property
    def sees_past(self) -> bool:
        """Whether a chunk attends to any before it; a model that makes single clips has no cache."""
        return self.stream.window > self.stream.chunk

    @property
    def cache_shape(self) -> tuple[int, int, int, int]:
        """One K or V cache, [batch, H / processes, (window + memory) * tokens, D]."""
        config, frames = self.transformer, self.stream.window + self.stream.memory
        return (self.batch, config.num_heads // self.processes, frames * self.tokens_per_frame, config.head_dim)

    def latent_shape(self, channels: int) -> tuple[int, int, int, int, int]:
        """[batch, channels, chunk, height, width]."""
        return (self.batch, channels, self.stream.chunk, self.height, self.width)


def model_graphs(shape: GraphShape, build: Build, weights: str = "") -> list[GraphSpec]:
    """The graphs that the architecture has, in the order in which a session first needs them."""

    def graph(
        name: str, tensors: tuple[TensorSpec, ...], module: Callable[[Attention], nn.Module], is_torch: bool = False
    ) -> GraphSpec:
        return GraphSpec(name, tensors, module, shape.batch, is_torch, weights, repr(shape))

    graphs = []
    if shape.transformer.text is not None:
        graphs.append(graph("prompt", prompt_tensors(shape), lambda _: PromptGraph(build())))
    if shape.transformer.control is not None:
        graphs.append(graph("control", control_tensors(shape), lambda _: ControlGraph(build(), shape)))
    graphs.append(graph(TIME_GRAPH, time_tensors(shape), lambda _: TimeGraph(build(), shape.batch), is_torch=True))
    graphs.append(graph("step", step_tensors(shape), lambda attention: StepGraph(build(), shape, attention)))
    return graphs


class PromptGraph(nn.Module):
    """Text features -> K and V of every layer."""

    def __init__(self, model: CausalWorldTransformer) -> None:
        super().__init__()
        self.model = model

    def forward(self, text_features: Tensor) -> list[Tensor]:
        return [tensor for pair in self.model.encode_text(text_features) for tensor in pair]


class ControlGraph(nn.Module):
    """A chunk's rays or actions -> what its forwards need of them."""

    def __init__(self, model: CausalWorldTransformer, shape: GraphShape) -> None:
        super().__init__()
        self.model, self.rows, self.columns = model, shape.rows, shape.columns

    def forward(self, rays: Tensor | None = None, actions: Tensor | None = None) -> list[Tensor]:
        if rays is not None:
            control = self.model.encode_rays(rays)
            return [t for pair in zip(control.scale, control.shift, strict=True) for t in pair]
        assert actions is not None
        control = self.model.encode_actions(actions, self.rows, self.columns)
        return [tensor for tensor in (control.frame, control.tokens) if tensor is not None]


class TimeGraph(nn.Module):
    """Diffusion times and a chunk's controls -> what modulates the blocks and the head.

    A sampler knows a handful of times: what a time alone decides is computed once.
    """

    def __init__(self, model: CausalWorldTransformer, batch: int) -> None:
        super().__init__()
        # Not the model itself: where another engine runs the rest, its weights shall go.
        self.time_embedding, self.time_projection = model.time_embedding, model.time_projection
        self._freq_dim, self._batch = model.config.freq_dim, batch
        self._known: dict[tuple[float, ...], Tensor] = {}

    def forward(self, timestep: Tensor, control_frame: Tensor | None = None) -> list[Tensor]:
        e = self._embed(timestep)
        e = e.expand(self._batch, -1, -1) if control_frame is None else e + control_frame
        time = modulate_by_time(self.time_projection, e)
        return [time.e, time.e0]

    def _embed(self, timestep: Tensor) -> Tensor:
        times, device = tuple(timestep[0].tolist()), self.time_embedding.get_parameter("0.weight").device
        known = self._known.get(times)
        if known is None or known.device != device:
            known = self._known[times] = embed_time(self.time_embedding, timestep.to(device), self._freq_dim)
        return known


class StepGraph(nn.Module):
    """One forward over a chunk. Updates the caches in place, or gives them back anew, as its `attention` does."""

    def __init__(self, model: CausalWorldTransformer, shape: GraphShape, attention: Attention) -> None:
        super().__init__()
        self.model, self._attention, self._sees_past = model, attention, shape.sees_past

    def forward(
        self,
        e: Tensor,
        e0: Tensor,
        cos: Tensor,
        sin: Tensor,
        latent: Tensor | None = None,
        condition: Tensor | None = None,
        write_index: Tensor | None = None,
        kv_len: Tensor | None = None,
        **layers: Tensor,
    ) -> list[Tensor]:
        """`layers` holds control_*, text_*_i and the caches by name, as `step_tensors` lists them."""
        count = self.model.config.num_layers
        attends: list[Attend] = [MaskedAttention(None)] * count
        if self._sees_past:
            assert write_index is not None and kv_len is not None
            attend_to = self._attention(write_index, kv_len)
            attends = [attend_to(layers[f"k_cache_{i}"], layers[f"v_cache_{i}"]) for i in range(count)]
        control = ControlEmbedding(
            tokens=layers.get("control_tokens"),
            scale=[layers[f"control_scale_{i}"] for i in range(count) if "control_scale_0" in layers],
            shift=[layers[f"control_shift_{i}"] for i in range(count) if "control_shift_0" in layers],
        )
        text = [(layers[f"text_k_{i}"], layers[f"text_v_{i}"]) for i in range(count) if "text_k_0" in layers]
        inputs = StepInputs(latent, condition, TimeModulation(e, e0), cos[:, None], sin[:, None], control, text)
        prediction = self.model.predict(inputs, attends)
        return [prediction, *(tensor for attend in attends for tensor in getattr(attend, "outputs", ()))]


def prompt_tensors(shape: GraphShape) -> tuple[TensorSpec, ...]:
    """What the prompt graph reads and writes."""
    text = shape.transformer.text
    assert text is not None
    features = TensorSpec("text_features", (shape.batch, text.length, text.width), shape.dtype, Role.INPUT)
    return (features, *_text_cache(shape, Role.OUTPUT))


def control_tensors(shape: GraphShape) -> tuple[TensorSpec, ...]:
    """What the control graph reads and writes."""
    control = shape.transformer.control
    if isinstance(control, RayControlConfig):
        rays = TensorSpec("rays", shape.latent_shape(control.channels * control.fold**2), torch.float32, Role.INPUT)
        return (rays, *_control_outputs(shape, Role.OUTPUT))
    assert isinstance(control, ActionControlConfig)
    size = (shape.batch, shape.stream.chunk, control.history, control.dim)
    return (TensorSpec("actions", size, torch.float32, Role.INPUT), *_control_outputs(shape, Role.OUTPUT))


def time_tensors(shape: GraphShape) -> tuple[TensorSpec, ...]:
    """What the time graph reads and writes. All rows of a batch are at the same diffusion times."""
    timestep = TensorSpec("timestep", (1, shape.stream.chunk), torch.float32, Role.INPUT, scalar=True)
    has_frame = isinstance(shape.transformer.control, ActionControlConfig)
    return (timestep, *([_control_frame(shape, Role.INPUT)] if has_frame else []), *_time_outputs(shape, Role.OUTPUT))


def step_tensors(shape: GraphShape) -> tuple[TensorSpec, ...]:
    """What the step graph reads, updates and writes."""
    config, float32 = shape.transformer, torch.float32
    rotary = (shape.batch, shape.own_tokens, config.head_dim // 2)
    specs = _time_outputs(shape, Role.INPUT)
    specs += [TensorSpec(name, rotary, float32, Role.INPUT) for name in ("cos", "sin")]
    if config.prediction == "velocity":
        specs.append(TensorSpec("latent", shape.latent_shape(config.latent_channels), float32, Role.INPUT))
    if config.condition_channels:
        specs.append(TensorSpec("condition", shape.latent_shape(config.condition_channels), float32, Role.INPUT))
    if config.control is not None:
        specs += [spec for spec in _control_outputs(shape, Role.INPUT) if spec.name != "control_frame"]
    if config.text is not None:
        specs += _text_cache(shape, Role.INPUT)
    if shape.sees_past:
        places = ("write_index", "kv_len")
        specs += [TensorSpec(name, (shape.batch,), torch.int64, Role.INPUT, scalar=True) for name in places]
        for layer in range(config.num_layers):
            specs += [TensorSpec(f"{kind}_cache_{layer}", shape.cache_shape, shape.dtype, Role.STATE) for kind in "kv"]
    return (*specs, TensorSpec("prediction", shape.latent_shape(config.latent_channels), float32, Role.OUTPUT))


def _time_outputs(shape: GraphShape, role: Role) -> list[TensorSpec]:
    frames = (shape.batch, shape.stream.chunk)
    return [
        TensorSpec("e", (*frames, shape.transformer.dim), torch.float32, role),
        TensorSpec("e0", (*frames, 6, shape.transformer.dim), torch.float32, role),
    ]


def _control_frame(shape: GraphShape, role: Role) -> TensorSpec:
    return TensorSpec("control_frame", (shape.batch, shape.stream.chunk, shape.transformer.dim), torch.float32, role)


def _control_outputs(shape: GraphShape, role: Role) -> list[TensorSpec]:
    config = shape.transformer
    tokens = (shape.batch, shape.own_tokens, config.dim)
    if isinstance(config.control, RayControlConfig):
        return [
            TensorSpec(f"control_{kind}_{layer}", tokens, shape.dtype, role)
            for layer in range(config.num_layers)
            for kind in ("scale", "shift")
        ]
    frame = _control_frame(shape, role)
    assert isinstance(config.control, ActionControlConfig)
    return [frame, TensorSpec("control_tokens", tokens, shape.dtype, role)] if config.control.image_plane else [frame]


def _text_cache(shape: GraphShape, role: Role) -> list[TensorSpec]:
    config = shape.transformer
    assert config.text is not None
    size = (shape.batch, config.num_heads, config.text.length, config.head_dim)
    return [
        TensorSpec(f"text_{kind}_{layer}", size, shape.dtype, role)
        for layer in range(config.num_layers)
        for kind in "kv"
    ]
