"""A loaded world model: weights once, any number of sessions."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from lingbot_ros.control.actions import ActionControl
from lingbot_ros.engine.graphs import GraphShape, model_graphs
from lingbot_ros.engine.interface import EngineOptions, Program, ProgramInfo
from lingbot_ros.engine.torch_engine import PRECISIONS, TorchEngine
from lingbot_ros.errors import EngineError, InputError, SessionError
from lingbot_ros.model.autoencoder import Frames, PixelAutoencoder, check_image, resize_image
from lingbot_ros.model.cards import ControlSpec, ModelCard, find_card
from lingbot_ros.model.condition import PreviousFrames
from lingbot_ros.model.config import ActionControlConfig
from lingbot_ros.model.ring import Ring
from lingbot_ros.model.sampler import FewStepSampler
from lingbot_ros.model.weights import load_transformer
from lingbot_ros.world.session import Session
from lingbot_ros.world.snapshot import Snapshot

ENGINES = ("auto", "torch")


@dataclass(frozen=True)
class WorldInfo:
    """What a world takes, gives and needs. Sizes in pixels, memory in bytes, `max_horizon` in frames (None: no limit)."""

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

    def __init__(self, card: ModelCard, options: EngineOptions) -> None:
        """Reads the weights; prefer `World.load`. Raises ModelError or EngineError."""
        self.files = card.files()
        engine = TorchEngine(options)
        dtype = PRECISIONS[options.precision]
        model = load_transformer(card.architecture, self.files.transformer, dtype, options.device)
        self.card, self.device = card, options.device
        self.ring = Ring(card.stream.chunk, card.stream.window, card.stream.sink)
        self.shape = GraphShape(card.architecture, card.stream, card.height, card.width, dtype)
        self.sampler = FewStepSampler(card.sampler, card.architecture.prediction)
        self.autoencoder = PixelAutoencoder(options.device)
        self._graphs = model_graphs(self.shape, lambda: model)
        self.programs: Mapping[str, Program] = {graph.name: engine.load(graph) for graph in self._graphs}
        self.sessions: dict[str, Session] = {}
        specs = {spec.name: spec for graph in self._graphs for spec in graph.tensors}
        self._specs = specs.values()
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
            parameters=sum(parameter.numel() for parameter in model.parameters()),
            weights_bytes=sum(p.numel() * p.element_size() for p in model.parameters()),
            session_bytes=sum(_bytes(spec.shape, spec.dtype) for spec in self._specs),
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
    ) -> "World":
        """Load a shipped model by name, or any folder with a card.yaml.

        `engine` auto or torch; `device` auto, cpu, cuda or cuda:N; `precision` auto, f32, bf16 or f16 (auto: f32 on the
        CPU, bf16 on a GPU); `threads` CPU threads, 0 decides by the machine. Raises ModelError (unknown name, damaged
        weights), EngineError (engine or device not usable here) or InputError.
        """
        if engine not in ENGINES:
            raise EngineError(f"engine: got {engine!r}; this version has {', '.join(ENGINES)}")
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        if precision == "auto":
            precision = "bf16" if device.startswith("cuda") else "f32"
        if threads < 0:
            raise InputError("threads", threads, "give 0 (decide by the machine) or a positive number")
        return cls(find_card(name), EngineOptions(device, precision, threads))

    def start(
        self,
        image: Frames,
        *,
        prompt: str = "",
        intrinsics: ArrayLike | None = None,
        seed: int = 0,
        session_id: str | None = None,
    ) -> Session:
        """A new session that begins at `image`, uint8 [H, W, 3] RGB; another size is resized, another aspect stretched.

        `intrinsics` (fx, fy, cx, cy in pixels of `image`) drive camera models and must be absent for others; `seed` is
        any integer of 64 bits. Raises InputError naming what does not fit.
        """
        if intrinsics is not None and self.card.control.kind != "camera":
            raise InputError("intrinsics", intrinsics, f"{self.card.name} is not driven by a camera; leave them out")
        if not 0 <= seed < 2**64:
            raise InputError("seed", seed, "give an integer from 0 to 2^64 - 1")
        fitted = self.autoencoder.fit(check_image(image), self.card.height, self.card.width)
        session = self.new_session(session_id, parent_id="", seed=seed)
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

    def new_session(self, session_id: str | None, parent_id: str, seed: int) -> Session:
        """An empty session for `start`, `fork` and `restore` to fill; raises SessionError if the id is taken."""
        session_id = session_id or uuid.uuid4().hex[:8]
        if session_id in self.sessions:
            raise SessionError(f"session_id: got {session_id!r}, which is in use; choose another or end that session")
        session = Session(self, session_id, parent_id, seed)
        self.sessions[session_id] = session
        return session

    def forget(self, session: Session) -> None:
        """Called by a session that closes."""
        self.sessions.pop(session.id, None)

    def allocate(self) -> dict[str, Tensor]:
        """One session's tensors by name, zeroed."""
        return {spec.name: spec.allocate(self.device) for spec in self._specs}

    def new_control(self) -> ActionControl:
        control = self.card.architecture.control
        assert isinstance(control, ActionControlConfig)
        return ActionControl(self.card.control, control.history)

    def new_condition(self) -> PreviousFrames:
        architecture = self.card.architecture
        return PreviousFrames(architecture.condition_channels // architecture.latent_channels)

    def fit_image(self, image: Frames) -> Frames:
        """A picture uint8 [h, w, 3] RGB as the model sees it: stretched to its size. Raises InputError for other arrays."""
        return resize_image(check_image(image), self.card.height, self.card.width)


def _bytes(shape: tuple[int, ...], dtype: torch.dtype) -> int:
    return int(np.prod(shape)) * dtype.itemsize


