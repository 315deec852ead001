"""The condition channels beside the noisy latent: what the session's images tell the next chunk."""

from typing import Protocol

import torch
from torch import Tensor


class Condition(Protocol):
    """One session's condition channels. `state` and `load_state` make it part of a snapshot."""

    def start(self, seed_latent: Tensor) -> None:
        """Begin with the seed image's latent, [1, C, 1, h, w]."""

    def chunk(self) -> Tensor:
        """The next chunk's channels, [1, Cc, c, h, w]."""

    def commit(self, latents: Tensor) -> None:
        """The chunk became these latents, [1, C, c, h, w]."""

    def state(self) -> dict[str, Tensor]: ...

    def load_state(self, state: dict[str, Tensor]) -> None: ...


class PreviousFrames:
    """The last `count` latent frames, newest first, as channels; a session starts as if it had stood still."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._frames = torch.empty(0)

    def start(self, seed_latent: Tensor) -> None:
        self._frames = seed_latent.repeat(1, self._count, 1, 1, 1)

    def chunk(self) -> Tensor:
        return self._frames

    def commit(self, latents: Tensor) -> None:
        channels = latents.shape[1]
        self._frames = torch.cat((latents[:, :, -1:], self._frames[:, :-channels].to(latents.device)), dim=1)

    def state(self) -> dict[str, Tensor]:
        return {"previous_frames": self._frames}

    def load_state(self, state: dict[str, Tensor]) -> None:
        self._frames = state["previous_frames"]
