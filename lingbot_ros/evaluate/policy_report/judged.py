"""What judges that need weights say of some of the rollouts, and how far each can be believed on these."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.judges.admission import FEWEST_FILMS, admit
from lingbot_ros.evaluate.judges.language_model import LanguageModelJudge
from lingbot_ros.evaluate.judges.lpips import Lpips
from lingbot_ros.evaluate.judges.video_distance import VideoFeatures, video_distance
from lingbot_ros.evaluate.policies.contract import Start
from lingbot_ros.evaluate.policy_report.films import play_film
from lingbot_ros.evaluate.policy_task import PolicyTask
from lingbot_ros.evaluate.rollouts.record import Ending, Rollout
from lingbot_ros.evaluate.rollouts.stepper import Frames, Stepper


@dataclass(frozen=True)
class FilmPair:
    """A rollout as imagined and as the same actions look in the reference; solved: whether they truly succeed."""

    imagined: Frames
    real: Frames
    solved: bool


Judge = Callable[[Sequence[FilmPair]], dict[str, Any]]


def load_judges(folders: Mapping[str, Path], task: PolicyTask) -> dict[str, Judge]:
    """Judges by name: lpips, fvd_videomae, vlm, each with the folder of its weights. Raises InputError, ModelError."""
    kinds: dict[str, Callable[[Path], Judge]] = {
        "lpips": lambda folder: _lpips(Lpips(folder)),
        "fvd_videomae": lambda folder: _video(VideoFeatures(folder)),
        "vlm": lambda folder: _language(LanguageModelJudge(folder, task.success_in_words)),
    }
    for name in folders:
        if name not in kinds:
            raise InputError("--judge", name, f"use one of {', '.join(kinds)}")
    return {name: kinds[name](folder) for name, folder in folders.items()}


def film_pairs(
    rollouts: Sequence[Rollout],
    starts: Sequence[Start],
    truth: Mapping[tuple[str, str], float],
    threshold: float,
    task: PolicyTask,
    stepper: Stepper,
) -> list[FilmPair]:
    """Of 40 rollouts, evenly taken from all that ended."""
    by_id = {start.id: start for start in starts}
    ended = [rollout for rollout in rollouts if rollout.ending is not Ending.INVALID and rollout.actions]
    places = sorted({int(at) for at in np.linspace(0, len(ended) - 1, FEWEST_FILMS)}) if ended else []
    return [
        FilmPair(
            play_film(stepper, by_id[rollout.start], rollout.actions, rollout.seed),
            play_film(task.reference(1), by_id[rollout.start], rollout.actions, rollout.seed),
            truth[rollout.key] >= threshold,
        )
        for rollout in (ended[place] for place in places)
    ]


def _lpips(judge: Lpips) -> Judge:
    def said(pairs: Sequence[FilmPair]) -> dict[str, Any]:
        curves = [judge.distances(imagined=pair.imagined[1:], reference=pair.real[1:]) for pair in pairs]
        return {
            "films": len(pairs),
            "lpips": float(np.mean([curve.mean() for curve in curves])),
            "lpips_last_frame": float(np.mean([curve[-1] for curve in curves])),
            "agreement": judge.order([pair.real[-1] for pair in pairs]),
            "agreement_means": "share of real images found nearer to a slight blur than to a strong one",
        }

    return said


def _video(features: VideoFeatures) -> Judge:
    def said(pairs: Sequence[FilmPair]) -> dict[str, Any]:
        imagined, real = [pair.imagined for pair in pairs], [pair.real for pair in pairs]
        found = video_distance(imagined=imagined, real=real, features=features)
        return {
            "films": len(pairs),
            "clips": found.clips,
            found.name: found.distance,
            "floor": found.floor,
            "floor_means": "the distance of one half of the real films from the other; none below 2048 clips",
        }

    return said


def _language(judge: LanguageModelJudge) -> Judge:
    def said(pairs: Sequence[FilmPair]) -> dict[str, Any]:
        real = [judge.judge(pair.real) for pair in pairs]
        imagined = [judge.judge(pair.imagined) for pair in pairs]
        admission = admit([opinion.success for opinion in real], [pair.solved for pair in pairs])
        warnings = sorted({code for opinion in [*real, *imagined] for code in opinion.warnings})
        return {
            "films": len(pairs),
            "imagined_success": float(np.mean([opinion.success for opinion in imagined])),
            "agreement": admission.verdicts.agreement,
            "balanced_accuracy": admission.verdicts.balanced_accuracy,
            "kappa": admission.verdicts.kappa,
            "agreement_means": "verdicts on real films beside the simulator's",
            "advisory": not admission.admitted,
            "warnings": warnings,
        }

    return said
