"""How much memory a model needs, computed before any of it is read."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from lingbot_ros.checkpoints.cards import ModelCard, list_cards
from lingbot_ros.checkpoints.companion_sizes import RELEASED, companion_sizes
from lingbot_ros.checkpoints.weights import parameter_dtype, parameter_shapes
from lingbot_ros.engine.graphs import GraphShape, control_tensors, model_graphs, prompt_tensors
from lingbot_ros.engine.interface import Role, TensorSpec
from lingbot_ros.engine.precision import PRECISIONS, STORAGE
from lingbot_ros.errors import ErrorCode, ModelError, ResourceError
from lingbot_ros.model.quantized import is_quantized
from lingbot_ros.model.rigid_layers.config import RigidLayersConfig
from lingbot_ros.model.rigid_layers.state import LayerState
from lingbot_ros.model.ring import Ring
from lingbot_ros.model.scene.config import SceneConfig
from lingbot_ros.model.scene.keyframes import row_bytes
from lingbot_ros.model.transformer import CausalWorldTransformer
from lingbot_ros.model.unipc import UniPCConfig
from lingbot_ros.world.adapted_card import expert_count, memory_of
from lingbot_ros.world.assembly import graph_shape
from lingbot_ros.world.load_options import LoadOptions

AUTOENCODER_CACHE_FLOATS_PER_PIXEL = 2365
"""What the streaming decoder remembers: two frames at the input of each convolution over time (model_spec 5.5).

This and what follows are of an autoencoder of the released width.
"""

AUTOENCODER_WORK_FLOATS_PER_PIXEL = 4800
"""While it decodes one latent frame, measured: 12.5 tensors of 96 channels and four frames at full resolution."""


ENCODER_CACHE_FLOATS_PER_PIXEL = 1404
"""What the streaming encoder remembers, until the latents of the empty frames after the first image are constant."""

ENCODER_WORK_FLOATS_PER_PIXEL = 2300
"""While it encodes four frames, its new state included, measured."""

LIGHT_PARAMETERS = 9_844_611
LIGHT_CACHE_FLOATS_PER_PIXEL = 84
"""Of `taew2_1`'s decoder: one frame at the input of each block; it works in less than the encoder does."""


@dataclass(frozen=True)
class MemoryItem:
    """One use of memory on one device, in bytes."""

    name: str
    bytes: int
    device: str


@dataclass(frozen=True)
class MemoryPlan:
    """What a model with one session takes on each device, and what is free there."""

    subject: str
    items: tuple[MemoryItem, ...]
    free: dict[str, int]

    def needed(self, device: str) -> int:
        """Bytes on one device."""
        return sum(item.bytes for item in self.items if item.device == device)

    @property
    def fits(self) -> bool:
        return all(self.needed(device) <= free for device, free in self.free.items())

    def text(self) -> str:
        """The plan as lines for a terminal."""
        lines = [f"memory plan of {self.subject}:"]
        for device, free in self.free.items():
            lines += [f"  {size_text(i.bytes):>9}  {i.name}" for i in self.items if i.device == device]
            lines.append(f"  {size_text(self.needed(device)):>9}  in all on {device}, of {size_text(free)} free")
        return "\n".join(lines)

    def verdict(self) -> str:
        """One sentence: does it fit."""
        parts = [
            f"{size_text(self.needed(device))} of {size_text(free)} free on {device}"
            for device, free in self.free.items()
        ]
        return f"{self.subject} {'fits' if self.fits else 'does not fit'} here: it needs {', '.join(parts)}"


def plan_memory(card: ModelCard, options: LoadOptions) -> MemoryPlan:
    """The plan of a card that is adapted to `options`, which are resolved. Reads no weights."""
    precision, device = options.precision, options.device
    if isinstance(card.architecture, RigidLayersConfig):
        uses = _layer_items(card)
    elif isinstance(card.architecture, SceneConfig):
        uses = _scene_items(card)
    else:
        uses = _items(card, options)
    items = tuple(MemoryItem(name, size, where) for name, size, where in uses if size)
    devices = dict.fromkeys((device, *(item.device for item in items)))
    return MemoryPlan(
        f"{card.name} in {precision} at {card.width}x{card.height}", items, {name: free_bytes(name) for name in devices}
    )


