"""What must hold between the numbers of a card beyond their types: ranges, and relations of one part to another.

Training configurations have ranges here, too, because they are read by the same function.
"""

import itertools
import re
from typing import TYPE_CHECKING, Any

from lingbot_ros.checkpoints.hub import HubWeights
from lingbot_ros.errors import InputError
from lingbot_ros.model.config import (
    KEYS,
    ActionControlConfig,
    RayControlConfig,
    StreamConfig,
    TransformerConfig,
)
from lingbot_ros.model.rigid_layers.config import MOST_CORNERS
from lingbot_ros.model.sampler import SamplerConfig
from lingbot_ros.model.unipc import UniPCConfig
from lingbot_ros.sendable import NAME_BYTES, PROMPT_BYTES, require_text

if TYPE_CHECKING:
    from lingbot_ros.checkpoints.cards import ModelCard

_WAN_STRIDE = 8
_CHANNELS_WITH_KEYS = 3 + len(KEYS)
_WAN_CHANNELS, _WAN_MASK = 16, 4
_RANGES: dict[str, dict[str, tuple[float, float]]] = {
    "ModelCard": {
        "height": (8, 8192), "width": (8, 8192), "fps": (0.01, 10_000), "area": (64, 2**26), "max_horizon": (0, 10**9),
    },
    "ControlSpec": {"dim": (0, 1024)},
    "TransformerConfig": {
        "dim": (2, 2**16), "ffn_dim": (1, 2**18), "num_layers": (1, 512), "num_heads": (1, 512),
        "latent_channels": (1, 256), "condition_channels": (0, 256), "patch_size": (1, 256), "freq_dim": (2, 2**14),
        "eps": (1e-12, 1), "moving_layers": (0, 64),
    },
    "TextConfig": {"width": (1, 2**16), "length": (1, 2**14)},
    "RayControlConfig": {"channels": (6, 7), "fold": (1, 64)},
    "ActionControlConfig": {"dim": (1, 1024), "history": (1, 256), "bands": (1, 32)},
    "PixelConfig": {"channels": (1, 2**12)},
    "RigidLayersConfig": {
        "layers": (2, 64), "driven": (1, 63), "extent_px": (1, 1024), "texels": (1, 32), "ramp_px": (1e-3, 64),
        "corners": (MOST_CORNERS, 256), "sights": (1, 256), "substeps": (1, 1000), "colours": (2, 256),
        "variants": (0, 1024),
    },
    "SceneConfig": {"widths": (8, 2**12), "keyframes": (1, 2**12), "sources": (1, 2**12), "radius_m": (0, 100)},
    "StreamConfig": {"chunk": (1, 4096), "window": (1, 2**14), "sink": (0, 2**14), "memory": (0, 2**14)},
    "SamplerConfig": {"timesteps": (0, 1000), "sigmas": (0, 1), "renoise": (0, 1)},
    "UniPCConfig": {"steps": (1, 1000), "shift": (1e-3, 1000), "guidance": (1, 100), "guidance_low": (1, 100),
                    "boundary": (0, 1000)},
    "TrustSpec": {"right_px": (0, 10**6), "frames": (1, 10**9)},
    "Schedule": {
        "batch_clips": (1, 2**16), "learning_rate": (0, 1e38), "warmup_iterations": (0, 10**9),
        "decay_fraction": (0, 1), "weight_decay": (0, 10**6), "ema": (0, 1), "gradient_clip": (0, 10**9),
    },
    "Rollout": {
        "clip_frames": (2, 2**14), "pool_clips": (1, 2**20), "depth": (0, 10**6),
        "teacher_iterations": (0, 10**9), "ramp_iterations": (0, 10**9),
    },
    "LayerFitConfig": {"transitions": (100, 10**8), "iterations": (1, 10**8)},
    "ValidationConfig": {"windows": (1, 10**6), "context": (1, 2**14), "horizon": (1, 2**14)},
    "TrainConfig": {
        "moving_fraction": (0, 1), "foreground_weight": (0, 10**6), "motion_weight": (0, 10**6),
        "parts_weight": (0, 10**6), "seed": (0, 2**63 - 1),
    },
    "SceneTrainConfig": {"holes": (0, 1), "seed": (0, 2**63 - 1)},
    "WeightsSpec": {"bytes": (0, 10**13)},
    "HubWeights": {"bytes": (0, 10**13)},
}  # fmt: skip
_TEXTS = dict.fromkeys(("name", "file", "seed_image", "demo_poses", "family", "licence"), NAME_BYTES)
_SHOWN = 40
_REPOSITORY = re.compile(r"[\w.-]+(/[\w.-]+)?")


