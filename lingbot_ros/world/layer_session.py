"""A session of a world of rigid layers: it keeps what it saw, moves it, and draws it once per frame."""

import time
from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from lingbot_ros.errors import SnapshotError
from lingbot_ros.model.autoencoder import Frames, pixels_to_frames
from lingbot_ros.model.condition import PreviousFrames
from lingbot_ros.model.rigid_layers.motion import advance
from lingbot_ros.model.rigid_layers.render import render
from lingbot_ros.model.rigid_layers.state import Bodies, LayerState
from lingbot_ros.world.assembly import Control
from lingbot_ros.world.layer_model import LayerModel
from lingbot_ros.world.parts import FinishedChunk, Part, State
from lingbot_ros.world.rollout import MotionState, to_targets
from lingbot_ros.world.session import Session, SessionRegistry, StepTiming
from lingbot_ros.world.snapshot import SnapshotMeta


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
        self._next = self._state
        layers = Part(self._layers, self._load_layers, self._settle, self._forget_next)
        self._parts = {"control": self._parts["control"], "layers": layers}

    @property
    def state(self) -> LayerState:
        """All that the session remembers; never changed in place."""
        self._require_open()
        return self._state

    @property
    def motion_state(self) -> MotionState:
        """Where everything is now, for `world.rollout.roll_poses`."""
        card = self._model.card
        return MotionState(self._model.constants, self.state.bodies, card.control, (card.width, card.height))

    def move(self, bodies: Bodies) -> None:
        """Have the bodies elsewhere, once the chunk is committed."""
        self._next = self._state.moved(bodies)

    @torch.inference_mode()
    def begin(self, image: Tensor) -> None:
        """Find the layers in a seed image; raises InputError where one is not to be seen."""
        self._state = self._next = self._model.capture.start(pixels_to_frames(image)[0])
        self._empty = False

    def _new_condition(self) -> PreviousFrames:
        return PreviousFrames(1)

    def _layers(self) -> State:
        return self._state.tensors()

    def _load_layers(self, state: State) -> None:
        self._state = self._next = LayerState.of(state)

    def _settle(self, chunk: FinishedChunk) -> None:
        self._state = self._next

    def _forget_next(self) -> None:
        self._next = self._state

    def _check_states(self, meta: SnapshotMeta, states: Mapping[str, State]) -> None:
        for name, mine in self._layers().items():
            theirs = states["layers"].get(name)
            if theirs is None or theirs.shape != mine.shape or theirs.dtype != mine.dtype:
                raise SnapshotError(f"snapshot: its layers lack {name} {list(mine.shape)}; it is damaged; take another")

    @torch.inference_mode()
    def _advance(self, controls: ArrayLike, real: Frames | None) -> Frames:
        started = time.perf_counter()
        inputs = self.read(controls)
        card, constants = self._model.card, self._model.constants
        targets = to_targets(inputs.controls["actions"][0, :, 0], (card.width, card.height))
        if real is None:
            self.move(advance(constants, self._state.bodies, targets))
            moved = time.perf_counter()
            picture = render(constants, self._next.bodies.poses, self._next.textures, self._next.background)
            frames = to_frames(picture)
        else:
            self._next, frames = self._model.capture.observe(self._state, real[0], targets), real
            moved = time.perf_counter()
        self.commit(FinishedChunk(inputs, torch.empty(0), frames, None))
        ended = time.perf_counter()
        self.timing = StepTiming(ended - started, moved - started, 0.0, ended - moved)
        return frames


def to_frames(pictures: Tensor) -> Frames:
    """float32 [B, 3, H, W], 0..255 -> uint8 [B, H, W, 3]."""
    return np.ascontiguousarray(pictures.round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy())
