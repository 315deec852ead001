"""The graphs of a model, as engines run them: `prompt` per prompt, `control` per chunk, `step` per forward.

Scalars are separate tensors and every layer has its own K and V cache, because compiled engines need it so.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lingbot_ros.engine.interface import GraphSpec, Role, TensorSpec
from lingbot_ros.model.attention import Attend, CachedAttention
from lingbot_ros.model.config import ActionControlConfig, RayControlConfig, StreamConfig, TransformerConfig
from lingbot_ros.model.transformer import CausalWorldTransformer, Control

Build = Callable[[], CausalWorldTransformer]


@dataclass(frozen=True)
class GraphShape:
    """The static sizes of a model's graphs: latent height and width, chunk and window, dtype of linears and cache."""

    transformer: TransformerConfig
    stream: StreamConfig
    height: int
    width: int
    dtype: torch.dtype

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
    def cache_shape(self) -> tuple[int, int, int, int]:
        """One K or V cache, [1, H, (window + memory) * tokens, D]."""
        config, frames = self.transformer, self.stream.window + self.stream.memory
        return (1, config.num_heads, frames * self.tokens_per_frame, config.head_dim)

    def latent_shape(self, channels: int) -> tuple[int, int, int, int, int]:
        """[1, channels, chunk, height, width]."""
        return (1, channels, self.stream.chunk, self.height, self.width)


def model_graphs(shape: GraphShape, build: Build) -> list[GraphSpec]:
    """The graphs that the architecture has, in the order in which a session first needs them."""
    graphs = []
    if shape.transformer.text is not None:
        graphs.append(GraphSpec("prompt", prompt_tensors(shape), lambda: PromptGraph(build())))
    if shape.transformer.control is not None:
        graphs.append(GraphSpec("control", control_tensors(shape), lambda: ControlGraph(build(), shape)))
    graphs.append(GraphSpec("step", step_tensors(shape), lambda: StepGraph(build())))
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


class StepGraph(nn.Module):
    """One forward over a chunk; updates the caches in place."""

    def __init__(self, model: CausalWorldTransformer) -> None:
        super().__init__()
        self.model = model

    def forward(
        self,
        latent: Tensor,
        timestep: Tensor,
        cos: Tensor,
        sin: Tensor,
        write_index: Tensor,
        kv_len: Tensor,
        condition: Tensor | None = None,
        **layers: Tensor,
    ) -> list[Tensor]:
        """`layers` holds control_*, text_*_i and the caches by name, as `step_tensors` lists them."""
        start, length = int(write_index), int(kv_len)
        count = self.model.config.num_layers
        attends: list[Attend] = [
            CachedAttention(layers[f"k_cache_{i}"], layers[f"v_cache_{i}"], start, length) for i in range(count)
        ]
        text = [(layers[f"text_k_{i}"], layers[f"text_v_{i}"]) for i in range(count) if "text_k_0" in layers]
        control = Control(
            frame=layers.get("control_frame"),
            tokens=layers.get("control_tokens"),
            scale=[layers[f"control_scale_{i}"] for i in range(count) if "control_scale_0" in layers],
            shift=[layers[f"control_shift_{i}"] for i in range(count) if "control_shift_0" in layers],
        )
        return [self.model.predict(latent, condition, timestep, cos, sin, control, text, attends)]


def prompt_tensors(shape: GraphShape) -> tuple[TensorSpec, ...]:
    """What the prompt graph reads and writes."""
    text = shape.transformer.text
    assert text is not None
    features = TensorSpec("text_features", (1, text.length, text.width), shape.dtype, Role.INPUT)
    return (features, *_text_cache(shape, Role.OUTPUT))


def control_tensors(shape: GraphShape) -> tuple[TensorSpec, ...]:
    """What the control graph reads and writes."""
    control = shape.transformer.control
    if isinstance(control, RayControlConfig):
        rays = TensorSpec("rays", shape.latent_shape(control.channels * control.fold**2), torch.float32, Role.INPUT)
        return (rays, *_control_outputs(shape, Role.OUTPUT))
    assert isinstance(control, ActionControlConfig)
    size = (1, shape.stream.chunk, control.history, control.dim)
    return (TensorSpec("actions", size, torch.float32, Role.INPUT), *_control_outputs(shape, Role.OUTPUT))


def step_tensors(shape: GraphShape) -> tuple[TensorSpec, ...]:
    """What the step graph reads, updates and writes."""
    config = shape.transformer
    float32, rotary = torch.float32, (shape.chunk_tokens, config.head_dim // 2)
    specs = [
        TensorSpec("latent", shape.latent_shape(config.latent_channels), float32, Role.INPUT),
        TensorSpec("timestep", (1, shape.stream.chunk), float32, Role.INPUT),
        TensorSpec("cos", rotary, float32, Role.INPUT),
        TensorSpec("sin", rotary, float32, Role.INPUT),
        TensorSpec("write_index", (1,), torch.int64, Role.INPUT, host=True),
        TensorSpec("kv_len", (1,), torch.int64, Role.INPUT, host=True),
    ]
    if config.condition_channels:
        specs.append(TensorSpec("condition", shape.latent_shape(config.condition_channels), float32, Role.INPUT))
    if config.control is not None:
        specs += _control_outputs(shape, Role.INPUT)
    if config.text is not None:
        specs += _text_cache(shape, Role.INPUT)
    for layer in range(config.num_layers):
        specs += [TensorSpec(f"{kind}_cache_{layer}", shape.cache_shape, shape.dtype, Role.STATE) for kind in "kv"]
    return (*specs, TensorSpec("prediction", shape.latent_shape(config.latent_channels), float32, Role.OUTPUT))


def _control_outputs(shape: GraphShape, role: Role) -> list[TensorSpec]:
    config = shape.transformer
    tokens = (1, shape.chunk_tokens, config.dim)
    if isinstance(config.control, RayControlConfig):
        return [
            TensorSpec(f"control_{kind}_{layer}", tokens, shape.dtype, role)
            for layer in range(config.num_layers)
            for kind in ("scale", "shift")
        ]
    frame = TensorSpec("control_frame", (1, shape.stream.chunk, config.dim), torch.float32, role)
    assert isinstance(config.control, ActionControlConfig)
    return [frame, TensorSpec("control_tokens", tokens, shape.dtype, role)] if config.control.image_plane else [frame]


def _text_cache(shape: GraphShape, role: Role) -> list[TensorSpec]:
    config = shape.transformer
    assert config.text is not None
    size = (1, config.num_heads, config.text.length, config.head_dim)
    return [
        TensorSpec(f"text_{kind}_{layer}", size, shape.dtype, role)
        for layer in range(config.num_layers)
        for kind in "kv"
    ]
