"""What all data sets share: a plan that decides everything, and parts that are there as a whole or not at all."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from lingbot_ros.errors import ErrorCode, InputError, ResourceError

PLAN_FILE = "dataset.json"
SPARE_BYTES = 200_000_000
"""Disk that a set leaves free."""


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


P = TypeVar("P", bound=_Dataclass)


def part_folder(root: Path, part: str, index: int) -> Path:
    """Where part number `index` of the set in `root` lies once it is whole; part: what it is, e.g. "episode"."""
    return root / f"{part}_{index:05d}"


def missing_parts(
    root: Path, plan: P, read: Callable[[Path], P], write: Callable[[Path, P], None], part: str, count: int
) -> list[int]:
    """Begin the set in `root` by its plan, or take it up: the numbers of those of `count` parts that are not there.

    Removes what was left of parts that were not finished. Raises InputError when `root` holds a set of another plan.
    """
    if (root / PLAN_FILE).exists():
        _check_same(root, read(root), plan)
    else:
        write(root, plan)
    for leftover in root.glob(f".{part}_*"):
        shutil.rmtree(leftover, ignore_errors=True)
    return [index for index in range(count) if not part_folder(root, part, index).exists()]


def require_space(root: Path, needed: int) -> None:
    """Raise ResourceError where the disk of `root` has less than `needed` bytes."""
    free = shutil.disk_usage(root).free
    if free < needed:
        raise disk_error(root, f"{needed / 1e9:.1f} GB needed, {free / 1e9:.1f} GB free")


@contextmanager
def new_part(root: Path, part: str, index: int) -> Iterator[Path]:
    """An empty folder for part number `index`. It is moved into place at the end, and removed after an error.

    Raises ResourceError where it cannot be written.
    """
    aside = root / f".{part}_{index:05d}.{os.getpid()}"
    try:
        aside.mkdir()
        yield aside
        aside.rename(part_folder(root, part, index))
    except OSError as error:
        raise disk_error(root, f"writing {part} {index} failed ({error.strerror})") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def write_task_plan(root: Path, plan: _Dataclass) -> None:
    """Begin a task's data set in `root`, which is made if need be. Raises InputError when it cannot be written."""
    aside = root / f".{PLAN_FILE}.{os.getpid()}"
    try:
        root.mkdir(parents=True, exist_ok=True)
        aside.write_text(json.dumps(asdict(plan), indent=2) + "\n", encoding="utf-8")
        aside.replace(root / PLAN_FILE)
    except OSError as error:
        raise InputError("out", root, f"give a folder that can be written to ({error.strerror})") from error


def read_task_plan(root: Path, task: str, title: str, schema: int) -> dict[str, Any]:
    """The plan of a task's data set in `root`. Raises InputError when there is none, or of another task or schema.

    title: the task's name for people.
    """
    fix = f"give a folder made by `lingbot dataset {task}`"
    try:
        content = json.loads((root / PLAN_FILE).read_text(encoding="utf-8"))
        version = content["schema_version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError("data set", root, f"{fix} ({PLAN_FILE}: {error})") from error
    if content.get("task") != task:
        raise InputError("data set", root, f"it is not a {title} data set; {fix}")
    if version != schema:
        raise InputError("data set", root, f"its schema is {version}, not {schema}; create it again")
    return dict(content)


def disk_error(root: Path, reason: str | None) -> ResourceError:
    """The set in `root` cannot be written."""
    return ResourceError(f"disk of {root}: {reason}; free some space or use another folder", ErrorCode.DISK)


def _check_same(root: Path, there: P, wanted: P) -> None:
    for field in fields(wanted):
        old, new = getattr(there, field.name), getattr(wanted, field.name)
        if old != new:
            raise InputError(field.name, new, f"the set in {root} was created with {old}; use that, or another folder")
