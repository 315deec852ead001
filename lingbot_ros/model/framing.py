"""How an image of another aspect becomes the model's size: cut, or stretched."""

from typing import Literal

from lingbot_ros.model.autoencoder import Frames, resize_image
from lingbot_ros.model.geometry import SPATIAL_STRIDE, latent_size

Fit = Literal["aspect", "crop", "stretch"]
"""aspect: the size is chosen for the first image, where it still can be; other images are stretched."""

_SEEN = 0.02
"""A change of aspect that nobody sees: sizes are multiples of a patch."""


_NEAR = 0.05
"""How far a size may be from an image's aspect to be recommended for it."""


def crop_box(size: tuple[int, int], new_size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Top, left, height, width of the middle of an image of `size` (height, width) with the aspect of `new_size`."""
    (height, width), (new_height, new_width) = size, new_size
    excess = width * new_height - height * new_width
    if abs(excess) <= max(new_size):
        return 0, 0, height, width
    if excess > 0:
        kept = max(1, round(height * new_width / new_height))
        return 0, (width - kept) // 2, height, kept
    kept = max(1, round(width * new_height / new_width))
    return (height - kept) // 2, 0, kept, width


def cropped(image: Frames, new_size: tuple[int, int], fit: Fit) -> Frames:
    """The part of an image uint8 [h, w, 3] that is used for frames of `new_size`: all of it unless `fit` is crop."""
    if fit != "crop":
        return image
    top, left, height, width = crop_box((image.shape[0], image.shape[1]), new_size)
    return image[top : top + height, left : left + width]


def fit_image(image: Frames, new_size: tuple[int, int], fit: Fit) -> Frames:
    """An image uint8 [h, w, 3] at the model's size (height, width)."""
    return resize_image(cropped(image, new_size, fit), *new_size)


def stretch_note(size: tuple[int, int], new_size: tuple[int, int], fit: Fit, *, one_size: bool = False) -> str:
    """What to say where an image of `size` is stretched so that it shows; empty where it is not.

    one_size: the model knows no other size.
    """
    if fit == "crop":
        return ""
    change = (size[1] / size[0]) / (new_size[1] / new_size[0])
    if abs(change - 1) <= _SEEN:
        return ""
    way, factor = "wide" if change < 1 else "high", max(change, 1 / change)
    rows, columns = latent_size(*size, new_size[0] * new_size[1])
    other = ""
    if rows and columns and not one_size and abs((size[1] / size[0]) / (columns / rows) - 1) <= _NEAR:
        other = f", or model.size to {columns * SPATIAL_STRIDE}x{rows * SPATIAL_STRIDE}, which has its aspect"
    return (
        f"the image of {size[1]}x{size[0]} is stretched to {new_size[1]}x{new_size[0]}: what it shows becomes "
        f"{factor:.2f} times too {way}; set model.fit to crop{other}"
    )
