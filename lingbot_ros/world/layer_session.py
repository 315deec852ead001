"""A session of a world of rigid layers: it keeps what it saw, moves it, and draws it once per frame."""

import time
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from lingbot_ros.model.autoencoder import Frames, pixels_to_frames
from lingbot_ros.model.rigid_layers.motion import advance
from lingbot_ros.model.rigid_layers.render import render
from lingbot_ros.model.rigid_layers.state import LayerState
from lingbot_ros.world.parts import Part
from lingbot_ros.world.rollout import MotionState, to_targets
from lingbot_ros.world.session import Session, StepTiming


class LayerSession(Session):
    """Like every session, but its past is a `LayerState` instead of caches; one frame per chunk."""

    _state: LayerState

    @property
    def motion_state(self) -> MotionState:
        """Where everything is now, for `world.rollout.roll_poses`."""
        self._require_open()
        card = self._model.card
        return MotionState(self._model.constants, self._state.bodies, card.control, (card.width, card.height))

    def begin(self, image: Tensor) -> None:
        """Find the layers in a seed image; raises InputError where one is not to be seen."""
        self._state = self._model.capture.start(pixels_to_frames(image)[0])

    @torch.inference_mode()
    def _advance(self, controls: ArrayLike, real: Frames | None) -> Frames:
        self._require_open()
        started = time.perf_counter()
        encoded = self._control.encode(controls, 1)
        card = self._model.card
        targets = to_targets(encoded["actions"][0, :, 0], (card.width, card.height))
        constants = self._model.constants
        if real is None:
            state = self._state.moved(advance(constants, self._state.bodies, targets))
            moved = time.perf_counter()
            picture = render(constants, state.bodies.poses, state.textures, state.background)
            frames = to_frames(picture)
        else:
            state, frames = self._model.capture.observe(self._state, real[0], targets), real
            moved = time.perf_counter()
        self._control.commit(encoded)
        self._state = state
        self.chunk_index += 1
        self.frame_index += 1
        ended = time.perf_counter()
        self.timing = StepTiming(ended - started, moved - started, 0.0, ended - moved)
        return frames


def to_frames(pictures: Tensor) -> Frames:
    """float32 [B, 3, H, W], 0..255 -> uint8 [B, H, W, 3]."""
    return np.ascontiguousarray(pictures.round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy())
