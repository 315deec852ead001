"""Images that a page uploads as the beginning of a new world: bounded before they are decoded, kept for a while."""

import secrets
from collections import OrderedDict
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from lingbot_ros.errors import InputError

MOST_BYTES = 15 * 2**20
_MOST_PIXELS = 40_000_000
_FORMATS = ("JPEG", "PNG", "WEBP")
_KEPT = 4


class Uploads:
    """The newest uploaded images, by random names."""

    def __init__(self) -> None:
        self._images: OrderedDict[str, NDArray[np.uint8]] = OrderedDict()

    def add(self, data: bytes) -> str:
        """Decode and keep an image; returns its name. Raises InputError."""
        image = _decoded(data)
        name = secrets.token_urlsafe(12)
        self._images[name] = image
        while len(self._images) > _KEPT:
            self._images.popitem(last=False)
        return name

    def get(self, name: str) -> NDArray[np.uint8]:
        """The image of that name, uint8 [H, W, 3] RGB. Raises InputError."""
        if name not in self._images:
            raise InputError("image", name, "upload the image again")
        return self._images[name]


def _decoded(data: bytes) -> NDArray[np.uint8]:
    try:
        with Image.open(BytesIO(data), formats=_FORMATS) as image:
            width, height = image.size  # of the header; nothing is decoded yet
            if width * height > _MOST_PIXELS:
                raise InputError("image", f"{width}x{height} pixels", f"give one of at most {_MOST_PIXELS} pixels")
            return np.asarray(image.convert("RGB"), np.uint8)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError("image", f"{len(data)} bytes", f"give a complete JPEG, PNG or WebP file ({error})") from error
