"""What came of inputs that mean nothing: a clear refusal, acceptance, a raw exception, or no end."""

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from types import FrameType

from lingbot_ros.errors import LingbotError

HUNG_S = 30
LONGEST_MESSAGE = 4200


class Outcome(Enum):
    """The columns of the table."""

    CLEAR = "clear message"
    ACCEPTED = "accepted"
    RAW = "raw exception"
    HUNG = "hung"


class HungError(BaseException):
    """Not an Exception, so that no boundary takes it for a fault of the input."""


class Outcomes:
    """The counts of one kind of input, and the worst examples."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.counts: Counter[Outcome] = Counter()
        self.bad: list[str] = []

    def add(self, outcome: Outcome, example: str = "") -> None:
        self.counts[outcome] += 1
        if outcome in (Outcome.RAW, Outcome.HUNG):
            self.bad.append(f"{outcome.value}: {example}"[:1000])

    def judge(self, label: str, call: Callable[[], object]) -> None:
        """Count what the call does. On the main thread only, which an alarm can wake."""
        try:
            with _alarm():
                call()
        except LingbotError as error:
            long = len(str(error)) > LONGEST_MESSAGE
            self.add(Outcome.RAW if long else Outcome.CLEAR, f"{label}: a message of {len(str(error))} characters")
        except Exception as error:  # what is looked for
            self.add(Outcome.RAW, f"{label}: {type(error).__name__}: {error}")
        except HungError:
            self.add(Outcome.HUNG, label)
        else:
            self.add(Outcome.ACCEPTED)

    def row(self) -> str:
        """A line of the table, see `HEADER`."""
        counts = [self.counts[outcome] for outcome in Outcome]
        return f"{self.kind:<34}{sum(counts):>8}" + "".join(f"{count:>15}" for count in counts)


HEADER = f"{'inputs':<34}{'count':>8}" + "".join(f"{outcome.value:>15}" for outcome in Outcome)


@contextmanager
def _alarm() -> Iterator[None]:
    def hung(number: int, frame: FrameType | None) -> None:
        raise HungError

    before = signal.signal(signal.SIGALRM, hung)
    signal.alarm(HUNG_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