def check_range(kind: type, key: str, value: Any, where: str) -> None:
    """Raise InputError for a number out of its range, or a text that no message can carry, in field `key` of `kind`."""
    limits = _RANGES.get(kind.__name__, {}).get(key)
    for item in value if isinstance(value, tuple) else (value,):
        if isinstance(item, str):
            require_text(where, item, _TEXTS.get(key, PROMPT_BYTES))
        elif limits is not None and item is not None and not limits[0] <= item <= limits[1]:
            raise InputError(where, str(item)[:_SHOWN], f"give {limits[0]:g} to {limits[1]:g}")


def check_card(card: "ModelCard", where: str) -> None:
    """Raise InputError where two parts of a card do not fit together."""
    _check_names(card, where)
    _check_control(card, where)
    _check_stream(card.stream, f"{where}: stream")
    _check_sampler(card.sampler, f"{where}: sampler")
    if isinstance(card.architecture, TransformerConfig):
        _check_network(card, card.architecture, where)
    else:
        _check_without_network(card, where)


def _check_names(card: "ModelCard", where: str) -> None:
    if not card.name.strip() or "/" in card.name or card.name in (".", ".."):
        raise InputError(f"{where}.name", repr(card.name), "give a name without a slash")
    own = {
        "seed_image": card.seed_image,
        "demo_poses": card.demo_poses,
        "weights.file": getattr(card.weights, "file", None),
    }
    for field, name in own.items():
        if name is not None and (not name or "/" in name or name in (".", "..")):
            raise InputError(f"{where}.{field}", repr(name), "give the name of a file beside the card")
    if not isinstance(card.weights, HubWeights) and not re.fullmatch("[0-9a-f]{64}", card.weights.sha256):
        raise InputError(f"{where}: weights.sha256", card.weights.sha256, "give 64 hexadecimal digits, in lower case")
    for field in ("repository", "companions"):
        name = getattr(card.weights, field, "")
        if name and not _REPOSITORY.fullmatch(name):
            raise InputError(f"{where}: weights.{field}", name, "give OWNER/NAME")


def _check_control(card: "ModelCard", where: str) -> None:
    spec, control = card.control, card.architecture.control
    lengths = {"names": len(spec.names), "low": len(spec.low), "high": len(spec.high)}
    if set(lengths.values()) != {spec.dim}:
        said = ", ".join(f"{count} {name}" for name, count in lengths.items())
        raise InputError(f"{where}: control", f"dim {spec.dim} with {said}", "give one of each for every component")
    if len(set(spec.names)) < len(spec.names):
        raise InputError(f"{where}: control.names", list(spec.names), "name each component once")
    for name, low, high in zip(spec.names, spec.low, spec.high, strict=True):
        if not low < high:
            raise InputError(f"{where}: control of {name}", f"{low:g} to {high:g}", "give the lower limit first")
    if card.intrinsics is not None and min(card.intrinsics[:2]) <= 0:
        raise InputError(
            f"{where}.intrinsics", list(card.intrinsics), "give positive focal lengths fx and fy in pixels"
        )
    drives = {ActionControlConfig: "action", RayControlConfig: "camera"}.get(type(control))
    if drives != spec.kind:
        fix = f"the architecture has control of kind {getattr(control, 'kind', None)}; both must be the same"
        raise InputError(f"{where}: control.kind", spec.kind, fix)
    if isinstance(control, RayControlConfig):
        keys = KEYS if control.channels == _CHANNELS_WITH_KEYS else ()
        if spec.names != keys:
            fix = f"the architecture reads {control.channels} channels of a ray: give {', '.join(keys) or 'none'}"
            raise InputError(f"{where}: control.names", list(spec.names), fix)
    if isinstance(control, ActionControlConfig):
        if control.dim != spec.dim:
            fix = f"the architecture reads {control.dim} components; both must be the same"
            raise InputError(f"{where}: control.dim", spec.dim, fix)
        if control.image_plane and control.dim < 2:
            raise InputError(f"{where}: architecture.control.dim", control.dim, "image_plane needs x and y")


