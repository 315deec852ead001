"""A loaded world model: weights once, any number of sessions."""

import uuid
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from lingbot_ros.control.camera import UNIT_STEP, Lens
from lingbot_ros.control.rays import check_intrinsics, default_intrinsics, stretch_intrinsics
from lingbot_ros.errors import InputError, SessionError
from lingbot_ros.home import expanded
from lingbot_ros.input_files.encoded_image import read_image
from lingbot_ros.model.autoencoder import Frames, check_image
from lingbot_ros.model.framing import Fit, crop_box, cropped, fit_image
from lingbot_ros.sendable import MAX_SEED, NAME_BYTES, require_text, require_whole
from lingbot_ros.world.assembly import Control, new_control
from lingbot_ros.world.layer_model import LayerModel
from lingbot_ros.world.layer_session import LayerSession
from lingbot_ros.world.load_model import load_model
from lingbot_ros.world.load_options import LoadOptions, PromptPolicy
from lingbot_ros.world.loaded_model import LoadedModel
from lingbot_ros.world.pose_memory import MemoryOptions
from lingbot_ros.world.scene_model import SceneModel
from lingbot_ros.world.scene_session import SceneSession
from lingbot_ros.world.session import Session
from lingbot_ros.world.snapshot import Snapshot


class World:
    """`World.load(name)`, then `start`. One thread owns a world and all its sessions."""

    def __init__(self, model: LoadedModel) -> None:
        """A world without sessions; `World.load` loads its model, too."""
        self.model, self.card, self.info = model, model.card, model.info
        self.sessions: dict[str, Session] = {}

    @classmethod
    def load(
        cls,
        name: str | Path = "",
        *,
        options: LoadOptions | None = None,
        engine: str = "auto",
        device: str = "auto",
        precision: str = "auto",
        threads: int = 0,
        engine_file_path: str | Path | None = None,
        force_engine_update: bool = False,
        verbose: bool = False,
        size: tuple[int, int] | int | None = None,
        fit: Fit = "aspect",
        clip_frames: int | None = None,
        one_step: bool = False,
        text_only: bool = False,
        noise: str | Path | None = None,
        prompt_policy: PromptPolicy = "keep",
        text_device: str = "cpu",
        memory: MemoryOptions | None = None,
        light_decoder: str | Path | None = None,
        offload_expert: bool = False,
        steps: int | None = None,
        shift: float | None = None,
        guidance: float | None = None,
        guidance_low: float | None = None,
        negative_prompt: str | None = None,
        window: int | None = None,
        sink: int | None = None,
    ) -> "World":
        """Load a shipped model by name, a downloaded one, or any folder with a card.yaml.

        `engine` torch, onnxruntime, tensorrt, tensorrt_rtx or auto, see `world.engine_choice`; `device` auto, cpu, cuda
        or cuda:N; `precision` auto, f32, bf16, f16, or int8 or fp8 for the weights and 16 bits for the rest (auto: f32
        on the CPU, bf16 on a GPU); `threads` CPU threads, 0 decides by the machine. TensorRT's plans lie in
        `engine_file_path` or the user's cache; `force_engine_update` builds them anew, `verbose` logs all that the
        library tells. For models of the released family: `size` height and width of the frames in pixels instead of the
        card's, or their area; `fit` what becomes of images of another aspect, see `model.framing`; `clip_frames` the
        frames of models that make one clip; `one_step` generates with the first sampling step alone, faster and less
        true; `text_only` leaves the camera out, as the released code does without a path; `noise` a file that takes the
        place of the seed, see `world.given_noise`; `prompt_policy` see PromptPolicy; `text_device` the device of the
        text encoder; `memory` shows the model what it made of a place when the camera comes back, see
        `world.pose_memory`; `light_decoder` a file of a small decoder that makes the frames, much faster and softer,
        see `model.light_decoder`; `offload_expert` keeps that of two experts in main memory which is not in use.
        Instead of the card's: sampling `steps`, `shift` of the noise levels, `guidance` (`guidance_low` for the
        low-noise expert) and `negative_prompt` of models that were not distilled; attention `window` and `sink` in
        latent frames. `options` says all of this in one value, and then stands alone.
        Raises ModelError (unknown name, damaged or missing weights), ResourceError (too little memory), EngineError
        (engine or device not usable here) or InputError, also for an option that the model cannot use.
        """
        keywords = LoadOptions(
            name,
            engine=engine,
            device=device,
            precision=precision,
            threads=threads,
            engine_file_path=None if engine_file_path is None else expanded(engine_file_path, "engine_file_path"),
            force_engine_update=force_engine_update,
            verbose=verbose,
            size=size,
            fit=fit,
            clip_frames=clip_frames,
            one_step=one_step,
            text_only=text_only,
            noise=None if noise is None else expanded(noise, "noise"),
            steps=steps,
            shift=shift,
            guidance=guidance,
            guidance_low=guidance_low,
            negative_prompt=negative_prompt,
            window=window,
            sink=sink,
            prompt_policy=prompt_policy,
            text_device=text_device,
            light_decoder=None if light_decoder is None else expanded(light_decoder, "light_decoder"),
            memory=memory,
            offload_expert=offload_expert,
        )
        if options is not None and keywords != LoadOptions(""):
            raise InputError("options", "more keywords beside it", "give options alone, or a name and keywords")
        return cls(load_model(options or keywords))

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
        """A new session that begins at `image`, uint8 [H, W, 3] RGB; of another size it is resized as `fit` says.

        For camera models only: `intrinsics` are fx, fy, cx, cy in pixels of `image`, where the centre of the upper left
        pixel is (0.5, 0.5); None: those of the card. `unit_step` the translation scale, see `control.camera.Lens`.
        `seed` is any integer of 64 bits. Raises InputError naming what does not fit.
        """
        seed = require_whole("seed", seed, 0, MAX_SEED)
        used = cropped(check_image(image), (self.card.height, self.card.width), self.info.fit)
        fitted = self.model.autoencoder.fit(used, self.card.height, self.card.width)
        lens = self.lens(np.asarray(image).shape[:2], intrinsics, unit_step)
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
        path = self.card.folder / self.card.seed_image
        return read_image(path, "seed_image") if path.is_file() else None

    def close(self) -> None:
        """Close every session."""
        for session in list(self.sessions.values()):
            session.close()

    def new_session(self, session_id: str | None, parent_id: str, seed: int, lens: Lens | None = None) -> Session:
        """An empty session for `start`, `fork` and `restore` to fill; raises SessionError if the id is taken."""
        session_id = require_text("session_id", session_id or uuid.uuid4().hex[:8], NAME_BYTES)
        if session_id in self.sessions:
            raise SessionError(f"session_id: got {session_id!r}, which is in use; choose another or end that session")
        self.model.engine.use_threads()  # the autoencoder runs outside of the engine's graphs
        control = new_control(self.card, self.model.device, lens)
        session = self._allocate(session_id, parent_id, seed, control)
        self.sessions[session_id] = session
        return session

    def _allocate(self, session_id: str, parent_id: str, seed: int, control: Control) -> Session:
        if isinstance(self.model, LayerModel):
            return LayerSession(self.model, self, session_id, parent_id, seed, control)
        if isinstance(self.model, SceneModel):
            return SceneSession(self.model, self, session_id, parent_id, seed, control)
        return Session(self.model, self, session_id, parent_id, seed, control)

    def forget(self, session: Session) -> None:
        """Called by a session that closes."""
        if self.sessions.get(session.id) is session:
            del self.sessions[session.id]

    def lens(self, size: tuple[int, ...], intrinsics: ArrayLike | None, unit_step: float | None) -> Lens | None:
        """The camera of frames made from an image of that height and width, as for `start`; None without one."""
        if self.card.control.kind != "camera":
            for field, value in (("intrinsics", intrinsics), ("unit_step", unit_step)):
                if value is not None:
                    raise InputError(field, value, f"{self.card.name} is not driven by a camera; leave it out")
            return None
        height, width = self.card.height, self.card.width
        if intrinsics is None and self.card.intrinsics is not None:
            fitted = np.array(self.card.intrinsics)
        elif intrinsics is None:
            fitted = default_intrinsics(height, width)
        else:
            given, part = check_intrinsics(intrinsics), (size[0], size[1])
            if self.info.fit == "crop":
                top, left, *shown = crop_box(part, (height, width))
                given, part = given - np.array([0, 0, left, top]), (shown[0], shown[1])
            fitted = stretch_intrinsics(given, part, (height, width))
        fx, fy, cx, cy = fitted.tolist()
        return Lens((fx, fy, cx, cy), UNIT_STEP if unit_step is None else unit_step)

    def fit_image(self, image: Frames) -> Frames:
        """An image uint8 [h, w, 3] RGB at the model's size. Raises InputError for other arrays."""
        return fit_image(check_image(image), (self.card.height, self.card.width), self.info.fit)
