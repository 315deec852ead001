"""An evaluation on disk."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lingbot_ros.evaluate.report_files import write_text
from lingbot_ros.evaluate.results.evaluation import Evaluation
from lingbot_ros.evaluate.results.plain import evaluation_plain


def save_evaluation(path: Path, evaluation: Evaluation) -> None:
    """Write the record as JSON, whole or not at all. Equal evaluations give equal bytes. Raises ResourceError."""
    save_json(path, evaluation_plain(evaluation))


def save_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON's types, whole or not at all. Raises ResourceError, and ValueError for a number that is not finite."""
    write_text(path, json.dumps(content, indent=1, allow_nan=False) + "\n")