def _layer_items(card: ModelCard) -> Iterator[tuple[str, int, str]]:
    """What a world of rigid layers keeps in main memory."""
    assert isinstance(card.architecture, RigidLayersConfig)
    with torch.device("meta"):  # a plan takes no memory
        state = LayerState.empty(card.architecture, card.height, card.width).tensors().values()
    yield "constants", card.weights.bytes, "cpu"
    yield "one session", sum(tensor.numel() * tensor.element_size() for tensor in state), "cpu"


def _scene_items(card: ModelCard) -> Iterator[tuple[str, int, str]]:
    """What a scene keeps in main memory."""
    assert isinstance(card.architecture, SceneConfig)
    yield "depth network", 2 * card.weights.bytes, "cpu"  # float16 in the file
    yield "one session", card.architecture.keyframes * row_bytes(card.height, card.width), "cpu"


def require_memory(card: ModelCard, options: LoadOptions) -> MemoryPlan:
    """The plan, if it fits; raises ResourceError that says what is missing and what would fit."""
    plan = plan_memory(card, options)
    if plan.fits:
        return plan
    others = [f"{other.subject} ({size_text(other.needed(options.device))})" for other in _smaller(card, options)]
    advice = f"What would fit: {'; '.join(others)}" if others else "Nothing of this family fits; use a larger machine"
    raise ResourceError(f"memory: {plan.verdict()}. {advice}", ErrorCode.OUT_OF_MEMORY)


def missing_weights(card: ModelCard, options: LoadOptions, error: ModelError) -> ModelError:
    """`error` about weights that are not here, with the answer to whether the model would fit, were it downloaded."""
    return ModelError(f"{error}. {plan_memory(card, options).verdict()}", error.code)


def free_bytes(device: str) -> int:
    """Memory that can still be taken: on the GPU, or in the machine within the limit of this control group."""
    if device.startswith("cuda"):
        return int(torch.cuda.mem_get_info(device)[0])
    lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    available = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    limit, used = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")
    if limit.is_file() and (text := limit.read_text(encoding="utf-8").strip()) != "max":
        available = min(available, int(text) - int(used.read_text(encoding="utf-8")))
    return available


def size_text(size: int) -> str:
    """A number of bytes for people: decimal megabytes or gigabytes."""
    return f"{size / 1e6:.1f} MB" if size < 1e9 else f"{size / 1e9:.1f} GB"


def _items(card: ModelCard, options: LoadOptions) -> Iterator[tuple[str, int, str]]:
    precision, device, memory = options.precision, options.device, memory_of(card, options)
    shape = graph_shape(card, PRECISIONS[precision])
    experts = expert_count(card)
    guided = 2 if isinstance(card.sampler, UniPCConfig) and card.sampler.is_guided else 1
    session = {s.name: s for graph in model_graphs(shape, _never) for s in graph.tensors}.values()
    caches = _bytes(spec for spec in session if spec.role is Role.STATE)
    text = _bytes(spec for spec in session if spec.name.startswith("text_"))
    waiting = experts - 1 if options.offload_expert else 0
    yield "transformer weights", (experts - waiting) * weights_bytes(card, precision), device
    yield "the offloaded expert", waiting * weights_bytes(card, precision), "cpu"
    yield "session: attention caches", guided * (caches + experts * text), device
    yield "session: control and other inputs", experts * (_bytes(session) - caches - text), device
    yield "copy of the cache that a chunk overwrites", guided * _rollback_bytes(card, shape), device
    yield "session: remembered places", guided * (memory.bank if memory else 0) * frame_bytes(shape), "cpu"
    decoding, sizes = 0, companion_sizes(card)
    if card.autoencoder == "wan":
        pixels = round(card.height * card.width * sizes.autoencoder_width / RELEASED.autoencoder_width)
        yield "autoencoder weights (f32)", 4 * sizes.autoencoder, device
        yield "autoencoder's memory of the first image", 4 * ENCODER_CACHE_FLOATS_PER_PIXEL * pixels, device
        weights, cache, work = 0, AUTOENCODER_CACHE_FLOATS_PER_PIXEL, AUTOENCODER_WORK_FLOATS_PER_PIXEL
        if options.light_decoder is not None:
            pixels = card.height * card.width
            weights, cache, work = LIGHT_PARAMETERS, LIGHT_CACHE_FLOATS_PER_PIXEL, ENCODER_WORK_FLOATS_PER_PIXEL
        yield "light decoder weights", 4 * weights, device
        yield "session: decoder's streaming state", 4 * cache * pixels, device
        yield "the decoder's next state", 4 * cache * pixels, device
        decoding = 4 * work * pixels
    yield "while it works", max(decoding, _control_bytes(shape), _prompt_bytes(shape), _step_bytes(shape)), device
    if card.transformer.text is not None:
        # It is published in bf16 and computes in it, but for worlds that compute all in f32.
        size = 4 if shape.dtype is torch.float32 else 2
        yield "text encoder", size * sizes.text_encoder, options.text_device


