"""A vision-language model of transformers as a judge: did the film end in success?"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.checkpoints.vision_language import VisionLanguageModel, last_object
from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.judges.folders import model_folder

Film = NDArray[np.uint8]

MOST_FRAMES = 16
INCONSISTENT_GAP, MOST_INVALID = 0.2, 0.1

_NEW_TOKENS = 160
_RULES = (
    "You see images of a film of a robot, from the first to the last. The task is solved only if: {condition} Name the "
    "images in which this can be seen. Do not guess: if you are not sure, the answer is that it is not solved. "
    "{question} Answer with one JSON object and nothing else: "
    '{{"evidence": "...", "{key}": true or false, "progress": 0 to 100}}'
)
_FRAMINGS = {"success": ("Did the robot solve the task?", True), "failure": ("Did the robot fail at the task?", False)}


@dataclass(frozen=True)
class Opinion:
    """What a judge says of one film. share: of votes that say it is solved, None without a valid vote; framing_gap: how
    far the answers to "did it succeed?" and "did it fail?" are apart, 0 best; invalid: share of votes that were none.
    """

    share: float | None
    framing_gap: float | None
    invalid: float

    @property
    def success(self) -> bool:
        """A tie is a failure, and so is no valid vote."""
        return self.share is not None and self.share > 0.5

    @property
    def warnings(self) -> tuple[str, ...]:
        gap = self.framing_gap is not None and self.framing_gap > INCONSISTENT_GAP
        said = {"JUDGE_INCONSISTENT": gap, "JUDGE_INVALID": self.invalid > MOST_INVALID}
        return tuple(code for code, holds in said.items() if holds)


class LanguageModelJudge:
    """A model and its processor from a folder on this disk; it answers greedily, so that it repeats itself.

    condition: when the task is solved, a sentence. Raises InputError for no such folder, ModelError for another model.
    """

    def __init__(self, folder: Path, condition: str, votes: int = 3) -> None:
        if votes < 1:
            raise InputError("votes", votes, "give 1 or more")
        self._model = VisionLanguageModel(str(model_folder("vlm", folder)), "judge")
        self._condition, self._votes = condition, votes

    def judge(self, film: Film) -> Opinion:
        """Two framings, `votes` times each, of frames that start a little later every time. film uint8 [T, H, W, 3]."""
        votes: dict[str, list[bool]] = {framing: [] for framing in _FRAMINGS}
        for framing, (question, when_true) in _FRAMINGS.items():
            for vote in range(self._votes):
                said = self._ask(shown_frames(film, vote), framing, question)
                if said is not None:
                    votes[framing].append(said is when_true)
        valid = [solved for solved_list in votes.values() for solved in solved_list]
        shares = [float(np.mean(one)) for one in votes.values() if one]
        return Opinion(
            float(np.mean(valid)) if valid else None,
            abs(shares[0] - shares[1]) if len(shares) == len(votes) else None,
            1 - len(valid) / (len(_FRAMINGS) * self._votes),
        )

    def _ask(self, frames: list[Film], key: str, question: str) -> bool | None:
        """An answer that cannot be read is asked for once more, with a reminder."""
        text = _RULES.format(condition=self._condition, question=question, key=key)
        for reminder in ("", " Remember: only the JSON object."):
            said = read_answer(self._model.answer(frames, text + reminder, _NEW_TOKENS), key)
            if said is not None:
                return said
        return None


def shown_frames(film: Film, offset: int) -> list[Film]:
    """At most 16 frames: the first, the last, and evenly between from `offset` on."""
    last = len(film) - 1
    begin = min(offset, last)
    between = np.linspace(begin, last, min(MOST_FRAMES, len(film)) - 1) if last else np.zeros(0)
    return [film[index] for index in sorted({0, *(round(float(at)) for at in between), last})]


def read_answer(text: str, key: str) -> bool | None:
    """The verdict in the last JSON object of an answer; None where there is none."""
    verdict = (last_object(text) or {}).get(key)
    return verdict if isinstance(verdict, bool) else None
