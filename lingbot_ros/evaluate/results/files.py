"""An evaluation on disk."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lingbot_ros.errors import ErrorCode, ResourceError
from lingbot_ros.evaluate.results.evaluation import Evaluation
from lingbot_ros.evaluate.results.plain import evaluation_plain


def save_evaluation(path: Path, evaluation: Evaluation) -> None:
    """Write the record as JSON, whole or not at all. Equal evaluations give equal bytes. Raises ResourceError."""
    save_json(path, evaluation_plain(evaluation))


def save_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON's types, whole or not at all. Raises ResourceError, and ValueError for a number that is not finite."""
    text = json.dumps(content, indent=1, allow_nan=False) + "\n"
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(text)
        aside.replace(path)
    except OSError as error:
        fix = "free some space or use another folder"
        raise ResourceError(f"report: cannot write {path} ({error.strerror}); {fix}", ErrorCode.DISK) from error
