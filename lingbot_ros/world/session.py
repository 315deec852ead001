"""One imagined world being lived in: its caches, its clock, its past."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from lingbot_ros.errors import ErrorCode, InputError, SessionError, SnapshotError
from lingbot_ros.model.autoencoder import DecoderState, Frames
from lingbot_ros.model.cache import KVCache
from lingbot_ros.model.noise import chunk_noise
from lingbot_ros.model.rope import rope_tables
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

    def __init__(self, world: "World", session_id: str, parent_id: str, seed: int) -> None:
        """Allocates the session's tensors; `World` fills them."""
        self.id, self.parent_id, self.seed = session_id, parent_id, seed
        self.chunk_index = 0
        self.frame_index = 0
        self.timing = StepTiming()
        self._world = world
        self._open = True
        self._prompt = ""
        self._tensors = world.allocate()
        layers = range(world.card.architecture.num_layers)
        self._cache = KVCache(
            [self._tensors[f"k_cache_{i}"] for i in layers],
            [self._tensors[f"v_cache_{i}"] for i in layers],
            world.ring,
            world.shape.tokens_per_frame,
        )
        self._control = world.new_control()
        self._condition = world.new_condition()
        self._contexts = {name: program.context(self._tensors) for name, program in world.programs.items()}
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
    def prompt(self) -> str:
        """The text in force from the next chunk on."""
        return self._prompt

    @prompt.setter
    def prompt(self, text: str) -> None:
        self._require_open()
        if text and self._world.card.architecture.text is None:
            raise InputError("prompt", repr(text), f"{self._world.card.name} takes no text; leave the prompt empty")
        self._prompt = text

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
        other._cache.copy_from(self._cache)
        other._condition.load_state(self._condition.state())
        other._control.load_state(self._control.state())
        other._decoder = self._decoder
        other._prompt = self._prompt
        other.chunk_index, other.frame_index = self.chunk_index, self.frame_index
        return other

    def snapshot(self) -> Snapshot:
        """The whole state as a value."""
        self._require_open()
        tensors = {f"cache.{name}": tensor for name, tensor in self._cache.state().items()}
        for part, state in (
            ("condition", self._condition.state()),
            ("control", self._control.state()),
            ("decoder", self._decoder),
        ):
            tensors |= {f"{part}.{name}": tensor.to("cpu", copy=True) for name, tensor in state.items()}
        return Snapshot(self._meta(), tensors)

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
        parts: dict[str, dict[str, Tensor]] = {"cache": {}, "condition": {}, "control": {}, "decoder": {}}
        for key, tensor in snapshot.tensors.items():
            part, name = key.split(".", 1)
            parts[part][name] = tensor
        self._cache.load_state(parts["cache"], theirs.chunk_index)
        self._condition.load_state(parts["condition"])
        self._control.load_state(parts["control"])
        self._decoder = {name: tensor.to(self._world.device) for name, tensor in parts["decoder"].items()}
        self.seed, self._prompt = theirs.seed, theirs.prompt
        self.chunk_index, self.frame_index = theirs.chunk_index, theirs.frame_index

    def close(self) -> None:
        """Free the session's memory. Closing twice is closing once."""
        if self._open:
            self._open = False
            self._tensors.clear()
            self._contexts.clear()
            self._world.forget(self)

    def _advance(self, controls: ArrayLike, real: Frames | None) -> Frames:
        self._require_open()
        started = time.perf_counter()
        count = self.frames_in_next_chunk
        encoded = self._control.encode(controls, count)
        try:
            self._prepare(encoded)
            sampler, config = self._world.sampler, self._world.card.sampler
            if real is None:
                latents = sampler.sample(self._predict, self._noise)
            else:
                latents = self._world.autoencoder.encode(real)
                if not config.commit:
                    self._predict(self._noise(0), config.timesteps[-1])
            denoised = time.perf_counter()
            if config.commit:
                self._predict(latents, 0.0)
            committed = time.perf_counter()
            frames, decoder = self._world.autoencoder.decode(latents, self._decoder)
        except BaseException:
            self._cache.rollback()
            raise
        self._cache.commit()
        self._control.commit(encoded)
        self._condition.commit(latents)
        self._decoder = decoder
        self.chunk_index += 1
        self.frame_index += count
        ended = time.perf_counter()
        self.timing = StepTiming(ended - started, denoised - started, committed - denoised, ended - committed)
        return frames

    def _prepare(self, encoded: dict[str, Tensor]) -> None:
        """Fill every input that stays the same for all forwards of the chunk."""
        tensors, shape = self._tensors, self._world.shape
        slot = self._cache.begin()
        tensors["write_index"].fill_(slot.write * shape.tokens_per_frame)
        tensors["kv_len"].fill_(slot.length * shape.tokens_per_frame)
        first = self.chunk_index * shape.stream.chunk
        positions = torch.arange(first, first + shape.stream.chunk)
        cos, sin = rope_tables(positions, shape.rows, shape.columns, shape.transformer.head_dim)
        tensors["cos"].copy_(cos)
        tensors["sin"].copy_(sin)
        tensors["condition"].copy_(self._condition.chunk())
        for name, tensor in encoded.items():
            tensors[name].copy_(tensor)
        self._contexts["control"].run()

    def _predict(self, latent: Tensor, timestep: float) -> Tensor:
        self._tensors["latent"].copy_(latent)
        self._tensors["timestep"].fill_(timestep)
        self._contexts["step"].run()
        return self._tensors["prediction"].clone()

    def _noise(self, draw: int) -> Tensor:
        shape = tuple(self._tensors["latent"].shape)
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
            chunk_index=self.chunk_index,
            frame_index=self.frame_index,
        )

    def _require_open(self) -> None:
        if not self._open:
            raise SessionError(f"session: {self.id!r} is closed; start, fork or restore one", ErrorCode.SESSION_CLOSED)
