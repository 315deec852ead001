"""Frechet distance of films in the features of a video network: how unlike two sets of films are."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from lingbot_ros.errors import ModelError
from lingbot_ros.evaluate.image_metrics.frechet import frechet_distance
from lingbot_ros.evaluate.judges.folders import model_folder

Film = NDArray[np.uint8]

_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_BATCH = 8


@dataclass(frozen=True)
class VideoDistance:
    """distance: of imagined from real films. floor: of one half of the real films from the other half; a distance near
    it cannot be told from none. None for fewer than 2048 clips of a side: so few have no covariance.

    The published figure (FVD) has the features of another network, I3D; hence the other name.
    """

    distance: float | None
    floor: float | None
    clips: int
    name: str = "fvd_videomae"


class VideoFeatures:
    """A VideoMAE of transformers, from a folder on this disk. Raises InputError for no such folder, and ModelError."""

    def __init__(self, folder: Path) -> None:
        from transformers import VideoMAEModel  # noqa: PLC0415  - seconds to import

        path = model_folder("fvd_videomae", folder)
        try:
            self._network: Any = VideoMAEModel.from_pretrained(path, local_files_only=True).eval()
        except (OSError, ValueError, RuntimeError) as error:
            raise ModelError(f"judge: {path} cannot be loaded as VideoMAE ({error})") from error
        self._size, self._frames = self._network.config.image_size, self._network.config.num_frames

    @torch.inference_mode()
    def of(self, film: Film) -> NDArray[np.float64]:
        """Features [clips, width] of every stretch of a film uint8 [T, H, W, 3] as long as the network wants."""
        sized = np.stack([cv2.resize(frame, (self._size, self._size), interpolation=cv2.INTER_AREA) for frame in film])
        pixels = (torch.from_numpy(sized).permute(0, 3, 1, 2).float() / 255 - _column(_MEAN)) / _column(_DEVIATION)
        firsts = range(len(film) - self._frames + 1)
        found = []
        for begin in range(0, len(firsts), _BATCH):
            clips = torch.stack([pixels[first : first + self._frames] for first in firsts[begin : begin + _BATCH]])
            found.append(self._network(clips).last_hidden_state.mean(1).double().numpy())
        return np.concatenate(found) if found else np.empty((0, self._network.config.hidden_size))


def video_distance(*, imagined: Sequence[Film], real: Sequence[Film], features: VideoFeatures) -> VideoDistance:
    """Of two sets of films; where one of them has too few clips, there is no figure."""
    mine, theirs = ([features.of(film) for film in films] for films in (imagined, real))
    halves = [np.concatenate(theirs[start::2]) for start in (0, 1)] if len(theirs) > 1 else []
    whole = np.concatenate(theirs)
    return VideoDistance(
        frechet_distance(imagined=np.concatenate(mine), reference=whole),
        frechet_distance(imagined=halves[0], reference=halves[1]) if halves else None,
        len(whole),
    )


def _column(values: tuple[float, ...]) -> torch.Tensor:
    return torch.tensor(values)[None, :, None, None]
