"""Away and back: is a place that was left still there?

Three phases: seen (the way out begins), away (less than half of the image shows what a real image showed), back (the
poses of the first phase, in reverse order).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata  # type: ignore[import-untyped]

from lingbot_ros.evaluate.metric import psnr_db
from lingbot_ros.model.scene.keyframes import pose_distance
from lingbot_ros.tasks.rooms.dataset.episode import Episode
from lingbot_ros.tasks.rooms.report.baselines import TrueScene
from lingbot_ros.tasks.rooms.report.measure import start_session
from lingbot_ros.world import World
from lingbot_ros.world.scene_session import SceneSession

GAPS = (32, 64, 128, 192, 256)
"""Frames between the two looks at a place."""
_OTHER_M = 1.5
"""A place that is at least so far away, a radian counting 2 m, is another one."""
_PAINTED_SHARE, _SEEN_SHARE = 0.5, 0.5
PHASES = ("seen", "away", "back")


@dataclass(frozen=True)
class Revisit:
    """Of one drive: PSNR of both looks at a place by gap, PSNR of looks at different places, of the first real view.

    painted_db: like same_db, of places of which more than half was painted before they were left. true_db: PSNR of
    every frame against the simulator, by phase; no entries for a phase that the drive does not have.
    """

    same_db: dict[int, list[float]]
    different_db: list[float]
    first_db: float
    painted_db: list[float]
    true_db: dict[str, list[float]]


def revisit(world: World, episode: Episode, context: int) -> Revisit:
    """Imagine the whole drive after `context` real frames, and compare its ways out and back."""
    session = start_session(world, episode, context)
    frames: dict[int, NDArray[np.uint8]] = {}
    painted: dict[int, float] = {}
    for at in range(context, len(episode.frames)):
        frames[at] = session.step(episode.poses[at : at + 1])[0]
        if isinstance(session, SceneSession) and session.view is not None:
            painted[at] = session.view.painted
    session.close()
    last = len(episode.frames) - 1
    same: dict[int, list[float]] = {}
    for gap in GAPS:
        out = (last - gap) // 2
        if out >= context:
            same[gap] = [psnr_db(frames[at], frames[last - at]) for at in range(max(context, out - 2), out + 1)]
    different = []
    looks = np.array([at for at in frames if at % 12 == 0])
    apart = pose_distance(episode.poses[looks], episode.poses[looks])
    for i, j in np.argwhere(np.triu(apart > _OTHER_M)):
        different.append(psnr_db(frames[int(looks[i])], frames[int(looks[j])]))
    of_painted = [
        psnr_db(frames[at], frames[last - at])
        for at in range(context, last // 2 - 16, 8)
        if painted.get(at, 0.0) > _PAINTED_SHARE
    ]
    true = {phase: list[float]() for phase in PHASES}
    left = _left_at(episode, context)
    for at, frame in frames.items():
        phase = "seen" if at < left else "away" if at <= last - left else "back"
        true[phase].append(psnr_db(frame, episode.frames[at]))
    return Revisit(same, different, psnr_db(frames[last], episode.frames[0]), of_painted, true)


def _left_at(episode: Episode, context: int) -> int:
    """The first frame of the way out that shows little of what the context showed; that of the turn if none does."""
    truth, turn = TrueScene(episode, context), len(episode.frames) // 2
    return next((at for at in range(context, turn) if truth.in_view(at).mean() < _SEEN_SHARE), turn)


def auroc(same: list[float], different: list[float]) -> float:
    """The chance that two looks at one place are more alike than looks at two places; NaN without either."""
    if not same or not different:
        return float("nan")
    ranks = rankdata([*same, *different])
    return float((ranks[: len(same)].sum() - len(same) * (len(same) + 1) / 2) / (len(same) * len(different)))
