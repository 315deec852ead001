"""A report on disk: written whole or not at all, without a value that JSON does not know."""

import json
import math
import os
from pathlib import Path
from typing import Any

from lingbot_ros.errors import ErrorCode, ResourceError


def write_json(path: Path, report: dict[str, Any]) -> None:
    """A figure that does not exist is null. Raises ResourceError."""
    write_text(path, json.dumps(_finite(report), indent=1) + "\n")


def write_text(path: Path, text: str) -> None:
    """Raises ResourceError."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(text, encoding="utf-8")
        aside.replace(path)
    except OSError as error:
        fix = "free some space or use another folder"
        raise ResourceError(f"report: cannot write {path} ({error.strerror}); {fix}", ErrorCode.DISK) from error


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
