"""The rollouts that a report shows: the best, the worst, the most doubtful, and those whose verdict was wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lingbot_ros.evaluate.policies.contract import Start
from lingbot_ros.evaluate.policy_report.films import play_film, side_by_side
from lingbot_ros.evaluate.policy_report.findings import Findings
from lingbot_ros.evaluate.policy_report.play import IMAGINED, Played
from lingbot_ros.evaluate.policy_report.strips import strip_path
from lingbot_ros.evaluate.policy_task import PolicyTask
from lingbot_ros.evaluate.rollouts.record import Rollout
from lingbot_ros.evaluate.rollouts.stepper import Stepper


@dataclass(frozen=True)
class ShownRollout:
    """A rollout in images: strip, a PNG of some of its frames; film, an animated WebP. None where there is none."""

    caption: str
    strip: bytes | None
    film: bytes | None = None


def choose_rollouts(
    findings: Findings,
    folder: Path,
    imagined: Played,
    starts: Sequence[Start],
    task: PolicyTask,
    stepper: Stepper | None,
) -> list[ShownRollout]:
    """Up to nine of them. Films are made where there is the imagining world, by playing their actions again."""
    by_id, true = {start.id: start for start in starts}, findings.true_scores
    shown = []
    for kind, best, rollout in _chosen(findings, imagined):
        caption = (
            f"{kind}: {rollout.policy} from {rollout.start}, score {best:.2f}; "
            f"the same actions reach {true[rollout.key]:.2f} in the simulator"
        )
        path = strip_path(folder, IMAGINED, rollout.policy, rollout.start)
        strip = path.read_bytes() if path.is_file() else None
        film = None if stepper is None else _film(rollout, by_id[rollout.start], task, stepper)
        shown.append(ShownRollout(caption, strip, film))
    return shown


def _film(rollout: Rollout, start: Start, task: PolicyTask, stepper: Stepper) -> bytes | None:
    mine = play_film(stepper, start, rollout.actions, rollout.seed)
    return side_by_side(mine, play_film(task.reference(1), start, rollout.actions, rollout.seed), stepper.fps)


def _chosen(findings: Findings, imagined: Played) -> list[tuple[str, float, Rollout]]:
    threshold, true = findings.main.threshold, findings.true_scores
    scored = [(best, rollout) for rollout in imagined.policies if (best := rollout.best()) is not None]
    scored.sort(key=lambda pair: pair[0])
    doubtful = sorted(scored, key=lambda pair: abs(pair[0] - threshold))[:2]
    wrong = [
        (best, rollout)
        for best, rollout in scored
        if np.isfinite(true[rollout.key]) and (best >= threshold) != (true[rollout.key] >= threshold)
    ]
    wrong.sort(key=lambda pair: -abs(pair[0] - true[pair[1].key]))
    kinds = {"best": scored[-2:][::-1], "worst": scored[:2], "most doubtful": doubtful, "most wrong": wrong[:3]}
    return [(kind, best, rollout) for kind, rollouts in kinds.items() for best, rollout in rollouts]
