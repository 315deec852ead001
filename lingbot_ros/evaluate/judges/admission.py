"""May a judge decide? Its verdicts on films whose truth is known, and the limits that it has to keep."""

from collections.abc import Sequence
from dataclasses import dataclass

from lingbot_ros.evaluate.statistics.outcomes import Verdicts, compare_verdicts

FEWEST_FILMS = 40
LEAST_BALANCED_ACCURACY = 0.80
LEAST_KAPPA = 0.6


@dataclass(frozen=True)
class Admission:
    """Verdicts of a judge beside the truth on reference films."""

    verdicts: Verdicts

    @property
    def admitted(self) -> bool:
        """Otherwise what it says is advice and decides nothing."""
        accuracy, kappa = self.verdicts.balanced_accuracy, self.verdicts.kappa
        return (
            self.verdicts.count >= FEWEST_FILMS
            and accuracy is not None
            and accuracy >= LEAST_BALANCED_ACCURACY
            and kappa is not None
            and kappa >= LEAST_KAPPA
        )


def admit(said: Sequence[bool], true: Sequence[bool]) -> Admission:
    """From a judge's verdicts on films of the reference and what was true. Raises InputError for other lengths."""
    return Admission(compare_verdicts(imagined=said, reference=true))
