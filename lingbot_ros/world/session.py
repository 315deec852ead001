"""One imagined world being lived in: its caches, its clock, its past."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from lingbot_ros.control.actions import ActionControl
from lingbot_ros.control.camera import CameraControl, Lens
from lingbot_ros.control.poses import Poses
from lingbot_ros.errors import ErrorCode, InputError, SessionError, SnapshotError
from lingbot_ros.model.autoencoder import EncoderState, Frames, PixelAutoencoder
from lingbot_ros.model.condition import Condition, PreviousFrames
from lingbot_ros.model.noise import chunk_noise
from lingbot_ros.model.observation import Observation
from lingbot_ros.sendable import PROMPT_BYTES, require_text
from lingbot_ros.world.assembly import Control, new_condition
from lingbot_ros.world.branch import Branch, ChunkInputs, guided_prediction
from lingbot_ros.world.frame_view import FrameView
from lingbot_ros.world.loaded_model import LoadedModel
from lingbot_ros.world.parts import Decoding, FinishedChunk, State, require_same_parts, session_parts
from lingbot_ros.world.pose_memory import PoseMemory
from lingbot_ros.world.recent import RecentChunks
from lingbot_ros.world.snapshot import Snapshot, SnapshotMeta, require_same_world
from lingbot_ros.world.snapshot_check import check_meta, check_tensors


@dataclass(frozen=True)
class StepTiming:
    """Where the last chunk's time went, in seconds of a steady clock."""

    total_s: float = 0.0
    denoise_s: float = 0.0
    commit_s: float = 0.0
    decode_s: float = 0.0


class SessionRegistry(Protocol):
    """Who knows all sessions of a model by id; a `World`."""

    def new_session(self, session_id: str | None, parent_id: str, seed: int, lens: Lens | None = None) -> "Session":
        """An empty session, registered; raises SessionError if the id is taken."""

    def forget(self, session: "Session") -> None:
        """Called by a session that closes."""