def _check_without_network(card: "ModelCard", where: str) -> None:
    if card.autoencoder != "pixel":
        raise InputError(f"{where}.autoencoder", card.autoencoder, "layers and scenes are made of images: use pixel")
    if card.stream.chunk != 1:
        raise InputError(
            f"{where}: stream.chunk", card.stream.chunk, "layers and scenes make one frame at a time: use 1"
        )


def _check_stream(stream: StreamConfig, where: str) -> None:
    if stream.chunk > stream.window:
        raise InputError(f"{where}.window", stream.window, f"give at least one chunk of {stream.chunk}")
    if stream.sink + stream.chunk > stream.window and stream.sink:
        fix = f"sink {stream.sink} and a chunk of {stream.chunk} do not fit; give a larger window or a smaller sink"
        raise InputError(f"{where}.window", stream.window, fix)


def _check_sampler(sampler: SamplerConfig | UniPCConfig, where: str) -> None:
    times = sampler.timesteps if isinstance(sampler, SamplerConfig) else ()
    if any(later >= earlier for earlier, later in itertools.pairwise(times)):
        raise InputError(f"{where}.timesteps", list(times), "give descending times")


def _check_network(card: "ModelCard", network: TransformerConfig, where: str) -> None:
    stride = 1 if card.autoencoder == "pixel" else _WAN_STRIDE
    for field, pixels, patch in (
        ("height", card.height, network.patch_size[1]),
        ("width", card.width, network.patch_size[2]),
    ):
        if pixels % (patch * stride):
            raise InputError(f"{where}.{field}", pixels, f"give a multiple of {patch * stride} pixels, the patch size")
    if network.freq_dim % 2:
        raise InputError(f"{where}: architecture.freq_dim", network.freq_dim, "give an even number")
    channels = 3 if card.autoencoder == "pixel" else _WAN_CHANNELS
    if network.latent_channels != channels:
        fix = f"the autoencoder {card.autoencoder} has {channels}"
        raise InputError(f"{where}: architecture.latent_channels", network.latent_channels, fix)
    if card.autoencoder == "wan" and network.condition_channels != _WAN_CHANNELS + _WAN_MASK:
        fix = f"give {_WAN_CHANNELS + _WAN_MASK}: the latent of the first image and its mask"
        raise InputError(f"{where}: architecture.condition_channels", network.condition_channels, fix)
    if isinstance(card.sampler, UniPCConfig) and network.prediction != "velocity":
        raise InputError(f"{where}: sampler.kind", "unipc", f"it needs prediction velocity, not {network.prediction}")
    if isinstance(card.sampler, SamplerConfig) and network.prediction != "velocity" and len(card.sampler.timesteps) > 1:
        fix = f"models of prediction {network.prediction} make a frame in one step"
        raise InputError(f"{where}: sampler.timesteps", list(card.sampler.timesteps), fix)
    if isinstance(card.sampler, UniPCConfig) and card.sampler.is_guided and network.text is None:
        raise InputError(f"{where}: sampler.guidance", card.sampler.guidance, "a model without text has none: give 1")
    if network.pixel is not None and any(patch % 4 for patch in network.patch_size[1:]):
        raise InputError(
            f"{where}: architecture.patch_size", list(network.patch_size), "pixel ends need multiples of 4"
        )
