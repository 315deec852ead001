"""Open loop on held-out drives: what the model shows beside what is true, and beside the baselines."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from lingbot_ros.evaluate.metric import psnr_of_error
from lingbot_ros.model.scene.frame import REAL
from lingbot_ros.tasks.rooms.dataset.episode import Episode
from lingbot_ros.tasks.rooms.report.baselines import Frame, TrueScene
from lingbot_ros.world import Session, World
from lingbot_ros.world.scene_session import SceneSession

METHODS = ("imagined", "last_frame_repeated", "rotation_warp", "true_depth")
_LEAST_PIXELS = 200
"""So many pixels a figure must rest on."""


@dataclass
class Measures:
    """Figures [N, F] by name; NaN where there is nothing to measure. All of them grow by `add`."""

    frames: tuple[int, ...]
    rows: dict[str, list[list[float]]] = field(default_factory=dict)

    def add(self, figures: Sequence[dict[str, float]]) -> None:
        """The figures of one drive, one entry for each of `frames`."""
        for name in figures[0]:
            self.rows.setdefault(name, []).append([entry[name] for entry in figures])

    def of(self, name: str) -> NDArray[np.float64]:
        """[N, F]."""
        return np.array(self.rows[name], np.float64)


def start_session(world: World, episode: Episode, context: int) -> Session:
    """A session that has seen the first `context` frames."""
    session = world.start(episode.frames[0], intrinsics=episode.intrinsics)
    for t in range(context):
        session.observe(episode.frames[t : t + 1], episode.poses[t : t + 1])
    return session


def imagine_drive(
    world: World, episode: Episode, context: int, frames: Sequence[int]
) -> tuple[list[dict[str, float]], NDArray[np.uint8]]:
    """The figures of `frames` (counted from 1 after the context), and all imagined frames [H, h, w, 3]."""
    session, truth = start_session(world, episode, context), TrueScene(episode, context)
    imagined, figures = [], []
    last = episode.frames[context - 1]
    for k in range(1, len(episode.frames) - context + 1):
        at = context - 1 + k
        frame = session.step(episode.poses[at : at + 1])[0]
        imagined.append(frame)
        if k in frames:
            mine = _figures(session, episode, at, frame, truth.in_view(at))
            others = zip(METHODS[1:], (last, truth.rotated(at), truth.warped(at)), strict=True)
            for name, image in others:
                mine |= _psnr(name, image, episode.frames[at], truth.in_view(at))
            figures.append(mine)
    session.close()
    return figures, np.stack(imagined)


def _figures(session: Session, episode: Episode, at: int, frame: Frame, in_view: NDArray[np.bool_]) -> dict[str, float]:
    real = episode.frames[at]
    figures = _psnr("imagined", frame, real, in_view) | {"in_view_share": float(in_view.mean())}
    if isinstance(session, SceneSession) and session.last is not None and session.view is not None:
        view = session.last.drawn
        error = np.abs(episode.depth[at] * view.disparity - 1)
        seen = view.origin == REAL
        figures["depth_error"] = float(np.median(error[seen])) if seen.sum() >= _LEAST_PIXELS else float("nan")
        painted = cv2.erode((view.origin != REAL).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        figures["painted_sharpness"] = _over(detail(frame), painted) / max(_over(detail(real), painted), 1e-6)
        figures["painted_contrast"] = _spread(frame, painted) / max(_spread(real, painted), 1e-6)
        figures["seen_share"], figures["blocked"] = session.view.seen, float(session.view.motion_blocked)
    return figures


def _psnr(name: str, image: Frame, real: Frame, in_view: NDArray[np.bool_]) -> dict[str, float]:
    error = (image.astype(np.float64) - real) ** 2
    everything = float(psnr_of_error(np.array(error.mean())))
    enough = in_view.sum() >= _LEAST_PIXELS
    seen = float(psnr_of_error(np.array(error[in_view].mean()))) if enough else float("nan")
    return {f"{name}.psnr_in_view_db": seen, f"{name}.psnr_db": everything}


def detail(image: Frame) -> NDArray[np.float32]:
    """How much fine structure is at each pixel: the absolute Laplacian of the brightness, [H, W]."""
    return np.abs(cv2.Laplacian(image.mean(-1).astype(np.float32), -1)).astype(np.float32)


def _over(values: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    """Mean where `mask` is; NaN for too few pixels."""
    return float(np.mean(values[mask])) if mask.sum() >= _LEAST_PIXELS else float("nan")


def _spread(image: Frame, mask: NDArray[np.bool_]) -> float:
    return float(image.mean(-1)[mask].std()) if mask.sum() >= _LEAST_PIXELS else float("nan")
