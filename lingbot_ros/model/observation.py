"""Real frames -> latents, for sessions that are told what really happened."""

import torch
from torch import Tensor

from lingbot_ros.model.autoencoder import Autoencoder, EncoderState, Frames
from lingbot_ros.model.geometry import TEMPORAL_STRIDE

_SHOWN = "shown"


class Observation:
    """One session's encoder of real frames. `encode` changes nothing; `commit` makes a chunk the past.

    A video encoder needs the frames before. Chunks that are observed one after the other from the start of a session
    are encoded exactly as one clip. After imagined chunks the encoder begins anew at the frames of the last of these:
    what it knows of the past is then one chunk. To encode every imagined frame would slow down every step.
    """

    def __init__(self, autoencoder: Autoencoder) -> None:
        self._autoencoder = autoencoder
        self._past: EncoderState = {}
        self._shown: Frames | None = None

    def encode(self, frames: Frames) -> tuple[Tensor, EncoderState]:
        """The next chunk's real frames, uint8 [n, H, W, 3] -> latents float32 [1, C, c, h, w], and the state after."""
        past = self._past
        if not past and self._shown is not None:
            whole = self._shown[(len(self._shown) - 1) % TEMPORAL_STRIDE :]  # one frame alone, then groups of four
            _, past = self._autoencoder.encode(whole, {})
        return self._autoencoder.encode(frames, past)

    def commit(self, frames: Frames, past: EncoderState | None) -> None:
        """The chunk showed these frames; `past` is what `encode` gave, or None where they were imagined."""
        if not self._autoencoder.encodes_frames_alone:
            self._past, self._shown = past or {}, frames.copy() if past is None else None

    def state(self) -> dict[str, Tensor]:
        return self._past if self._shown is None else {_SHOWN: torch.from_numpy(self._shown)}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """The reverse of `state`."""
        shown = state.get(_SHOWN)
        self._shown = None if shown is None else shown.cpu().numpy()
        self._past = state if shown is None else {}
