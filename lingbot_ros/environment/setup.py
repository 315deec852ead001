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
from lingbot_ros.environment.stages import Stage, stages


def is_up_to_date(layout: Layout) -> bool:
    """Whether nothing is left to do. Takes milliseconds."""
    record = Record.read(layout.record)
    return record is not None and not _due(layout, record, stages(layout))


def bring_up_to_date(layout: Layout) -> None:
    """Do every stage that is due, with progress on stderr. Raises SetupError, after which it may be called again."""
    if is_up_to_date(layout):
        return
    with exclusive(layout.lock, when_busy=lambda: _say("another ./lingbot is setting up; waiting for it")) as lock:
        record = _usable_record(layout)
        plan = stages(layout)
        due = _due(layout, record, plan)
        lacks = [lack for check in dict.fromkeys(stage.missing for stage in due) for lack in check()]
        if lacks:
            raise SetupError("\n  ".join(["cannot set up:", *dict.fromkeys(lacks)]))
        if len(due) == len(plan):
            _say(f"first start: making a private environment in {layout.prefix} (some minutes, once)")
        for stage in due:
            _do(stage, f"[{plan.index(stage) + 1}/{len(plan)}] {stage.title}", layout, record, lock)
        if due:
            _say("the environment is ready")


def _due(layout: Layout, record: Record, plan: list[Stage]) -> list[Stage]:
    # The interpreter beneath may have been removed or replaced by the system.
    if not os.access(layout.python, os.X_OK):
        return plan
    due = [stage for stage in plan if record.done.get(stage.name) != stage.key]
    return plan if any(stage.name == "environment" for stage in due) else due


def _usable_record(layout: Layout) -> Record:
    """The record of an environment that can be built upon; one that cannot is removed first."""
    shutil.rmtree(layout.discarded, ignore_errors=True)
    record = Record.read(layout.record)
    if record is None:
        if layout.prefix.exists() and not layout.private.exists():
            raise SetupError(
                f"{layout.prefix} exists but was not made by this script: move it away or delete it, then run again"
            )
        reason = "is incomplete" if layout.prefix.exists() else None
    else:
        plan = {stage.name: stage for stage in stages(layout)}
        running = plan.get(record.running or "")
        if record.done.get("environment") != plan["environment"].key and record.running != "environment":
            reason = "was made for another folder or another Python"
        elif running is not None and running.fragile:
            reason = "was left by a set-up that was interrupted"
        elif not os.access(layout.python, os.X_OK):
            reason = "has lost its Python"
        else:
            reason = None
    if reason:
        _say(f"{layout.prefix} {reason}: making it anew")
        os.rename(layout.prefix, layout.discarded)
        shutil.rmtree(layout.discarded)
        record = None
    return record or Record()


def _do(stage: Stage, label: str, layout: Layout, record: Record, lock: int) -> None:
    record.begin(stage.name, layout.record)
    progress = Progress(label)
    installer = Installer(layout, progress, lock)
    try:
        stage.work(installer, progress, lock)
    except BaseException:
        progress.end("stopped")
        if stage.name != "environment" and not installer.has_changed_anything:
            record.abandon(layout.record)
        raise
    record.finish(stage.name, stage.key, layout.record)
    progress.end("done")


def _say(line: str) -> None:
    print(f"lingbot: {line}", file=sys.stderr, flush=True)
