"""A card as the load options want it: the only place that knows which model can use which option."""

from dataclasses import replace

from lingbot_ros.checkpoints.cards import ModelCard
from lingbot_ros.checkpoints.hub import HubWeights
from lingbot_ros.errors import InputError
from lingbot_ros.model.config import StreamConfig, TransformerConfig
from lingbot_ros.model.geometry import frame_size, frames_of_latents, whole_chunk_latents
from lingbot_ros.model.rigid_layers.config import RigidLayersConfig
from lingbot_ros.model.ring import Ring
from lingbot_ros.model.sampler import SamplerConfig
from lingbot_ros.model.scene.config import SceneConfig
from lingbot_ros.model.unipc import UniPCConfig
from lingbot_ros.world.assembly import check_size
from lingbot_ros.world.load_options import LoadOptions
from lingbot_ros.world.pose_memory import MemoryOptions

_OF_TENSORRT = ("engine_file_path", "force_engine_update", "verbose")


def adapted_card(card: ModelCard, options: LoadOptions) -> ModelCard:
    """The card with its frame size, stream and sampler replaced as far as `options` say so.

    Raises InputError that names an option which this model cannot use, its value and what to do.
    """
    _refuse_what_has_no_use(card, options)
    adapted = replace(card, stream=_stream(card, options), sampler=_sampler(card, options))
    if options.clip_frames is not None:
        adapted = replace(adapted, max_horizon=options.clip_frames)
    if options.text_only:
        driven = replace(adapted.control, dim=0, names=(), low=(), high=())
        adapted = replace(adapted, architecture=replace(adapted.transformer, control=None), control=driven)
    if options.size is not None:
        size = options.size if isinstance(options.size, tuple) else frame_size(card.height, card.width, options.size)
        adapted = replace(adapted, height=size[0], width=size[1])
        check_size(adapted)
    return adapted


def memory_of(card: ModelCard, options: LoadOptions) -> MemoryOptions | None:
    """The pose memory of sessions: what was asked for, or as many frames as the card itself attends to."""
    return options.memory or (MemoryOptions(card.stream.memory) if card.stream.memory else None)


def expert_count(card: ModelCard) -> int:
    """How many networks take turns: 1 or 2."""
    return 2 if isinstance(card.weights, HubWeights) and card.weights.experts else 1


def _refuse_what_has_no_use(card: ModelCard, options: LoadOptions) -> None:
    is_pixel, has_text = card.autoencoder == "pixel", card.architecture.text is not None
    is_one_clip = card.stream.window == card.stream.chunk
    is_layers = isinstance(card.architecture, RigidLayersConfig)
    is_scene = isinstance(card.architecture, SceneConfig)
    few, many = isinstance(card.sampler, SamplerConfig), isinstance(card.sampler, UniPCConfig)
    reads_noise = isinstance(card.architecture, TransformerConfig) and card.architecture.prediction == "velocity"
    distilled = f"was distilled to {card.sampler.forwards} network evaluations a chunk" if few else ""
    size = f"knows one size, {card.height} x {card.width}"
    no_encoder = "reads each prompt at once, without a text encoder" if card.takes_text else "takes no text"
    rigid = "is made of rigid layers, which no plan is built of"
    refusals = (
        ("window", options.window is not None and is_layers, "is made of rigid layers, which attend to nothing"),
        ("sink", options.sink is not None and is_layers, "is made of rigid layers, which attend to nothing"),
        ("window", options.window is not None and is_scene, "remembers views and attends to nothing"),
        ("sink", options.sink is not None and is_scene, "remembers views and attends to nothing"),
        ("memory", options.memory is not None and is_scene, "remembers what it has seen anyway"),
        *((name, is_layers and getattr(options, name), rigid) for name in _OF_TENSORRT),
        *((name, is_scene and getattr(options, name), "remembers views and runs in PyTorch") for name in _OF_TENSORRT),
        ("size", options.size is not None and is_pixel, size),
        ("clip_frames", options.clip_frames is not None and not is_one_clip, "goes on chunk by chunk, without an end"),
        ("light_decoder", options.light_decoder is not None and is_pixel, "has no Wan autoencoder to stand in for"),
        ("text_only", options.text_only and card.control.kind != "camera", "is not driven by a camera"),
        ("text_only", options.text_only and not has_text, "takes no text"),
        ("memory", options.memory is not None and options.text_only, "is loaded with text_only and sees no places"),
        ("noise", options.noise is not None and not reads_noise, "does not sample from noise"),
        ("one_step", options.one_step and many, "was not distilled to few steps"),
        ("steps", options.steps is not None and few, distilled),
        ("shift", options.shift is not None and few, distilled),
        ("guidance", options.guidance is not None and few, distilled),
        ("guidance_low", options.guidance_low is not None and expert_count(card) == 1, "has a single network"),
        ("negative_prompt", options.negative_prompt is not None and few, distilled),
        ("window", options.window is not None and is_one_clip, "makes one clip in one piece"),
        ("sink", options.sink is not None and is_one_clip, "makes one clip in one piece"),
        ("memory", options.memory is not None and card.control.kind != "camera", "is not driven by a camera"),
        ("memory", options.memory is not None and is_one_clip, "makes one clip in one piece"),
        ("prompt_policy", options.prompt_policy != "keep" and not has_text, no_encoder),
        ("text_device", options.text_device != "cpu" and not has_text, no_encoder),
        ("offload_expert", options.offload_expert and expert_count(card) == 1, "has a single network"),
    )
    for field, refused, reason in refusals:
        if refused:
            raise InputError(field, getattr(options, field), f"{card.name} {reason}; leave it out")


def _stream(card: ModelCard, options: LoadOptions) -> StreamConfig:
    stream = card.stream
    if options.clip_frames is not None:
        latents = whole_chunk_latents(options.clip_frames, 1)
        if frames_of_latents(latents) != options.clip_frames or latents < 2:
            raise InputError("clip_frames", options.clip_frames, "give 4n + 1 frames, 5 or more")
        stream = replace(stream, chunk=latents, window=latents)
    if options.window is not None or options.sink is not None:
        window = stream.window if options.window is None else options.window
        sink = stream.sink if options.sink is None else options.sink
        ring = Ring(stream.chunk, window, sink)  # raises InputError that names the one which does not fit
        if ring.rest and options.prompt_policy == "recompute":
            fix = f"prompt_policy recompute needs whole chunks behind the sink; give {window - ring.rest}, or keep"
            raise InputError("window", window, fix)
        if window == stream.chunk:
            raise InputError("window", window, f"sessions would have no past; give at least {2 * stream.chunk}")
        stream = replace(stream, window=window, sink=sink)
    return stream if options.memory is None else replace(stream, memory=options.memory.frames)


def _sampler(card: ModelCard, options: LoadOptions) -> SamplerConfig | UniPCConfig:
    sampler = card.sampler
    if isinstance(sampler, SamplerConfig):
        return sampler.one_step() if options.one_step else sampler
    names = ("steps", "shift", "guidance", "guidance_low", "negative_prompt")
    sampler = replace(sampler, **{name: getattr(options, name) for name in names if getattr(options, name) is not None})
    if options.negative_prompt is not None and not sampler.is_guided:
        fix = f"with guidance 1 {card.name} does not use it; raise guidance, or leave it out"
        raise InputError("negative_prompt", repr(options.negative_prompt), fix)
    return sampler
