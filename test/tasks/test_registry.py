"""Tasks are found by entry point; a broken one is named and takes no other along."""

import logging
from pathlib import Path

import pytest

from lingbot_ros.errors import LingbotError, ModelError
from lingbot_ros.tasks.registry import DEFAULT_TASK, all_tasks, find_task, task_names


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package whose task cannot be imported, and one that would replace a task of ours."""
    metadata = tmp_path / "broken-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[lingbot_ros.tasks]\nbroken = nowhere:Task\npusht = nowhere:Task\n")
    monkeypatch.syspath_prepend(tmp_path)


def test_the_built_in_task_is_there() -> None:
    assert DEFAULT_TASK in task_names()
    assert find_task(DEFAULT_TASK).name == DEFAULT_TASK


def test_an_unknown_task_lists_those_there_are() -> None:
    with pytest.raises(ModelError, match=r"^task: got 'chess'; this installation has pusht"):
        find_task("chess")


@pytest.mark.usefixtures("broken")
def test_a_broken_task_is_named_and_the_others_stay(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(LingbotError, match=r"^task broken: nowhere:Task cannot be loaded"):
        find_task("broken")
    with caplog.at_level(logging.WARNING):
        assert [task.name for task in all_tasks()] == [DEFAULT_TASK, "rooms"]
    assert "task broken" in caplog.text
