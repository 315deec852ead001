"""A session of a world of rigid layers: it keeps what it saw, moves it, and draws it once per frame."""

import time

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from lingbot_ros.model.autoencoder import Frames, pixels_to_frames
from lingbot_ros.model.condition import PreviousFrames
from lingbot_ros.model.rigid_layers.motion import advance
from lingbot_ros.model.rigid_layers.render import render
from lingbot_ros.model.rigid_layers.state import LayerState
from lingbot_ros.world.assembly import Control
from lingbot_ros.world.layer_model import LayerModel
from lingbot_ros.world.parts import Part, State
from lingbot_ros.world.rollout import MotionState, to_targets
from lingbot_ros.world.session import Session, SessionRegistry, StepTiming


class LayerSession(Session):
    """Like every session, but its past is a `LayerState` instead of caches; one frame per chunk."""

    _model: LayerModel

    def __init__(
        self, model: LayerModel, registry: SessionRegistry, session_id: str, parent_id: str, seed: int, control: Control
    ) -> None:
        """Allocates the session's tensors; the registry fills them."""
        super().__init__(model, registry, session_id, parent_id, seed, control)
        card = model.card
        self._state = LayerState.empty(model.constants.config, card.height, card.width)
        layers = Part(self._layers, self._load_layers, lambda _: None)
        self._parts = {"control": self._parts["control"], "layers": layers}

    @property
    def motion_state(self) -> MotionState:
        """Where everything is now, for `world.rollout.roll_poses`."""
        self._require_open()
        card = self._model.card
        return MotionState(self._model.constants, self._state.bodies, card.control, (card.width, card.height))

    @torch.inference_mode()
    def begin(self, image: Tensor) -> None:
        """Find the layers in a seed image; raises InputError where one is not to be seen."""
        self._state = self._model.capture.start(pixels_to_frames(image)[0])

    def _new_condition(self) -> PreviousFrames:
        return PreviousFrames(1)

    def _layers(self) -> State:
        return self._state.tensors()

    def _load_layers(self, state: State) -> None:
        self._state = LayerState.of(state)

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
