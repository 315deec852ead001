"""The folder of a model trained on own recordings: its card without weights, and the image that it starts from."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray

from lingbot_ros.errors import ErrorCode, InputError, ResourceError
from lingbot_ros.model.sampler import SamplerConfig

CARD_FILE = "card.yaml"
SEED_FILE = "seed.png"

ONE_STEP = SamplerConfig(timesteps=(999.0,), sigmas=(1.0,), commit=False)
"""What training makes: a model that needs one forward from pure noise, whose cache the same forward writes."""

NOT_LOOKED_AT = (
    "Nobody has looked at this model yet: {how} how far to believe it. Then write here what was found, and the licence "
    "that the data allow."
)


def check_model_folder(folder: Path, wanted: Mapping[str, Any], data: Path) -> None:
    """Raise InputError when the card in `folder` differs from what the `data` have, in a field or under `control`."""
    if not (folder / CARD_FILE).is_file():
        return
    # Not as a ModelCard: one that an earlier attempt left without its weights is welcome.
    card = yaml.safe_load((folder / CARD_FILE).read_text(encoding="utf-8"))
    there = card | card.get("control", {}) if isinstance(card, dict) else {}
    for field, value in wanted.items():
        if there.get(field) != value:
            fix = f"{data} has {value}; give a new folder, or bring {folder / CARD_FILE} in line"
            raise InputError("--export", f"a model with {field} {there.get(field)}", fix)


def begin_model_folder(folder: Path, card: dict[str, Any], first: NDArray[np.uint8]) -> None:
    """Write the card and the first image, uint8 [H, W, 3] RGB, into a folder that has no card yet.

    Raises ResourceError when they cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not cv2.imwrite(str(folder / SEED_FILE), first[:, :, ::-1]):
            raise OSError(0, "the seed image was not taken")
        partial = folder / f".{CARD_FILE}.{os.getpid()}"
        partial.write_text(yaml.safe_dump(card, sort_keys=False, allow_unicode=True, width=110), encoding="utf-8")
        partial.replace(folder / CARD_FILE)
    except OSError as error:
        fix = "free some space or use another folder"
        raise ResourceError(f"--export: cannot write {folder} ({error.strerror}); {fix}", ErrorCode.DISK) from error