def weights_bytes(card: ModelCard, precision: str) -> int:
    """Bytes of one transformer in a precision."""
    dtype, storage = PRECISIONS[precision], STORAGE.get(precision)
    total = 0
    for name, shape in parameter_shapes(card.transformer).items():
        if storage is not None and is_quantized(name):
            total += math.prod(shape) * storage.itemsize + shape[0] * torch.float32.itemsize
        else:
            total += math.prod(shape) * parameter_dtype(name, dtype).itemsize
    return total


def _rollback_bytes(card: ModelCard, shape: GraphShape) -> int:
    """What `KVCache.begin` copies of the cache at most."""
    ring = Ring(card.stream.chunk, card.stream.window, card.stream.sink)
    first_eviction = ring.window // ring.chunk
    slots = [ring.slot(chunk) for chunk in (first_eviction, first_eviction + 1)]
    frames = max(sum(count for _, count in slot.lost) for slot in slots)
    return frames * frame_bytes(shape)


def frame_bytes(shape: GraphShape) -> int:
    """K and V of one latent frame in all layers."""
    config = shape.transformer
    return 2 * config.dim * shape.tokens_per_frame * shape.dtype.itemsize * config.num_layers


def _control_bytes(shape: GraphShape) -> int:
    """The control graph returns every layer's tensors before they are copied to their places."""
    if shape.transformer.control is None:
        return 0
    return _bytes(spec for spec in control_tensors(shape) if spec.role is Role.OUTPUT)


def _prompt_bytes(shape: GraphShape) -> int:
    if shape.transformer.text is None:
        return 0
    return _bytes(spec for spec in prompt_tensors(shape) if spec.role is Role.OUTPUT)


def _step_bytes(shape: GraphShape) -> int:
    """Tensors that live at once within a block: around the rotation of q and k, or around the FFN's hidden layer."""
    config, size = shape.transformer, shape.dtype.itemsize
    rotating = (18 + 3 * size) * config.dim
    feeding = (4 + size) * config.dim + 2 * size * config.ffn_dim
    return shape.chunk_tokens * max(rotating, feeding)


def _bytes(specs: Iterable[TensorSpec]) -> int:
    return sum(math.prod(spec.shape) * spec.dtype.itemsize for spec in specs)


def _smaller(card: ModelCard, options: LoadOptions) -> Iterator[MemoryPlan]:
    """Plans that fit instead: fewer bits, the shortest window, one expert at a time, other models of the family."""
    shortest = replace(card.stream, window=card.stream.sink + card.stream.chunk)
    choices = [(card, options, ""), (replace(card, stream=shortest), options, f" with a window of {shortest.window}")]
    if expert_count(card) > 1:
        choices.append((card, replace(options, offload_expert=True), " with offload_expert"))
    others = [other for other in list_cards() if other.family == card.family and other.name != card.name]
    plain = LoadOptions(card.name, device=options.device, text_device=options.text_device)
    choices += [(other, plain, "") for other in others]
    for choice, chosen, how in choices:
        for small in dict.fromkeys((options.precision, "bf16", "int8")):
            plan = plan_memory(choice, replace(chosen, precision=small))
            if plan.fits:
                yield replace(plan, subject=plan.subject + how)
                break


def _never() -> CausalWorldTransformer:
    raise AssertionError("a plan builds no model")
