"""The table of outcomes, printed at the end of the run."""

from collections.abc import Callable, Iterator

import pytest

from test.fuzz.outcomes import HEADER, Outcome, Outcomes

_TABLE: list[Outcomes] = []


@pytest.fixture
def outcomes_of() -> Iterator[Callable[[str], Outcomes]]:
    """Makes a row of the table; afterwards no raw exception and no hang may be in any."""
    made: list[Outcomes] = []

    def make(kind: str) -> Outcomes:
        made.append(Outcomes(kind))
        return made[-1]

    yield make
    _TABLE.extend(made)
    bad = [example for outcomes in made for example in outcomes.bad]
    assert not bad, "\n".join(bad[:10])
    assert all(outcomes.counts[Outcome.CLEAR] for outcomes in made), "nothing was refused"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the rows of all tests that ran."""
    if _TABLE:
        terminalreporter.write_sep("=", "outcomes")
        for line in (HEADER, *(outcomes.row() for outcomes in _TABLE)):
            terminalreporter.write_line(line)
