"""The tasks that are installed, found by entry point, and what is used when nobody named anything."""

import importlib
import logging
from collections.abc import Iterator
from importlib.metadata import entry_points

from lingbot_ros.errors import ErrorCode, LingbotError, ModelError
from lingbot_ros.tasks.task import Task

_LOG = logging.getLogger(__name__)

GROUP = "lingbot_ros.tasks"
"""Entry points by which an installed package adds a task: `NAME = "package.module:Class"`, a `tasks.task.Task`."""

BUILT_IN = {"pusht": "lingbot_ros.tasks.pusht.task:PushT", "rooms": "lingbot_ros.tasks.rooms.task:Rooms"}
DEFAULT_TASK = "pusht"
DEFAULT_MODEL = "pusht-lasting"
DEFAULT_SCENE = "pusht"
"""A scene of the default model, in `config/worlds`."""


def task_names() -> list[str]:
    """Every task that is installed; this package's own come first and cannot be replaced."""
    return list(_targets())


def find_task(name: str) -> Task:
    """The task of that name. Raises ModelError that lists those there are, LingbotError for one that is broken."""
    targets = _targets()
    if name not in targets:
        fix = f"this installation has {', '.join(targets)}; install the package that has it"
        raise ModelError(f"task: got {name!r}; {fix}")
    module, _, attribute = targets[name].partition(":")
    try:
        task: Task = getattr(importlib.import_module(module), attribute)()
    except (ImportError, AttributeError, TypeError) as error:
        raise LingbotError(
            f"task {name}: {targets[name]} cannot be loaded ({error}); repair or remove its package",
            ErrorCode.UNSUPPORTED,
        ) from error
    return task


def all_tasks() -> Iterator[Task]:
    """Every installed task that can be loaded; a broken one must not take the others along, and is logged."""
    for name in task_names():
        try:
            yield find_task(name)
        except LingbotError as error:
            _LOG.warning("%s", error)


def _targets() -> dict[str, str]:
    added = {point.name: point.value for point in entry_points(group=GROUP)}
    return {**BUILT_IN, **{name: value for name, value in added.items() if name not in BUILT_IN}}
