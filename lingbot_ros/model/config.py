"""What a world model is made of, as frozen data saved beside its weights.

One set of classes reaches from the shipped pixel models to the released 1.3B and 14B: a field that is `None` is a part
the model does not have.
"""

from dataclasses import dataclass
from typing import Literal

Prediction = Literal["velocity", "residual", "motion", "layers"]


@dataclass(frozen=True)
class TextConfig:
    """Cross-attention to text features, zero-padded to `length` tokens and attended without a mask (model_spec 3.2)."""

    width: int = 4096
    length: int = 512


KEYS = ("w", "a", "s", "d")
"""Of models that take keys beside a camera's direction: forward, left, back, right."""


@dataclass(frozen=True)
class RayControlConfig:
    """Camera rays per pixel, folded into channels, injected by a scale and a shift in every block (model_spec 3.3-3.6).

    `channels` is 6 (origin, direction) or 7 (direction, WASD); `fold` is the autoencoder's spatial stride.
    """

    channels: int = 6
    fold: int = 8
    kind: Literal["rays"] = "rays"


@dataclass(frozen=True)
class ActionControlConfig:
    """A robot action vector per frame, injected through the per-frame modulation and added to the tokens.

    `history` actions are seen (the current one and those before it). With `image_plane` the first two components are a
    position in the image (x right, y down, -1..1 from edge to edge) and every token also gets Fourier features of
    the vector from its own centre to that position, in `bands` octaves.
    """

    dim: int
    history: int = 2
    image_plane: bool = False
    bands: int = 6
    kind: Literal["action"] = "action"


@dataclass(frozen=True)
class PixelConfig:
    """A convolutional patch embedding and head for models whose latent is the image itself.

    Two stride-2 convolutions bring the image to 1/4 resolution; patches are cut there. The head returns the same way
    with skip connections. `channels` are the feature widths at 1/2 and 1/4 resolution.
    """

    channels: tuple[int, int] = (32, 64)


@dataclass(frozen=True)
class TransformerConfig:
    """Architecture of a `CausalWorldTransformer`.

    `prediction` says what the network's output means: `velocity` is the flow `noise - x0` (model_spec 3.6). The others
    give x0 directly from the condition alone, for one-step models: `residual` is a change of the previous frame,
    `motion` a per-pixel displacement of it plus a correction, `layers` moves `moving_layers` parts of it as rigid
    wholes, the last of which is what the action drives.
    """

    dim: int
    ffn_dim: int
    num_layers: int
    num_heads: int
    latent_channels: int = 16
    condition_channels: int = 20
    patch_size: tuple[int, int, int] = (1, 2, 2)
    freq_dim: int = 256
    eps: float = 1e-6
    text: TextConfig | None = None
    control: RayControlConfig | ActionControlConfig | None = None
    pixel: PixelConfig | None = None
    prediction: Prediction = "velocity"
    moving_layers: int = 0

    def __post_init__(self) -> None:
        if self.dim % self.num_heads:
            raise ValueError(f"dim {self.dim} is not a multiple of num_heads {self.num_heads}")
        if self.head_dim % 2:
            raise ValueError(f"head dimension {self.head_dim} must be even for rotary pairs")
        if self.prediction != "velocity" and self.condition_channels < self.latent_channels:
            raise ValueError(f"prediction {self.prediction} needs the previous frame among the condition channels")
        if self.prediction in ("motion", "layers") and self.pixel is None:
            raise ValueError(f"prediction {self.prediction} needs pixel ends")
        if self.prediction == "layers" and self.condition_channels < 2 * self.latent_channels:
            raise ValueError("prediction layers needs two previous frames among the condition channels")
        if (self.prediction == "layers") != (self.moving_layers > 0):
            raise ValueError(f"prediction {self.prediction} with {self.moving_layers} moving_layers")
        if self.patch_size[0] != 1:
            raise ValueError(f"patch_size {self.patch_size}: the temporal patch must be 1")

    @property
    def head_dim(self) -> int:
        return self.dim // self.num_heads

    def tokens_per_frame(self, height: int, width: int) -> int:
        """Tokens of one latent frame of `height` x `width` latent cells."""
        return (height // self.patch_size[1]) * (width // self.patch_size[2])


@dataclass(frozen=True)
class StreamConfig:
    """How a session generates: latent frames per chunk, in the attention window (own chunk included), in the sink.

    `memory` latent frames of places seen before may be attended to besides the window (`world.pose_memory`).
    """

    chunk: int
    window: int
    sink: int = 0
    memory: int = 0
