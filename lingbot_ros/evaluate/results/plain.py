"""Records as JSON's types: no key is left out, what is unknown or not finite is null."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from math import isfinite
from typing import Any

import numpy as np

from lingbot_ros.evaluate.results.evaluation import SCHEMA, Evaluation
from lingbot_ros.evaluate.statistics.agreement import Agreement, Correlation
from lingbot_ros.evaluate.statistics.ceiling import Ceiling
from lingbot_ros.evaluate.statistics.interval import Interval
from lingbot_ros.evaluate.statistics.wrong_action_success import FalseSuccess


def evaluation_plain(evaluation: Evaluation) -> dict[str, Any]:
    """The whole record below its schema version."""
    return {"schema": SCHEMA, **plain(evaluation)}


def plain(value: Any) -> Any:
    """Any record of this package. An interval is [low, high]; of a ceiling, its mean and its 5 % and 95 % quantiles."""
    if isinstance(value, Interval):
        return plain([value.low, value.high])
    if isinstance(value, Ceiling):
        return plain(_ceiling(value))
    found: Any = value
    if is_dataclass(value) and not isinstance(value, type):
        found = {part.name: plain(getattr(value, part.name)) for part in fields(value)} | _derived(value)
    elif isinstance(value, Enum):
        found = value.value
    elif isinstance(value, Mapping):
        found = {str(key): plain(part) for key, part in value.items()}
    elif isinstance(value, np.ndarray | np.generic):
        found = plain(value.tolist())
    elif isinstance(value, list | tuple):
        found = [plain(part) for part in value]
    elif isinstance(value, float):
        found = value if isfinite(value) else None
    return found


def _ceiling(ceiling: Ceiling) -> dict[str, float | None]:
    return {
        "pearson": ceiling.pearson_mean,
        "pearson_low": ceiling.pearson_quantile(0.05),
        "mmrv": ceiling.mmrv_mean,
        "mmrv_high": ceiling.mmrv_quantile(0.95),
    }


def _derived(value: Any) -> dict[str, Any]:
    """Figures that a record computes and a reader of the file wants."""
    if isinstance(value, Correlation):
        return {"published": plain(value.published)}
    if isinstance(value, Agreement):
        return {"n_policies": value.policies}
    if isinstance(value, FalseSuccess):
        return {"rate": value.rate, "upper": value.upper, "passed": value.passed}
    return {}
