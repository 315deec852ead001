"""Imagine a recording again from its first image and controls, and compare."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lingbot_ros.control.camera import UNIT_STEP
from lingbot_ros.errors import InputError
from lingbot_ros.recording.reader import KIND_IMAGINED, KIND_OBSERVED, KIND_SEED, RecordedFrame, decode_jpeg
from lingbot_ros.runtime.intrinsics import focal_and_centre, scale_intrinsics
from lingbot_ros.world import Session, World


@dataclass(frozen=True)
class ReplayedSession:
    """frames: how many were compared. first_difference: index of the first that is not the same, or None.

    observed: how many frames were real images, which were observed again. exact: raw frames were compared, not JPEGs.
    worst_db: lowest PSNR of a frame, inf when all are equal. note: why the comparison ended early, or empty.
    """

    session_id: str
    frames: int = 0
    observed: int = 0
    first_difference: int | None = None
    exact: bool = True
    worst_db: float = float("inf")
    note: str = ""


@dataclass(frozen=True)
class NodeSettings:
    """Parameters of the recording node: `publish.jpeg_quality` and `camera.unit_step`."""

    jpeg_quality: int = 80
    unit_step: float = UNIT_STEP


def replay(world: World, frames: Iterable[RecordedFrame], settings: NodeSettings) -> Iterator[ReplayedSession]:
    """One result per session of the recording, in order. A session is replayed from its first image on.

    Where the recording holds JPEGs, what is imagined is encoded as the node did before it is compared.
    """
    player: _Player | None = None
    for frame in frames:
        if player is None or player.is_over_before(frame):
            if player is not None:
                yield player.result()
            player = _Player(world, frame, settings)
        else:
            player.add(frame)
    if player is None:
        raise InputError("bag", "no complete frame", "record from the start of a session on")
    yield player.result()


class _Player:
    """Re-imagines one session, chunk by chunk, as its recorded frames come."""

    def __init__(self, world: World, first: RecordedFrame, settings: NodeSettings) -> None:
        if first.model != world.info.name:
            raise InputError("--model", f"'{world.info.name}'", f"the recording was made with '{first.model}'")
        self._id, self._exact, self._note = first.session_id, True, ""
        self._last, self._frames, self._observed, self._worst_db = first.frame_index, 0, 0, float("inf")
        self._difference: int | None = None
        self._waiting: list[RecordedFrame] = []
        self._session: Session | None = None
        self._jpeg_quality = settings.jpeg_quality
        self._camera = world.info.control.kind == "camera"
        if first.kind != KIND_SEED:
            self._note = f"the recording begins at its frame {first.frame_index}, not at its first image"
        else:
            given = first.image if first.given is None else first.given
            of_given = scale_intrinsics(first.intrinsics, first.image.shape[:2], given.shape[:2])
            lens = focal_and_centre(of_given) if self._camera and of_given is not None else None
            step = settings.unit_step if self._camera else None
            self._session = world.start(given, prompt=first.prompt, seed=first.seed, intrinsics=lens, unit_step=step)

    def is_over_before(self, frame: RecordedFrame) -> bool:
        """Whether `frame` belongs to another session, or to a new one of the same name."""
        return frame.session_id != self._id or frame.kind == KIND_SEED

    def add(self, frame: RecordedFrame) -> None:
        if self._session is None:
            return
        if frame.kind not in (KIND_IMAGINED, KIND_OBSERVED) or frame.frame_index != self._last + 1:
            self._note = f"frame {frame.frame_index} follows {self._last}: what lies between was not recorded"
            self._session.close()
            self._session = None
            return
        self._last = frame.frame_index
        self._waiting.append(frame)
        if len(self._waiting) == frame.chunk_frames:
            self._play(self._session)

    def result(self) -> ReplayedSession:
        if self._session is not None:
            self._session.close()
        return ReplayedSession(
            self._id, self._frames, self._observed, self._difference, self._exact, self._worst_db, self._note
        )

    def _play(self, session: Session) -> None:
        """One chunk: observed where it was, else imagined and compared."""
        recorded, self._waiting = self._waiting, []
        if recorded[0].prompt != session.prompt:
            session.prompt = recorded[0].prompt
        controls = np.stack([frame.control for frame in recorded])
        if self._camera:
            controls = controls.reshape(len(recorded), -1, 4)
        if recorded[0].kind == KIND_OBSERVED:
            session.observe(np.stack([frame.image for frame in recorded]), controls)
            self._observed += len(recorded)
            return
        for frame, image in zip(recorded, session.step(controls), strict=True):
            mine = image if frame.exact else _as_jpeg(image, self._jpeg_quality)
            decibels = _psnr_db(frame.image, mine)
            self._frames, self._exact = self._frames + 1, self._exact and frame.exact
            self._worst_db = min(self._worst_db, decibels)
            if np.isfinite(decibels) and self._difference is None:
                self._difference = frame.frame_index


def _as_jpeg(rgb: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    _, data = cv2.imencode(".jpg", rgb[:, :, ::-1], (cv2.IMWRITE_JPEG_QUALITY, quality))
    return decode_jpeg(data)


def _psnr_db(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    error = float(np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2))
    return float("inf") if error == 0 else 10 * np.log10(255**2 / error)
