"""Parquet files, by the optional package pyarrow."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lingbot_ros.compat import have
from lingbot_ros.errors import ErrorCode, InputError, LingbotError


def read_columns(path: Path, columns: Sequence[str]) -> dict[str, list[Any]]:
    """The values of `columns` by name. Raises InputError for a file that is damaged or lacks one.

    Raises LingbotError (UNSUPPORTED) when pyarrow is not installed.
    """
    require_pyarrow()
    import pyarrow  # noqa: PLC0415 - an optional package
    from pyarrow import parquet  # noqa: PLC0415

    try:
        file = parquet.ParquetFile(path)
        present = file.schema_arrow.names
        if missing := [name for name in columns if name not in present]:
            raise InputError("LeRobot data", path, f"it has no column {', '.join(missing)}, only {', '.join(present)}")
        table = file.read(columns=list(columns))
    except (OSError, pyarrow.ArrowException) as error:
        raise InputError("LeRobot data", path, f"it cannot be read ({error}); download the file again") from error
    return {name: table.column(name).to_pylist() for name in columns}


def require_pyarrow() -> None:
    """Raise LingbotError (UNSUPPORTED) when pyarrow is not installed."""
    if not have("pyarrow"):
        raise LingbotError(
            "from-lerobot: the package pyarrow is not installed; ./lingbot installs it, or run `pip install pyarrow`",
            ErrorCode.UNSUPPORTED,
        )
