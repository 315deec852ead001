"""Between images and latents. For pixel models the latent is the image itself, scaled to -1..1."""

from typing import Protocol

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lingbot_ros.errors import InputError
from lingbot_ros.model.geometry import SPATIAL_STRIDE

Frames = NDArray[np.uint8]
"""[n, H, W, 3] RGB."""

DecoderState = dict[str, Tensor]
"""What a streaming decoder carries from chunk to chunk; never changed in place, so that a fork may share it."""


EncoderState = dict[str, Tensor]
"""What a streaming encoder carries; like the decoder's it is never changed in place."""


class Decoder(Protocol):
    """Streams chunks of latents to frames; the state belongs to the session."""

    def start(self) -> DecoderState:
        """The state before the first chunk."""

    def decode(self, latents: Tensor, state: DecoderState) -> tuple[Frames, DecoderState]:
        """Latents [1, C, c, h, w] -> the chunk's frames and the state for the next chunk."""


class Autoencoder(Decoder, Protocol):
    """A decoder, and what it takes to make latents of frames."""

    encodes_frames_alone: bool
    """Whether what a frame is encoded to does not depend on the frames before it."""

    def fit(self, image: Frames, height: int, width: int) -> Tensor:
        """An image uint8 [h, w, 3] of any size as the model sees it: float32 [1, 3, 1, height, width], -1..1."""

    def encode(self, frames: Frames, state: EncoderState) -> tuple[Tensor, EncoderState]:
        """The next frames of a clip, uint8 [n, H, W, 3] -> latents float32 [1, C, f, h, w]; it begins with no state."""

    def frames_of_chunk(self, chunk: int, chunk_index: int) -> int:
        """Pixel frames that `chunk` latent frames decode to."""


def state_bytes(decoder: Decoder, latent_channels: int, height: int, width: int) -> int:
    """What a decoder carries of a stream of frames of this size in pixels, once the stream is some frames long.

    Measured on a single latent cell: what is carried are feature maps, which grow as the image does.
    """
    _, state = decoder.decode(torch.zeros(1, latent_channels, 3, 1, 1), decoder.start())
    cells = (height // SPATIAL_STRIDE) * (width // SPATIAL_STRIDE)
    return cells * sum(tensor.numel() * tensor.element_size() for tensor in state.values())


class PixelAutoencoder:
    """The identity up to scaling: one latent frame is one image."""

    encodes_frames_alone = True

    def __init__(self, device: str) -> None:
        self._device = device

    def fit(self, image: Frames, height: int, width: int) -> Tensor:
        return frames_to_pixels(resize_image(image, height, width)[None], self._device)

    def encode(self, frames: Frames, state: EncoderState) -> tuple[Tensor, EncoderState]:
        return frames_to_pixels(frames, self._device), state

    def start(self) -> DecoderState:
        return {}

    def decode(self, latents: Tensor, state: DecoderState) -> tuple[Frames, DecoderState]:
        return pixels_to_frames(latents.float()), state

    def frames_of_chunk(self, chunk: int, chunk_index: int) -> int:
        return chunk


def frames_to_pixels(frames: Frames, device: str) -> Tensor:
    """uint8 [n, H, W, 3] -> float32 [1, 3, n, H, W] in -1..1."""
    pixels = torch.from_numpy(np.ascontiguousarray(frames)).to(device)
    return (pixels.permute(3, 0, 1, 2).float() / 127.5 - 1)[None]


def pixels_to_frames(pixels: Tensor) -> Frames:
    """float32 [1, 3, n, H, W], clamped to -1..1 -> uint8 [n, H, W, 3]."""
    if pixels.device.type != "cpu":
        scaled = ((pixels[0] + 1).mul_(127.5)).round_().clamp_(0, 255).permute(1, 2, 3, 0)
        return scaled.to(torch.uint8, memory_format=torch.contiguous_format).cpu().numpy()
    # The same arithmetic: for one small image NumPy's calls cost less than PyTorch's.
    values = pixels[0].numpy() + np.float32(1)
    values *= np.float32(127.5)
    np.rint(values, values)
    np.fmin(np.fmax(values, 0, values), 255, values)  # a NaN becomes 0
    planes = values.astype(np.uint8)
    frames = np.empty((*planes.shape[1:], 3), np.uint8)
    for index, frame in enumerate(frames):
        cv2.merge([planes[0, index], planes[1, index], planes[2, index]], frame)
    return frames


def check_image(image: Frames) -> Frames:
    """The image if it is uint8 [height, width, 3], else InputError."""
    array = np.asarray(image)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
        raise InputError("image", f"{array.dtype} {list(array.shape)}", "give uint8 [height, width, 3], RGB")
    return array


def resize_image(image: Frames, height: int, width: int) -> Frames:
    """An image uint8 [h, w, 3] stretched to a size: by area when it shrinks, else bicubic."""
    if image.shape[:2] == (height, width):
        return np.ascontiguousarray(image)
    shrinking = image.shape[0] * image.shape[1] > height * width
    interpolation = cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (width, height), interpolation=interpolation), np.uint8)
