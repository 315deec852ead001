"""A figure against a limit: what a model must reach, should reach, and is hoped to reach."""

import operator
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Relation = Literal["<=", ">=", ">"]
Verdict = Literal["target", "minimum", "MISS"]

_RELATIONS = {"<=": operator.le, ">=": operator.ge, ">": operator.gt}


@dataclass(frozen=True)
class Check:
    """`value` must stand in `relation` to `minimum`, and better does so to `target`; what was not measured is a MISS.

    frame: the open-loop frame it is of, if it is of one. interval: the 95 % bootstrap interval of the value. baseline:
    the same figure of repeating the last real frame. None: does not exist.
    """

    name: str
    value: float
    relation: Relation
    minimum: float
    target: float | None = None
    frame: int | None = None
    interval: tuple[float, float] | None = None
    baseline: float | None = None
    verdict: Verdict = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "verdict", self._decide())

    @property
    def passed(self) -> bool:
        return self.verdict != "MISS"

    def _decide(self) -> Verdict:
        reaches = _RELATIONS[self.relation]
        if not reaches(self.value, self.minimum):
            return "MISS"
        return "target" if self.target is not None and reaches(self.value, self.target) else "minimum"


def all_passed(checks: Iterable[Check]) -> bool:
    """Whether no figure misses its minimum."""
    return all(check.passed for check in checks)


def check_line(check: Check) -> str:
    """One line of text: verdict, name, value, limit."""
    at = "" if check.frame is None else f" at frame {check.frame}"
    verdict = "ok  " if check.passed else "MISS"
    return f"  {verdict}  {check.name}{at}: {check.value:.2f} ({check.relation} {check.minimum})"
