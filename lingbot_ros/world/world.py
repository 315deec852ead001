"""A loaded world model: weights once, any number of sessions."""

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import ArrayLike

from lingbot_ros.checkpoints.cards import ControlSpec, ModelCard, find_card
from lingbot_ros.control.camera import UNIT_STEP, Lens
from lingbot_ros.control.rays import check_intrinsics, default_intrinsics, stretch_intrinsics
from lingbot_ros.engine.interface import EngineOptions, ProgramInfo
from lingbot_ros.engine.torch_engine import PRECISIONS, TorchEngine, resolve_device
from lingbot_ros.errors import EngineError, InputError, SessionError
from lingbot_ros.model.autoencoder import Frames, check_image, resize_image, state_bytes
from lingbot_ros.model.ring import Ring
from lingbot_ros.model.sampler import SamplerConfig
from lingbot_ros.model.unipc import UniPCConfig
from lingbot_ros.world import assembly
from lingbot_ros.world.branch import Branch
from lingbot_ros.world.experts import Experts
from lingbot_ros.world.memory_plan import Choices, frame_bytes
from lingbot_ros.world.network import Network
from lingbot_ros.world.pose_memory import MemoryOptions
from lingbot_ros.world.readiness import require_ready
from lingbot_ros.world.session import Session
from lingbot_ros.world.snapshot import Snapshot

ENGINES = ("auto", "torch")

PromptPolicy = Literal["keep", "recompute"]
"""When a session's prompt changes: keep what it remembers, which changes gradually, or read its window again under the
new prompt, which changes at once and costs one forward per chunk of the window (spec 5.4)."""


@dataclass(frozen=True)
class WorldInfo:
    """What a world takes, gives and needs. Sizes in pixels, memory in bytes, `max_horizon` in frames or None."""

    name: str
    family: str
    licence: str
    control: ControlSpec
    height: int
    width: int
    fps: float
    frames_per_chunk: int
    first_chunk_frames: int
    max_horizon: int | None
    engine: ProgramInfo
    parameters: int
    weights_bytes: int
    session_bytes: int


