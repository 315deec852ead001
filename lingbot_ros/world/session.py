"""One imagined world being lived in: its caches, its clock, its past."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from lingbot_ros.control.actions import ActionControl
from lingbot_ros.control.camera import CameraControl, Lens
from lingbot_ros.control.poses import Poses
from lingbot_ros.errors import ErrorCode, InputError, SessionError, SnapshotError
from lingbot_ros.model.autoencoder import DecoderState, Frames
from lingbot_ros.model.noise import chunk_noise
from lingbot_ros.world.assembly import Control, new_condition
from lingbot_ros.world.branch import ChunkInputs, guided_prediction
from lingbot_ros.world.recent import RecentChunk, RecentChunks
from lingbot_ros.world.snapshot import Snapshot, SnapshotMeta

if TYPE_CHECKING:
    from lingbot_ros.world.world import World


@dataclass(frozen=True)
class StepTiming:
    """Where the last chunk's time went, in seconds of a steady clock."""

    total_s: float = 0.0
    denoise_s: float = 0.0
    commit_s: float = 0.0
    decode_s: float = 0.0


class Session:
    """Made by `World.start`, `fork` or `World.restore`; used by one thread at a time.

    Frame k = 1, 2, ... depicts k / fps seconds after the seed image. The same seed, controls and engine give the same
    frames, whether stepped straight, forked or restored. A step that raises leaves the session as it was.
    """

    def __init__(self, world: "World", session_id: str, parent_id: str, seed: int, control: Control) -> None:
        """Allocates the session's tensors; `World` fills them."""
        self.id, self.parent_id, self.seed = session_id, parent_id, seed
        self.chunk_index = 0
        self.frame_index = 0
        self.timing = StepTiming()
        self._world = world
        self._open = True
        self._prompt = ""
        self._text_read: str | None = None  # the prompt whose keys and values the branches hold
        self._past_is_of_prompt = True  # whether the attention window was computed under it
        self._networks = [world.new_branches(network) for network in world.networks]
        self._branches = [branch for branches in self._networks for branch in branches]
        self._recent = RecentChunks(world.ring) if world.prompt_policy == "recompute" else None
        self._control = control
        self._condition = new_condition(world.card, world.autoencoder)
        self._decoder: DecoderState = world.autoencoder.start()

    @property
    def frames_in_next_chunk(self) -> int:
        """How many frames the next step makes, and how many controls it takes."""
        return self._world.autoencoder.frames_of_chunk(self._world.card.stream.chunk, self.chunk_index)

    @property
    def time_s(self) -> float:
        """Imagined seconds since the seed image."""
        return self.frame_index / self._world.card.fps

    @property
    def lens(self) -> Lens | None:
        """The camera of the session's frames and its translation scale; None for models without one."""
        return self._control.lens if isinstance(self._control, CameraControl) else None

    @property
    def camera_pose(self) -> Poses | None:
        """Camera-to-world [4, 4] of the last frame; None before the first chunk and for models without a camera."""
        return self._control.pose if isinstance(self._control, CameraControl) else None

    @property
    def prompt(self) -> str:
        """The text in force from the next chunk on."""
        return self._prompt

    @prompt.setter
    def prompt(self, text: str) -> None:
        self._require_open()
        if text and self._world.card.architecture.text is None:
            raise InputError("prompt", repr(text), f"{self._world.card.name} takes no text; leave the prompt empty")
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

    def step(self, controls: ArrayLike) -> Frames:
        """Imagine one chunk: controls [frames_in_next_chunk, dim] -> frames uint8 [n, H, W, 3] RGB.

        Raises InputError for controls of the wrong shape, out of range or not finite, and SessionError once closed.
        """
        return self._advance(controls, None)

    def observe(self, frames: Frames, controls: ArrayLike) -> None:
        """Live one chunk that really happened, instead of imagining it; what follows is imagined from it.

        frames uint8 [frames_in_next_chunk, H, W, 3] and the controls that led to them. Raises as `step` does, and
        InputError for frames of the wrong shape.
        """
        expected = (self.frames_in_next_chunk, self._world.card.height, self._world.card.width, 3)
        if frames.shape != expected or frames.dtype != np.uint8:
            raise InputError("frames", f"{list(frames.shape)} {frames.dtype}", f"give uint8 {list(expected)}")
        self._advance(controls, frames)

    def fork(self, session_id: str | None = None) -> "Session":
        """A second session with the same past; the two share nothing that changes."""
        self._require_open()
        other = self._world.new_session(session_id, parent_id=self.id, seed=self.seed)
        for mine, theirs in zip(other._branches, self._branches, strict=True):
            mine.cache.copy_from(theirs.cache)
        for part, state in self._parts().items():
            other._load_part(part, state)
        other._prompt, other._past_is_of_prompt = self._prompt, self._past_is_of_prompt
        other.chunk_index, other.frame_index = self.chunk_index, self.frame_index
        return other

    def snapshot(self, outside: Mapping[str, Any] | None = None) -> Snapshot:
        """The whole state as a value. `outside` travels with it: what its holder knows, in JSON's types."""
        self._require_open()
        tensors = {
            f"cache{index or ''}.{name}": tensor
            for index, branch in enumerate(self._branches)
            for name, tensor in branch.cache.state().items()
        }
        for part, state in self._parts().items():
            tensors |= {f"{part}.{name}": tensor.to("cpu", copy=True) for name, tensor in state.items()}
        return Snapshot(replace(self._meta(), outside=dict(outside or {})), tensors)

    def restore(self, snapshot: Snapshot) -> None:
        """Go (back) to a snapshot of the same model; raises SnapshotError if it is of another, changing nothing."""
        self._require_open()
        mine, theirs = self._meta(), snapshot.meta
        for name in ("model", "weights", "precision"):
            if getattr(mine, name) != getattr(theirs, name):
                raise SnapshotError(
                    f"snapshot: its {name} is {getattr(theirs, name)!r}, this world's is {getattr(mine, name)!r}; "
                    "restore it into the world that it was taken from"
                )
        parts: dict[str, dict[str, Tensor]] = {}
        for key, tensor in snapshot.tensors.items():
            part, name = key.split(".", 1)
            parts.setdefault(part, {})[name] = tensor
        for index, branch in enumerate(self._branches):
            branch.cache.load_state(parts.get(f"cache{index or ''}", {}), theirs.chunk_index)
        for part in ("condition", "control", "decoder", "recent"):
            self._load_part(part, {name: t.to(self._world.device) for name, t in parts.get(part, {}).items()})
        self.seed, self._prompt, self._past_is_of_prompt = theirs.seed, theirs.prompt, theirs.past_is_of_prompt
        self.chunk_index, self.frame_index = theirs.chunk_index, theirs.frame_index

    def close(self) -> None:
        """Free the session's memory. Closing twice is closing once."""
        if self._open:
            self._open = False
            for branch in self._branches:
                branch.close()
            self._world.forget(self)

    def _advance(self, controls: ArrayLike, real: Frames | None) -> Frames:
        self._require_open()
        started = time.perf_counter()
        count = self.frames_in_next_chunk
        encoded = self._control.encode(controls, count)
        sampler = self._world.sampler
        self._read_prompt()
        inputs = ChunkInputs(self.chunk_index, self._condition.chunk(), encoded)
        try:
            for first, *others in self._networks:
                first.begin(inputs)
                for other in others:  # its inputs are those of the first
                    other.cache.begin()
            if real is None:
                latents = sampler.sample(self._predict, self._noise)
            else:
                latents = self._world.autoencoder.encode(real)
                if not sampler.config.commit:
                    self._predict(self._noise(0), sampler.config.timesteps[-1])
            denoised = time.perf_counter()
            if sampler.config.commit:
                for branch in self._branches:
                    branch.predict(latents, 0.0)
            committed = time.perf_counter()
            frames, decoder = self._world.autoencoder.decode(latents, self._decoder)
        except BaseException:
            for branch in self._branches:
                branch.cache.rollback()
            raise
        for branch in self._branches:
            branch.cache.commit()
        self._control.commit(encoded)
        self._condition.commit(latents)
        self._decoder = decoder
        if self._recent is not None:
            self._recent.add(RecentChunk(inputs, latents))
        self.chunk_index += 1
        self.frame_index += count
        ended = time.perf_counter()
        self.timing = StepTiming(ended - started, denoised - started, committed - denoised, ended - committed)
        return frames

    def _read_prompt(self) -> None:
        """Give the network the prompt in force, and by policy the past under it. Repeated until it succeeds."""
        if self._text_read != self._prompt:
            self._text_read = None
            self._world.read_prompt(self._prompt, self._networks)
            self._text_read = self._prompt
        if not self._past_is_of_prompt and self._recent is not None:
            for branches in self._networks:
                self._recent.replay(branches)
        self._past_is_of_prompt = True

    def _predict(self, latent: Tensor, timestep: float) -> Tensor:
        branches = self._networks[self._world.expert(timestep)]
        return guided_prediction(branches, latent, timestep, self._world.guidance)

    def _parts(self) -> dict[str, dict[str, Tensor]]:
        """What a copy of this session needs beside its caches and numbers, by part and name."""
        parts = {"condition": self._condition.state(), "control": self._control.state(), "decoder": self._decoder}
        return parts if self._recent is None else parts | {"recent": self._recent.state()}

    def _load_part(self, part: str, state: dict[str, Tensor]) -> None:
        if part == "decoder":
            self._decoder = state
        elif part == "recent" and self._recent is not None:
            self._recent.load_state(state)
        elif part == "control":
            self._control.load_state(state)
        elif part == "condition":
            self._condition.load_state(state)

    def _noise(self, draw: int) -> Tensor:
        shape = tuple(self._branches[0].tensors["latent"].shape)
        return chunk_noise(self.seed, self.chunk_index, draw, shape).to(self._world.device)

    def _meta(self) -> SnapshotMeta:
        card, info = self._world.card, self._world.info
        return SnapshotMeta(
            model=card.name,
            weights=self._world.files.digest,
            precision=info.engine.precision,
            session_id=self.id,
            parent_id=self.parent_id,
            seed=self.seed,
            prompt=self._prompt,
            past_is_of_prompt=self._past_is_of_prompt,
            chunk_index=self.chunk_index,
            frame_index=self.frame_index,
        )

    def _require_open(self) -> None:
        if not self._open:
            raise SessionError(f"session: {self.id!r} is closed; start, fork or restore one", ErrorCode.SESSION_CLOSED)
