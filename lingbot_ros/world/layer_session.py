"""A session of a world of rigid layers: it keeps what it saw, moves it, and draws it once per frame."""

import math
import time
from collections.abc import Mapping
from typing import cast

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from lingbot_ros.control.actions import ActionControl
from lingbot_ros.errors import SnapshotError
from lingbot_ros.model.autoencoder import Frames, pixels_to_frames
from lingbot_ros.model.condition import PreviousFrames
from lingbot_ros.model.rigid_layers.render import render
from lingbot_ros.model.rigid_layers.state import LayerState
from lingbot_ros.model.rigid_layers.variants import advance_all
from lingbot_ros.world.assembly import Control
from lingbot_ros.world.branch import ChunkInputs
from lingbot_ros.world.layer_model import LayerModel
from lingbot_ros.world.parts import Part, State
from lingbot_ros.world.rollout import RolloutState, to_targets
from lingbot_ros.world.session import Session, SessionRegistry, StepTiming
from lingbot_ros.world.snapshot import SnapshotMeta
from lingbot_ros.world.snapshot_check import check_finite

_NO_CONDITION = torch.empty(0)


class LayerSession(Session):
    """Like every session, but its past is a `LayerState` instead of caches; one frame per chunk."""

    _model: LayerModel

    def __init__(
        self, model: LayerModel, registry: SessionRegistry, session_id: str, parent_id: str, seed: int, control: Control
    ) -> None:
        """Allocates the session's tensors; the registry fills them."""
        super().__init__(model, registry, session_id, parent_id, seed, control)
        self.actions = cast(ActionControl, control)
        """Its action input."""
        card = model.card
        self.layers = LayerState.empty(model.constants.config, card.height, card.width)
        """What is remembered. Never changed in place."""
        layers = Part(self._layer_tensors, self._load_layers, lambda _: None)
        self._parts = {"control": self._parts["control"], "layers": layers}

    @property
    def trust(self) -> float:
        spec = self._model.card.trust
        has_variants = self._model.constants.config.variants > 0
        return spec.of(self.doubt_px) if spec is not None and has_variants else math.nan

    @property
    def doubt_px(self) -> float:
        """How far worlds that were read a little otherwise have come from this one, see `Variants.spread_px`."""
        return float(self.layers.variants.spread_px)

    @property
    def rollout_state(self) -> RolloutState:
        """Where everything is now, for `world.rollout.roll_poses`."""
        self._require_open()
        card = self._model.card
        layers, size = self.layers, (card.width, card.height)
        return RolloutState(self._model.constants, layers.bodies, layers.variants, card.control, size)

    @torch.inference_mode()
    def last_frame(self) -> Frames:
        self._require_open()
        return self._drawn(self.layers)[0]

    @torch.inference_mode()
    def begin(self, image: Tensor) -> None:
        """Find the layers in a seed image; raises InputError where one is not to be seen."""
        self.layers = self._model.capture.start(pixels_to_frames(image)[0])
        self._empty = False

    def read(self, controls: ArrayLike) -> ChunkInputs:
        """What the next frame is made from. Changes nothing; raises as `step` does."""
        self._require_open()
        return self.given(self._control.encode(controls, 1))

    def given(self, encoded: Mapping[str, Tensor]) -> ChunkInputs:
        """As `read`, of controls that were encoded by `actions` already."""
        self._require_open()
        return ChunkInputs(self.chunk_index, _NO_CONDITION, encoded)

    def commit_layers(self, inputs: ChunkInputs, layers: LayerState) -> None:
        """Make a frame the past."""
        self.actions.commit(inputs.controls)
        self.layers = layers
        self.chunk_index += 1
        self.frame_index += 1

    def _new_condition(self) -> PreviousFrames:
        return PreviousFrames(1)

    def _layer_tensors(self) -> State:
        return self.layers.tensors()

    def _load_layers(self, state: State) -> None:
        self.layers = LayerState.of(state)

    def _check_tensors(self, meta: SnapshotMeta, states: Mapping[str, State]) -> None:
        check_finite(states)
        mine, theirs = self.layers.tensors(), states["layers"]
        for name in (*mine, *theirs):
            has, needs = _form(theirs.get(name)), _form(mine.get(name))
            if has != needs:
                raise SnapshotError(
                    f"snapshot: layers.{name} is {has}, this version keeps {needs}; restore it with the version of "
                    "lingbot_ros that wrote it, or start a new session"
                )

    def _drawn(self, state: LayerState) -> Frames:
        outlines, textures, background = state.outlines, state.textures, state.background
        return render(self._model.constants, state.bodies.poses, outlines, textures, background).numpy()

    @torch.inference_mode()
    def _advance(self, controls: ArrayLike, real: Frames | None) -> Frames:
        started = time.perf_counter()
        inputs, card = self.read(controls), self._model.card
        targets = to_targets(inputs.controls["actions"][0, :, 0], (card.width, card.height))
        constants = self._model.constants
        if real is None:
            state = self.layers.moved(*advance_all(constants, self.layers.bodies, self.layers.variants, targets))
            moved = time.perf_counter()
            frames = self._drawn(state)
        else:
            state, frames = self._model.capture.observe(self.layers, real[0], targets), real
            moved = time.perf_counter()
        self.commit_layers(inputs, state)
        ended = time.perf_counter()
        self.timing = StepTiming(ended - started, moved - started, 0.0, ended - moved)
        return frames


def _form(tensor: Tensor | None) -> str:
    return "nothing" if tensor is None else f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"