class World:
    """`World.load(name)`, then `start`. One thread owns a world and all its sessions."""

    def __init__(
        self,
        card: ModelCard,
        options: EngineOptions,
        prompt_policy: PromptPolicy = "keep",
        text_device: str = "cpu",
        memory: MemoryOptions | None = None,
        light_decoder: Path | None = None,
        offload_expert: bool = False,
    ) -> None:
        """Reads the weights; prefer `World.load`. Raises ModelError or EngineError."""
        self.files = card.files()
        engine = TorchEngine(options)
        self.card, self.device, self.prompt_policy = card, options.device, prompt_policy
        self.memory = memory
        self.ring = Ring(card.stream.chunk, card.stream.window, card.stream.sink)
        shape = assembly.graph_shape(card, PRECISIONS[options.precision])
        checkpoints = [self.files.transformer, *([self.files.low_noise] if self.files.low_noise else [])]
        if offload_expert and len(checkpoints) == 1:
            raise InputError("offload_expert", offload_expert, f"{card.name} has a single network; leave it out")
        self.sampler = assembly.new_sampler(card)
        self.autoencoder = assembly.load_autoencoder(card, self.files, options.device)
        self.decoder, decoder_digest = assembly.choose_decoder(self.autoencoder, light_decoder, options.device)
        self.weights_digest = self.files.digest + decoder_digest
        self.networks = [
            Network(files, shape, engine, options.device, waits=offload_expert and index > 0)
            for index, files in enumerate(checkpoints)
        ]
        self.experts = Experts(self.networks, options.device, offload_expert)
        text_dtype = PRECISIONS["f32" if options.precision == "f32" else "bf16"]
        self._text = assembly.load_text(card, self.files, text_device, text_dtype)
        self.sessions: dict[str, Session] = {}
        self.info = WorldInfo(
            name=card.name,
            family=card.family,
            licence=card.licence,
            control=card.control,
            height=card.height,
            width=card.width,
            fps=card.fps,
            frames_per_chunk=self.autoencoder.frames_of_chunk(card.stream.chunk, 1),
            first_chunk_frames=self.autoencoder.frames_of_chunk(card.stream.chunk, 0),
            max_horizon=card.max_horizon,
            engine=engine.info,
            parameters=sum(network.parameters for network in self.networks),
            weights_bytes=sum(network.weights_bytes for network in self.networks),
            session_bytes=self._session_bytes(),
        )

    @classmethod
    def load(
        cls,
        name: str | Path,
        *,
        engine: str = "auto",
        device: str = "auto",
        precision: str = "auto",
        threads: int = 0,
        size: tuple[int, int] | None = None,
        one_step: bool = False,
        prompt_policy: PromptPolicy = "keep",
        text_device: str = "cpu",
        memory: MemoryOptions | None = None,
        light_decoder: str | Path | None = None,
        offload_expert: bool = False,
    ) -> "World":
        """Load a shipped model by name, a downloaded one, or any folder with a card.yaml.

        `engine` auto or torch; `device` auto, cpu, cuda or cuda:N; `precision` auto, f32, bf16, f16, or int8 or fp8 for
        the weights and bf16 for the rest (auto: f32 on the CPU, bf16 on a GPU); `threads` CPU threads, 0 decides by the
        machine. For models of the released family: `size` height and width of the frames in pixels instead of the
        card's; `one_step` generates with the first sampling step alone, faster and less true; `prompt_policy` see
        PromptPolicy; `text_device` where the text encoder lives; `memory` shows the model what it
        made of a place when the camera comes back, see `world.pose_memory`; `light_decoder` a file of a small decoder
        that makes the frames, much faster and softer, see `model.light_decoder`; `offload_expert` keeps that of two
        experts in main memory which is not in use. Raises ModelError (unknown name,
        damaged or missing weights), ResourceError (too little memory), EngineError (engine or device not usable here)
        or InputError.
        """
        if engine not in ENGINES:
            raise EngineError(f"engine: got {engine!r}; this version has {', '.join(ENGINES)}")
        if threads < 0:
            raise InputError("threads", threads, "give 0 (decide by the machine) or a positive number")
        if prompt_policy not in get_args(PromptPolicy):
            raise InputError("prompt_policy", repr(prompt_policy), f"use one of {', '.join(get_args(PromptPolicy))}")
        device, precision = resolve_device(device, precision)
        light = None if light_decoder is None else Path(light_decoder).expanduser()
        card = assembly.with_memory(_adapted(find_card(name), size, one_step), memory)
        if memory is None and card.stream.memory:
            memory = MemoryOptions(card.stream.memory)
        choices = Choices(text_device, memory.bank if memory else 0, offload_expert, light is not None)
        if plan := require_ready(card, precision, device, choices):
            logging.getLogger(__name__).info("%s", plan.text())
        options = EngineOptions(device, precision, threads)
        return cls(card, options, prompt_policy, text_device, memory, light, offload_expert)

    def start(
        self,
        image: Frames,
        *,
        prompt: str = "",
        intrinsics: ArrayLike | None = None,
        unit_step: float | None = None,
        seed: int = 0,
        session_id: str | None = None,
    ) -> Session:
        """A new session that begins at `image`, uint8 [H, W, 3] RGB; another size is resized, another aspect stretched.

        For camera models only: `intrinsics` are fx, fy, cx, cy in pixels of `image`, where the centre of the upper left
        pixel is (0.5, 0.5); `unit_step` the translation scale, see `control.camera.Lens`. `seed` is any integer of
        64 bits. Raises InputError naming what does not fit.
        """
        if not 0 <= seed < 2**64:
            raise InputError("seed", seed, "give an integer from 0 to 2^64 - 1")
        fitted = self.autoencoder.fit(check_image(image), self.card.height, self.card.width)
        lens = self._lens(np.asarray(image).shape[:2], intrinsics, unit_step)
        session = self.new_session(session_id, parent_id="", seed=seed, lens=lens)
        try:
            session.prompt = prompt
            session.begin(fitted)
        except BaseException:
            session.close()
            raise
        return session

    def restore(self, snapshot: Snapshot, session_id: str | None = None) -> Session:
        """A new session that continues a snapshot; raises SnapshotError if it belongs to another model."""
        session = self.new_session(session_id, parent_id=snapshot.meta.session_id, seed=snapshot.meta.seed)
        try:
            session.restore(snapshot)
        except BaseException:
            session.close()
            raise
        return session

    def seed_image(self) -> Frames | None:
        """The example first frame shipped beside the card, uint8 [H, W, 3] RGB, if there is one."""
        if self.card.seed_image is None:
            return None
        image = cv2.imread(str(self.card.folder / self.card.seed_image), cv2.IMREAD_COLOR)
        return None if image is None else np.ascontiguousarray(image[..., ::-1])

    def close(self) -> None:
        """Close every session."""
        for session in list(self.sessions.values()):
            session.close()

    def new_session(self, session_id: str | None, parent_id: str, seed: int, lens: Lens | None = None) -> Session:
        """An empty session for `start`, `fork` and `restore` to fill; raises SessionError if the id is taken."""
        session_id = session_id or uuid.uuid4().hex[:8]
        if session_id in self.sessions:
            raise SessionError(f"session_id: got {session_id!r}, which is in use; choose another or end that session")
        control = assembly.new_control(self.card, self.device, lens)
        session = Session(self, session_id, parent_id, seed, control)
        self.sessions[session_id] = session
        return session

    def forget(self, session: Session) -> None:
        """Called by a session that closes."""
        self.sessions.pop(session.id, None)

    def new_branches(self, network: Network) -> list[Branch]:
        """A session's branches of one network: under its prompt, and with guidance under the negative one."""
        shared = network.allocate_shared()
        return [Branch(network, self.ring, shared) for _ in range(self._branch_count)]

    def read_prompt(self, prompt: str, branches: Sequence[Branch]) -> None:
        """Give a session's branches of one network their texts; models without text have nothing to read."""
        if self._text is None:
            return
        sampler = self.card.sampler
        texts = [prompt, sampler.negative_prompt if isinstance(sampler, UniPCConfig) else ""]
        for branch, text in zip(branches, texts, strict=False):
            branch.read_text(self._text.encode(text))

    def expert(self, timestep: float) -> int:
        """Which network predicts at a diffusion time."""
        sampler = self.card.sampler
        boundary = sampler.boundary if isinstance(sampler, UniPCConfig) else None
        return int(len(self.networks) > 1 and boundary is not None and timestep < boundary)

    @property
    def guidance(self) -> float:
        """How far a prediction is pushed from that of the negative prompt; 1 is not at all."""
        return self.card.sampler.guidance if isinstance(self.card.sampler, UniPCConfig) else 1.0

    @property
    def _branch_count(self) -> int:
        return 2 if self.guidance > 1 else 1

    def _session_bytes(self) -> int:
        """What a session takes once it is full: the networks' tensors, the decoder's state, the remembered places."""
        card, networks = self.card, self.networks
        attending = sum(network.session_bytes(self._branch_count) for network in networks)
        channels = card.architecture.latent_channels
        decoding = state_bytes(self.decoder, channels, card.height, card.width)
        places = self._branch_count * self.memory.bank * frame_bytes(networks[0].shape) if self.memory else 0
        return attending + decoding + places

    def _lens(self, size: tuple[int, ...], intrinsics: ArrayLike | None, unit_step: float | None) -> Lens | None:
        if self.card.control.kind != "camera":
            for field, value in (("intrinsics", intrinsics), ("unit_step", unit_step)):
                if value is not None:
                    raise InputError(field, value, f"{self.card.name} is not driven by a camera; leave it out")
            return None
        height, width = self.card.height, self.card.width
        if intrinsics is None:
            fitted = default_intrinsics(height, width)
        else:
            fitted = stretch_intrinsics(check_intrinsics(intrinsics), (size[0], size[1]), (height, width))
        fx, fy, cx, cy = fitted.tolist()
        return Lens((fx, fy, cx, cy), UNIT_STEP if unit_step is None else unit_step)

    def fit_image(self, image: Frames) -> Frames:
        """A picture uint8 [h, w, 3] RGB stretched to the model's size. Raises InputError for other arrays."""
        return resize_image(check_image(image), self.card.height, self.card.width)


def _adapted(card: ModelCard, size: tuple[int, int] | None, one_step: bool) -> ModelCard:
    """The card with what the caller wants otherwise."""
    if size is not None:
        if card.autoencoder == "pixel":
            raise InputError("size", size, f"{card.name} knows one size, {card.height} x {card.width}; leave it out")
        card = replace(card, height=size[0], width=size[1])
        assembly.check_size(card)
    if one_step:
        if not isinstance(card.sampler, SamplerConfig):
            raise InputError("one_step", one_step, f"{card.name} was not distilled to few steps; leave it out")
        card = replace(card, sampler=card.sampler.one_step())
    return card
