"""How large a model's autoencoder and text encoder are, from the headers of their files."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from lingbot_ros.checkpoints.cards import ModelCard
from lingbot_ros.checkpoints.files import companions_here
from lingbot_ros.checkpoints.tensors import tensor_shapes


@dataclass(frozen=True)
class CompanionSizes:
    """Parameters of both, and the channels of the autoencoder at full resolution, which its memory is proportional to.

    0 where a model has no such part.
    """

    autoencoder: int = 0
    autoencoder_width: int = 0
    text_encoder: int = 0


RELEASED = CompanionSizes(autoencoder=126_892_531, autoencoder_width=96, text_encoder=5_680_910_336)
"""Of the Wan2.1 autoencoder and of UMT5-XXL's encoder (model_spec 2.1, 3.2)."""

_REPEATED = "encoder.embed_tokens.weight"
"""transformers may store the word table under this name too."""


def companion_sizes(card: ModelCard) -> CompanionSizes:
    """Of the files on this machine; of the released ones where there are none. Raises ModelError for damaged files."""
    files = companions_here(card)
    if files is None:
        return RELEASED
    autoencoder = {} if files.autoencoder is None else tensor_shapes(files.autoencoder)
    text_encoder = {} if files.text_encoder is None else tensor_shapes(files.text_encoder)
    if len(text_encoder) > 1 and "shared.weight" in text_encoder:
        text_encoder.pop(_REPEATED, None)
    first = autoencoder.get("encoder.conv1.weight") or autoencoder.get("encoder.conv_in.weight") or (0,)
    return CompanionSizes(_parameters(autoencoder.values()), first[0], _parameters(text_encoder.values()))


def _parameters(shapes: Iterable[tuple[int, ...]]) -> int:
    return sum(map(math.prod, shapes))
