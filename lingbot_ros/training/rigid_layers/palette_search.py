"""The flat colours of a data set, what each belongs to, and the image behind everything that moves."""

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.model.rigid_layers.palette import Palette

Frames = NDArray[np.uint8]

_LEAST_PX = 2.0
"""A colour with fewer pixels per frame is none of the palette."""
_MIXED_GREY = 4.0
_STAYS = 0.3
"""Where a colour of the background is seen once, it is seen in more than this share of the frames."""


def find_palette(frames: Frames, targets: NDArray[np.float64], layers: int) -> Palette:
    """Colours of frames [N, H, W, 3] RGB in order of time, and their owners.

    A colour that stays where it is belongs to the background. Of the others, those whose centre follows targets
    [N, 2] (pixels, where the action before drew the driven layer) belong to the driven layer, 1, the rest to layer 2.
    Raises ValueError for other numbers of layers: more need masks from elsewhere.
    """
    if layers != 2:
        raise ValueError(f"layers {layers}: by colours alone one driven and one moved layer can be told apart")
    codes = _codes(frames)
    values, counts = np.unique(codes, return_counts=True)
    order = np.argsort(-counts)
    colours: list[NDArray[np.float64]] = []
    kept = []
    for index in order[counts[order] >= _LEAST_PX * len(frames)]:
        colour = np.array([values[index] >> 16, values[index] >> 8 & 255, values[index] & 255], np.float64)
        if not _is_mixture(colour, colours):
            colours.append(colour)
            kept.append(values[index])
    owners = [_owner(codes == value, targets) for value in kept]
    return Palette(np.stack(colours), np.array(owners))


def find_background(frames: Frames, palette: Palette) -> Frames:
    """The most frequent colour of every pixel [H, W, 3] that is not a layer's."""
    codes = _codes(frames)
    moving = _codes(palette.colours[palette.owners > 0].astype(np.uint8)[None])[0]
    picture = np.empty(frames.shape[1:], np.uint8)
    for row in range(frames.shape[1]):
        for column in range(frames.shape[2]):
            values, counts = np.unique(codes[:, row, column], return_counts=True)
            counts = np.where(np.isin(values, moving), 0, counts)
            value = int(values[counts.argmax()])
            picture[row, column] = value >> 16, value >> 8 & 255, value & 255
    return picture


def _codes(frames: Frames) -> NDArray[np.int64]:
    wide = frames.astype(np.int64)
    return wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]


def _is_mixture(colour: NDArray[np.float64], frequent: list[NDArray[np.float64]]) -> bool:
    for i, first in enumerate(frequent):
        for second in frequent[i + 1 :]:
            span = second - first
            part = float((colour - first) @ span / (span @ span))
            if 0 < part < 1 and np.linalg.norm(colour - first - part * span) < _MIXED_GREY:
                return True
    return False


def _owner(where: NDArray[np.bool_], targets: NDArray[np.float64]) -> int:
    """Of a colour that is seen at `where` [N, H, W]."""
    share = where.mean(0)
    if (share * share).sum() / share.sum() > _STAYS:
        return 0
    rows, columns = np.indices(where.shape[1:])
    count = where.sum((1, 2))
    seen = count > 0
    centres = np.stack([(where * columns).sum((1, 2))[seen], (where * rows).sum((1, 2))[seen]], -1) / count[seen, None]
    agreement = [np.corrcoef(centres[:, axis], targets[seen, axis])[0, 1] for axis in (0, 1)]
    return 1 if min(agreement) > 0.8 else 2
