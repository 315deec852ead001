"""Limits on a report. A figure that a limit needs and the report has not does not keep it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.results.evaluation import SCHEMA


@dataclass(frozen=True)
class Limits:
    """None: no limit. baseline: the least correlation that another report asks for."""

    min_agreement: float | None = None
    min_agreement_low: float | None = None
    max_mmrv: float | None = None
    max_bias: float | None = None
    max_hallucinated: float | None = None
    min_scorer: float | None = None
    baseline: float | None = None


@dataclass(frozen=True)
class Check:
    """One limit; its text is a line for people."""

    name: str
    found: float | None
    limit: float | None
    kept: bool

    def __str__(self) -> str:
        said = "none" if self.found is None else f"{self.found:.3f}"
        limit = "" if self.limit is None else f", limit {self.limit:g}"
        return f"{'ok  ' if self.kept else 'FAIL'} {self.name}: {said}{limit}"


def read_record(path: Path) -> dict[str, Any]:
    """The record of a report's folder or of its file. Raises InputError for what is not one."""
    path = path / "evaluation.json" if path.is_dir() else path
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        schema = record["schema"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError("report", path, f"give a report of `lingbot evaluate` ({error})") from error
    if schema != SCHEMA:
        raise InputError("report", f"{path} of schema {schema!r}", f"this program reads {SCHEMA}")
    found: dict[str, Any] = record
    return found


def agreement_of(record: dict[str, Any]) -> float:
    """The correlation of a report. Raises InputError for one without."""
    value = _agreement(record).get("pearson", {}).get("value")
    if value is None:
        raise InputError("baseline", "a report without a correlation", "make it with --reference")
    return float(value)


def judge(record: dict[str, Any], limits: Limits) -> list[Check]:
    """Whether it ranks at all, and each limit that there is."""
    agreement = _agreement(record)
    pearson, hallucinated = agreement.get("pearson") or {}, record.get("hallucinated") or {}
    low = (pearson.get("published") or [None])[0]
    bias = agreement.get("bias")
    scorer = _scorer_agreement(record)
    checks = [Check("it gives a ranking", float(record.get("refused") is None), None, record.get("refused") is None)]
    least = (
        ("agreement r", pearson.get("value"), limits.min_agreement),
        ("lower end of r", low, limits.min_agreement_low),
        ("scorer right on real images", scorer, limits.min_scorer),
        ("agreement r beside the baseline", pearson.get("value"), limits.baseline),
    )
    most = (
        ("MMRV", agreement.get("mmrv"), limits.max_mmrv),
        ("bias", None if bias is None else abs(bias), limits.max_bias),
        ("hallucinated success, upper bound", hallucinated.get("upper"), limits.max_hallucinated),
    )
    for name, found, limit in least:
        if limit is not None:
            checks.append(Check(name, found, limit, found is not None and found >= limit))
    for name, found, limit in most:
        if limit is not None:
            checks.append(Check(name, found, limit, found is not None and found <= limit))
    return checks


def _scorer_agreement(record: dict[str, Any]) -> float | None:
    """On real images, at the threshold of the report."""
    for truth in record.get("truths", []):
        if truth.get("threshold") == record.get("threshold"):
            found: float | None = (truth.get("scorer_on_real") or {}).get("agreement")
            return found
    return None


def _agreement(record: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = record.get("agreement", {}).get("all") or {}
    return found