class Session:
    """Made by `World.start`, `fork` or `World.restore`; used by one thread at a time.

    Frame k = 1, 2, ... depicts k / fps seconds after the seed image. The same seed, controls and engine give the same
    frames, whether stepped straight, forked or restored. A step that raises leaves the session as it was.
    """

    def __init__(
        self,
        model: LoadedModel,
        registry: SessionRegistry,
        session_id: str,
        parent_id: str,
        seed: int,
        control: Control,
        networks: Sequence[list[Branch]] | None = None,
    ) -> None:
        """Allocates the session's tensors, unless it is given branches per network; the registry fills them."""
        self.id, self.parent_id, self.seed = session_id, parent_id, seed
        self.chunk_index = 0
        self.frame_index = 0
        self.timing = StepTiming()
        self.view: FrameView | None = None
        """What the last frame shows; None for models that cannot tell, and before the first frame."""
        self._model, self._registry = model, registry
        self._open, self._empty = True, True
        self._real_frame = 0
        self._prompt = ""
        self._text_read: dict[int, str] = {}  # by network, the prompt whose keys and values its branches hold
        self._past_is_of_prompt = True  # whether the attention window was computed under it
        self._networks = networks or [model.new_branches(network) for network in model.networks]
        self._branches = [branch for branches in self._networks for branch in branches]
        caches = [branch.cache for branch in self._branches]
        self._recent = RecentChunks(model.ring) if model.options.prompt_policy == "recompute" else None
        self._memory: PoseMemory | None = None
        if model.memory is not None and isinstance(control, CameraControl):
            self._memory = PoseMemory(model.memory, control, caches)
        self._control = control
        self._condition = self._new_condition()
        self._observation = Observation(model.autoencoder)
        self._decoding = Decoding(model.decoder)
        self._parts = session_parts(
            model.device,
            caches,
            self._condition,
            self._control,
            self._decoding,
            self._observation,
            self._recent,
            self._memory,
        )

    def _new_condition(self) -> Condition:
        return new_condition(self._model.card, self._model.autoencoder)

    @property
    def frames_in_next_chunk(self) -> int:
        """How many frames the next step makes, and how many controls it takes."""
        return self._model.autoencoder.frames_of_chunk(self._model.card.stream.chunk, self.chunk_index)

    @property
    def frames_since_real(self) -> int:
        """How many frames were imagined since the last real one; 0 at the start and after `observe`."""
        return self.frame_index - self._real_frame

    @property
    def trust(self) -> float:
        """How far the last frame can be believed, 0..1, as `WorldInfo.trust_definition` says; NaN: not estimated."""
        return math.nan

    @property
    def time_s(self) -> float:
        """Imagined seconds since the seed image."""
        return self.frame_index / self._model.card.fps

    @property
    def lens(self) -> Lens | None:
        """The camera of the session's frames and its translation scale; None for models without one."""
        return self._control.lens if isinstance(self._control, CameraControl) else None

    @property
    def camera_pose(self) -> Poses | None:
        """Camera-to-world [4, 4] of the last frame; None before the first chunk and for models without a camera."""
        return self._control.pose if isinstance(self._control, CameraControl) else None

    @property
    def recalled_frames(self) -> int:
        """How many latent frames the pose memory showed to the last chunk."""
        return 0 if self._memory is None else len(self._memory.shown)

    @property
    def mask(self) -> NDArray[np.uint8] | None:
        """Of the last frame [H, W]: 255 seen, 127 painted, 0 unknown; None for models that cannot tell (`view`)."""
        return None

    @property
    def prompt(self) -> str:
        """The text in force from the next chunk on."""
        return self._prompt

    @prompt.setter
    def prompt(self, text: str) -> None:
        self._require_open()
        require_text("prompt", text, PROMPT_BYTES)  # another could not be restored from a snapshot
        if text and not self._model.card.takes_text:
            raise InputError("prompt", repr(text), f"{self._model.card.name} takes no text; leave the prompt empty")
        if text != self._prompt:
            self._prompt = text
            self._past_is_of_prompt = self.chunk_index == 0

    @property
    def last_action(self) -> NDArray[np.float64] | None:
        """Action [dim] of the last frame; None before the first chunk and for models without actions."""
        return self._control.last if isinstance(self._control, ActionControl) else None

    def begin(self, image: Tensor) -> None:
        """Start from a seed image, [1, 3, 1, H, W] in -1..1, of the model's own size. Called once, by `World.start`."""
        self._condition.start(image)
        self._empty = False

    def step(self, controls: ArrayLike) -> Frames:
        """Imagine one chunk: controls [frames_in_next_chunk, dim] -> frames uint8 [n, H, W, 3] RGB.

        Raises InputError for controls of the wrong shape, out of range or not finite, and SessionError once closed.
        """
        return self._advance(controls, None)

    def observe(self, frames: Frames, controls: ArrayLike) -> None:
        """Live one chunk that really happened, instead of imagining it; what follows is imagined from it.

        frames uint8 [frames_in_next_chunk, H, W, 3] and the controls that led to them. What a video autoencoder makes
        of them is told in `model.observation`. Raises as `step` does, and InputError for frames of the wrong shape.
        """
        expected = (self.frames_in_next_chunk, self._model.card.height, self._model.card.width, 3)
        if frames.shape != expected or frames.dtype != np.uint8:
            raise InputError("frames", f"{list(frames.shape)} {frames.dtype}", f"give uint8 {list(expected)}")
        self._advance(controls, frames)
        self._real_frame = self.frame_index

    def last_frame(self) -> Frames:
        """The last frame once more, uint8 [H, W, 3] RGB. Raises SessionError (UNSUPPORTED) where none is kept."""
        self._require_open()
        autoencoder, kept = self._model.autoencoder, self._condition
        if not isinstance(kept, PreviousFrames) or not isinstance(autoencoder, PixelAutoencoder):
            raise SessionError(
                f"session: {self._model.card.name} keeps no frames; take them as they come", ErrorCode.UNSUPPORTED
            )
        return autoencoder.decode(kept.chunk()[:, :3], autoencoder.start())[0][0]

    def fork(self, session_id: str | None = None) -> "Session":
        """A second session with the same past; the two share nothing that changes."""
        self._require_open()
        other = self._registry.new_session(session_id, parent_id=self.id, seed=self.seed)
        try:
            other.become(self)
        except BaseException:
            other.close()
            raise
        return other

    def become(self, other: "Session") -> None:
        """Take over the past of another session of the same world."""
        self._load(other._meta(), other._states())

    def snapshot(self, outside: Mapping[str, Any] | None = None) -> Snapshot:
        """The whole state as a value. `outside` travels with it: what its holder knows, in JSON's types."""
        self._require_open()
        tensors = {
            f"{part}.{name}": tensor.to("cpu", copy=True)
            for part, state in self._states().items()
            for name, tensor in state.items()
        }
        return Snapshot(replace(self._meta(), outside=dict(outside or {})), tensors)

    def restore(self, snapshot: Snapshot) -> None:
        """Go (back) to a snapshot of the same model; raises SnapshotError if it is of another, changing nothing.

        Also if the world keeps other parts of a past (another `prompt_policy`, `memory`, window or guidance), and for a
        file whose checksum is right and whose content cannot be.
        """
        self._require_open()
        meta, states = snapshot.meta, snapshot.states()
        require_same_world(self._meta(), meta)
        require_same_parts(self._parts, states)
        if self._memory is not None:
            self._memory.require_same_options(states["memory"])
        chunk, frames_of_chunk = self._model.card.stream.chunk, self._model.autoencoder.frames_of_chunk
        first, later = (frames_of_chunk(chunk, index) for index in (0, 1))
        check_meta(meta, first, later, takes_text=self._model.card.takes_text)
        self._check_tensors(meta, states)
        before = None if self._empty else (self._meta(), self._states())
        try:
            self._load(meta, states)
        except (InputError, KeyError, ValueError, TypeError, RuntimeError) as error:
            if before is not None:
                self._load(*before)
            raise SnapshotError(f"snapshot: it cannot be read ({error}); restore another") from error

    def _check_tensors(self, meta: SnapshotMeta, states: Mapping[str, State]) -> None:
        """Raise SnapshotError for tensors that no session of this model can have."""
        caches, condition = [branch.cache for branch in self._branches], self._branches[0].tensors["condition"]
        check_tensors(meta, states, caches, condition, self._model.card.stream.chunk)

    def close(self) -> None:
        """Free the session's memory. Closing twice is closing once."""
        if self._open:
            self._open = False
            for branch in self._branches:
                branch.close()
            self._registry.forget(self)

    def _advance(self, controls: ArrayLike, real: Frames | None) -> Frames:
        started = time.perf_counter()
        inputs = self.read(controls)
        sampler = self._model.sampler
        seen: EncoderState | None = None
        try:
            recalled = 0 if self._memory is None else self._memory.recall()
            for index in reversed(range(len(self._networks))):  # the first is awake when sampling begins with it
                self._begin(index, inputs, recalled)
            self._past_is_of_prompt = True
            if real is None:
                latents = sampler.sample(self._predict, self.noise)
            else:
                latents, seen = self._observation.encode(real)
                if not sampler.config.commit:
                    self._predict(sampler.initial(self.noise), sampler.config.timesteps[-1])
            denoised = time.perf_counter()
            if sampler.config.commit:
                for index, branches in enumerate(self._networks):
                    self._model.experts.load(index)
                    for branch in branches:
                        branch.predict(latents, 0.0)
            committed = time.perf_counter()
            frames = self._decoding.decode(latents)
            if self._memory is not None:
                self._memory.remember()
        except BaseException:
            self.roll_back()
            raise
        self.commit(FinishedChunk(inputs, latents, frames if real is None else real, seen))
        ended = time.perf_counter()
        self.timing = StepTiming(ended - started, denoised - started, committed - denoised, ended - committed)
        return frames

    def read(self, controls: ArrayLike) -> ChunkInputs:
        """What the next chunk is made from. Changes nothing; raises as `step` does."""
        self._require_open()
        encoded = self._control.encode(controls, self.frames_in_next_chunk)
        return ChunkInputs(self.chunk_index, self._condition.chunk(), encoded)

    def roll_back(self) -> None:
        """Undo what a chunk that did not come to its end has done."""
        for part in self._parts.values():
            part.rollback()

    def commit(self, chunk: FinishedChunk) -> None:
        """Make a chunk, whose keys and values are in the caches, the past."""
        count = self.frames_in_next_chunk
        for part in self._parts.values():
            part.commit(chunk)
        self.chunk_index += 1
        self.frame_index += count

    def _begin(self, index: int, inputs: ChunkInputs, recalled: int) -> None:
        """Make one network ready for the next chunk: its text, its past under that text, its inputs and slots."""
        self._model.experts.load(index)
        branches = self._networks[index]
        if self._text_read.get(index) != self._prompt:
            self._text_read.pop(index, None)
            self._model.read_prompt(self._prompt, branches)
            self._text_read[index] = self._prompt
        if not self._past_is_of_prompt and self._recent is not None:
            self._recent.replay(branches)
        slots = [branch.cache.begin() for branch in branches]
        branches[0].place(inputs, slots[0], recalled)  # the others' inputs are those of the first

    def _predict(self, latent: Tensor | None, timestep: float) -> Tensor:
        index = self._model.expert(timestep)
        self._model.experts.load(index)
        branches = self._networks[index]
        return guided_prediction(branches, latent, timestep, self._model.guidance(index))

    def _states(self) -> dict[str, State]:
        return {name: part.state() for name, part in self._parts.items()}

    def _load(self, meta: SnapshotMeta, states: Mapping[str, State]) -> None:
        """Take over the past of a session of the same parts."""
        # Caches come first and are loaded last: their state are views, which must be whole if another part is refused.
        for name, part in reversed(self._parts.items()):
            part.load(states[name])
        self.seed, self._prompt, self._past_is_of_prompt = meta.seed, meta.prompt, meta.past_is_of_prompt
        self.chunk_index, self.frame_index, self._real_frame = meta.chunk_index, meta.frame_index, meta.real_frame
        self._empty = False

    def noise(self, draw: int) -> Tensor:
        """The next chunk's noise, [1, C, c, h, w]."""
        if self._model.noise is not None:
            return self._model.noise.draw(self.chunk_index, draw).to(self._model.device)
        shape = tuple(self._branches[0].tensors["latent"].shape)
        return chunk_noise(self.seed, self.chunk_index, draw, shape).to(self._model.device)

    def _meta(self) -> SnapshotMeta:
        card, engine = self._model.card, self._model.info.engine
        return SnapshotMeta(
            model=card.name,
            weights=self._model.weights_digest,
            engine=engine.engine,
            precision=engine.precision,
            height=card.height,
            width=card.width,
            window=card.stream.window,
            sink=card.stream.sink,
            session_id=self.id,
            parent_id=self.parent_id,
            seed=self.seed,
            prompt=self._prompt,
            past_is_of_prompt=self._past_is_of_prompt,
            chunk_index=self.chunk_index,
            frame_index=self.frame_index,
            real_frame=self._real_frame,
            parts=list(self._parts),
        )

    def _require_open(self) -> None:
        if not self._open:
            raise SessionError(f"session: {self.id!r} is closed; start, fork or restore one", ErrorCode.SESSION_CLOSED)
