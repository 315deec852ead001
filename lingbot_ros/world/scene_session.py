"""A session of a scene model: it keeps the views that it saw, and renders each frame from them."""

import time
from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from lingbot_ros.control.camera import CameraControl
from lingbot_ros.control.poses import Poses
from lingbot_ros.errors import SnapshotError
from lingbot_ros.model.autoencoder import Frames, pixels_to_frames
from lingbot_ros.model.condition import PreviousFrames
from lingbot_ros.model.scene.camera import Pinhole
from lingbot_ros.model.scene.events import Event
from lingbot_ros.model.scene.frame import PAINTED, REAL
from lingbot_ros.model.scene.scene import Imagining, Outcome, Scene
from lingbot_ros.sendable import PROMPT_BYTES, require_text
from lingbot_ros.world.assembly import Control
from lingbot_ros.world.branch import ChunkInputs
from lingbot_ros.world.frame_view import FrameView
from lingbot_ros.world.parts import Part, State
from lingbot_ros.world.scene_model import SceneModel
from lingbot_ros.world.session import Session, SessionRegistry, StepTiming
from lingbot_ros.world.snapshot import SnapshotMeta
from lingbot_ros.world.snapshot_check import check_finite

_MASK = np.zeros(3, np.uint8)
_MASK[REAL], _MASK[PAINTED] = 255, 127


class SceneSession(Session):
    """Like every session, but its past is a `Scene` instead of caches; one frame per chunk.

    The first pose of a session is where its first image was taken, by a camera that was held level.
    """

    _model: SceneModel
    _control: CameraControl

    def __init__(
        self, model: SceneModel, registry: SessionRegistry, session_id: str, parent_id: str, seed: int, control: Control
    ) -> None:
        """Allocates the session's arrays when the camera is known: at once, or when a state is loaded."""
        super().__init__(model, registry, session_id, parent_id, seed, control)
        self._event = ("", Event())  # the prompt that was read last, and what it says
        self.last: Outcome | None = None
        """How the last frame came about; None after a fork or a restore."""
        self._scene: Scene | None = None if self.lens is None else self._new_scene()
        scene = Part(self._scene_state, self._load_scene, lambda _: None)
        # Parts are loaded from the last to the first: the camera before the scene that needs it.
        self._parts = {"scene": scene, "control": self._parts["control"]}

    @property
    def scene(self) -> Scene:
        """What is remembered."""
        assert self._scene is not None
        return self._scene

    @property
    def camera_pose(self) -> Poses | None:
        """Where the camera of the last frame is: not where it was to go when its way was blocked."""
        scene = self._scene
        return None if scene is None or scene.origin is None else scene.origin @ scene.pose

    @property
    def mask(self) -> NDArray[np.uint8] | None:
        """See `Session.mask`: also None after a fork or a restore, until the next frame."""
        return None if self.last is None else _MASK[self.last.drawn.origin]

    @property
    def event(self) -> Event:
        """What the prompt in force shows."""
        if self._event[0] != self._prompt:
            self._event = (self._prompt, self._model.read_event(self._prompt))
        return self._event[1]

    @property
    def prompt(self) -> str:
        """The text in force from the next frame on; InputError for one that says nothing this world can show."""
        return self._prompt

    @prompt.setter
    def prompt(self, text: str) -> None:
        self._require_open()
        require_text("prompt", text, PROMPT_BYTES)  # another could not be restored from a snapshot
        self._model.read_event(text)
        self._prompt = text

    @torch.inference_mode()
    def begin(self, image: Tensor) -> None:
        """Remember the first image."""
        self.scene.begin(pixels_to_frames(image)[0])
        self._empty = False

    def read(self, controls: ArrayLike) -> ChunkInputs:
        """What the next frame is made from. Changes nothing; raises as `step` does."""
        self._require_open()
        encoded = self._control.encode(controls, 1)
        pose = torch.from_numpy(np.array(self._control.latent_poses))
        return ChunkInputs(self.chunk_index, torch.empty(0), {**encoded, "pose": pose})

    def imagining(self, inputs: ChunkInputs) -> Imagining:
        """The next frame in the making, of what `read` gave; see `Scene.imagining`."""
        return self.scene.imagining(inputs.controls["pose"][0].numpy(), self.event, self.seed)

    def _new_condition(self) -> PreviousFrames:
        return PreviousFrames(1)

    def _new_scene(self) -> Scene:
        card, lens = self._model.card, self.lens
        assert lens is not None
        return Scene(self._model.config, self._model.depth, Pinhole(*lens.intrinsics, card.height, card.width))

    def _scene_state(self) -> State:
        return self.scene.state()

    def _load_scene(self, state: State) -> None:
        scene = self._new_scene()
        scene.load_state(state)
        self._scene, self.last = scene, None

    def _check_tensors(self, meta: SnapshotMeta, states: Mapping[str, State]) -> None:
        check_finite(states)
        if "lens" not in states["control"]:
            raise SnapshotError("snapshot: it has no camera; restore another")

    @torch.inference_mode()
    def _advance(self, controls: ArrayLike, real: Frames | None) -> Frames:
        started = time.perf_counter()
        inputs = self.read(controls)
        pose = inputs.controls["pose"][0].numpy()
        scene = self.scene
        outcome = scene.imagine(pose, self.event, self.seed) if real is None else scene.observe(real[0], pose)
        made = time.perf_counter()
        self.commit_outcome(inputs, outcome)
        ended = time.perf_counter()
        self.timing = StepTiming(ended - started, made - started, 0.0, ended - made)
        return outcome.frame[None]

    def commit_outcome(self, inputs: ChunkInputs, outcome: Outcome) -> None:
        """Make what `imagining` has come to the past."""
        self._control.commit(dict(inputs.controls))
        self.scene.commit(outcome)
        self.last, shares = outcome, outcome.shares
        self.view = FrameView(shares.seen, shares.painted, shares.unknown, outcome.blocked)
        self.chunk_index += 1
        self.frame_index += 1
