"""Bring the environment up to date: what changed is done again, the rest is left alone."""

import os
import shutil
import sys

from lingbot_ros.environment.failure import SetupError
from lingbot_ros.environment.layout import Layout
from lingbot_ros.environment.lock import exclusive
from lingbot_ros.environment.packages import Installer
from lingbot_ros.environment.progress import Progress
from lingbot_ros.environment.record import Record
from lingbot_ros.environment.stages import Stage


def is_up_to_date(layout: Layout, plan: list[Stage]) -> bool:
    """Whether nothing is left to do. Takes milliseconds."""
    record = Record.read(layout.record)
    return record is not None and not _due(layout, record, plan)


def bring_up_to_date(layout: Layout, plan: list[Stage]) -> None:
    """Do every stage that is due, with progress on stderr. Raises SetupError, after which it may be called again.

    The first stage of the plan makes the environment that the others work in: when it is due, all are.
    """
    if is_up_to_date(layout, plan):
        return
    with exclusive(layout.lock, when_busy=lambda: _say("another ./lingbot is setting up; waiting for it")) as lock:
        shutil.rmtree(layout.discarded, ignore_errors=True)
        record = Record.read(layout.record) or Record()
        obstacle = _obstacle(layout, record, plan)
        due = plan if obstacle else _due(layout, record, plan)
        lacks = [lack for check in dict.fromkeys(stage.missing for stage in due) for lack in check()]
        if lacks:
            raise SetupError("\n  ".join(["cannot set up:", *dict.fromkeys(lacks)]))
        if obstacle:
            _say(f"{layout.prefix} {obstacle}: creating it again")
            _discard(layout)
            record = Record()
        if len(due) == len(plan):
            _say(f"making a private environment in {layout.prefix} (some minutes, once)")
        for stage in due:
            _do(stage, f"[{plan.index(stage) + 1}/{len(plan)}] {stage.title}", layout, record, lock)
        if due:
            _say("the environment is ready")


def _due(layout: Layout, record: Record, plan: list[Stage]) -> list[Stage]:
    # The interpreter beneath may have been removed or replaced by the system.
    if not os.access(layout.python, os.X_OK):
        return plan
    due = [stage for stage in plan if record.done.get(stage.name) != stage.key]
    return plan if plan[0] in due else due


def _obstacle(layout: Layout, record: Record, plan: list[Stage]) -> str | None:
    """Why what lies at the environment's place cannot be built upon, or None."""
    if not layout.prefix.exists():
        return None
    if not layout.private.exists():
        raise SetupError(
            f"{layout.prefix} exists but was not made by this script: move it away or delete it, then run again"
        )
    if record.running == plan[0].name or any(stage.name == record.running and stage.fragile for stage in plan):
        return "was left by a set-up that was interrupted"
    if record.done.get(plan[0].name) != plan[0].key:
        return "was made for another folder, another Python or an earlier version"
    if not os.access(layout.python, os.X_OK):
        return "has lost its Python"
    return None


def _discard(layout: Layout) -> None:
    os.rename(layout.prefix, layout.discarded)
    shutil.rmtree(layout.discarded)


def _do(stage: Stage, label: str, layout: Layout, record: Record, lock: int) -> None:
    record.begin(stage.name, layout.record)
    progress = Progress(label)
    installer = Installer(layout, progress, lock)
    try:
        stage.work(installer, progress, lock)
    except BaseException:
        progress.end("stopped")
        # Before the first stage is done there is nothing that could be kept.
        if record.done and not installer.has_changed_anything:
            record.abandon(layout.record)
        raise
    record.finish(stage.name, stage.key, layout.record)
    progress.end("done")


def _say(line: str) -> None:
    print(f"lingbot: {line}", file=sys.stderr, flush=True)
