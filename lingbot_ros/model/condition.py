"""The condition channels beside the noisy latent: what the session's images tell the next chunk."""

from typing import Protocol

import torch
from torch import Tensor

from lingbot_ros.errors import ErrorCode, SessionError
from lingbot_ros.model.geometry import TEMPORAL_STRIDE
from lingbot_ros.model.wan_autoencoder import WanAutoencoder


class Condition(Protocol):
    """One session's condition channels. `state` and `load_state` make it part of a snapshot."""

    def start(self, image: Tensor) -> None:
        """Begin with the seed image, float32 [1, 3, 1, H, W] in -1..1."""

    def chunk(self) -> Tensor:
        """The next chunk's channels, [1, Cc, c, h, w]."""

    def commit(self, latents: Tensor) -> None:
        """The chunk became these latents, [1, C, c, h, w]."""

    def state(self) -> dict[str, Tensor]: ...

    def load_state(self, state: dict[str, Tensor]) -> None: ...


class PreviousFrames:
    """The last `count` latent frames, newest first, as channels; a session starts as if it had stood still.

    For models whose latents are pixels.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._frames = torch.empty(0)

    def start(self, image: Tensor) -> None:
        self._frames = image.repeat(1, self._count, 1, 1, 1)

    def chunk(self) -> Tensor:
        return self._frames

    def commit(self, latents: Tensor) -> None:
        channels = latents.shape[1]
        self._frames = torch.cat((latents[:, :, -1:], self._frames[:, :-channels].to(latents.device)), dim=1)

    def state(self) -> dict[str, Tensor]:
        return {"previous_frames": self._frames}

    def load_state(self, state: dict[str, Tensor]) -> None:
        self._frames = state["previous_frames"]


class FirstFrame:
    """A mask and the latents of the seed image and empty frames: what the released models take (model_spec 3.1).

    The mask has one channel per pixel frame of a latent frame: 1 in the first latent frame of a session, else 0.
    """

    def __init__(self, autoencoder: WanAutoencoder, chunk: int, is_one_clip: bool = False) -> None:
        """`chunk` in latent frames; `is_one_clip` for models that imagine a single chunk."""
        self._autoencoder, self._chunk, self._is_one_clip = autoencoder, chunk, is_one_clip
        self._position = 0

    def start(self, image: Tensor) -> None:
        self._image, self._position = image, 0
        self._latents = self._autoencoder.image_latents(image)

    def chunk(self) -> Tensor:
        """Raises SessionError after the only chunk of a model that imagines one clip."""
        if self._is_one_clip and self._position:
            raise SessionError(
                "session: this model imagines one clip in one piece, and it is over; start a new session",
                ErrorCode.UNSUPPORTED,
            )
        latents = self._latents.frames(self._position, self._chunk)
        mask = torch.zeros_like(latents[:, :TEMPORAL_STRIDE])
        if self._position == 0:
            mask[:, :, 0] = 1
        return torch.cat((mask, latents), dim=1)

    def commit(self, latents: Tensor) -> None:
        self._position += self._chunk

    def state(self) -> dict[str, Tensor]:
        return {"image": self._image, "position": torch.tensor(self._position)}

    def load_state(self, state: dict[str, Tensor]) -> None:
        self.start(state["image"])
        self._position = int(state["position"])
