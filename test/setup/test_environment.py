"""Bringing an environment up to date: once, again, after a failure, after an interruption, and twice at a time."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lingbot_ros.environment.failure import SetupError
from lingbot_ros.environment.layout import Layout
from lingbot_ros.environment.record import Record
from lingbot_ros.environment.setup import bring_up_to_date, is_up_to_date
from lingbot_ros.environment.stages import Stage


class Plan:
    """Three small real stages: a folder with a Python, a file, another file. `history` tells what was done."""

    def __init__(self, root: Path) -> None:
        self.layout = Layout(root)
        self.keys = {"environment": "1", "packages": "1", "messages": "1"}
        self.history: list[str] = []
        self.lacks: list[str] = []
        self.failing: dict[str, BaseException] = {}

    def stages(self) -> list[Stage]:
        return [
            Stage(name, name, key, lambda: self.lacks, self._work(name), fragile=name != "messages")
            for name, key in self.keys.items()
        ]

    def _work(self, name: str):
        def work(installer, _progress, _lock) -> None:
            self.history.append(name)
            if name == "environment":
                self.layout.python.parent.mkdir(parents=True)
                self.layout.python.symlink_to(sys.executable)
            if name == "packages":
                installer.has_changed_anything = True
            if name in self.failing:
                raise self.failing.pop(name)
            (self.layout.prefix / name).touch()

        return work

    def run(self) -> list[str]:
        """What one start does."""
        self.history.clear()
        bring_up_to_date(self.layout, self.stages())
        assert is_up_to_date(self.layout, self.stages())
        return list(self.history)


ALL = ["environment", "packages", "messages"]


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return Plan(tmp_path)


def test_the_first_start_does_everything_and_the_second_nothing(plan: Plan) -> None:
    assert plan.run() == ALL
    assert plan.run() == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [("messages", ["messages"]), ("packages", ["packages"]), ("environment", ALL)],
)
def test_only_what_changed_is_done_again(plan: Plan, changed: str, expected: list[str]) -> None:
    plan.run()
    plan.keys[changed] = "2"
    assert plan.run() == expected


def test_a_new_environment_contains_nothing_of_the_old(plan: Plan) -> None:
    plan.run()
    (plan.layout.prefix / "left-over").touch()
    plan.keys["environment"] = "2"
    plan.run()
    assert not (plan.layout.prefix / "left-over").exists()
    assert not plan.layout.discarded.exists()


def test_a_python_that_was_removed_beneath_means_a_new_environment(plan: Plan) -> None:
    plan.run()
    plan.layout.python.unlink()
    plan.layout.python.symlink_to("/nowhere/python3")
    assert plan.run() == ALL


@pytest.mark.parametrize(
    ("stage", "error", "expected"),
    [
        pytest.param("messages", SetupError("no compiler"), ["messages"], id="messages are only built again"),
        pytest.param("messages", KeyboardInterrupt(), ["messages"], id="also after Ctrl-C"),
        pytest.param("packages", KeyboardInterrupt(), ALL, id="half-installed packages are not built upon"),
        pytest.param("environment", KeyboardInterrupt(), ALL, id="nor is half an environment"),
    ],
)
def test_the_start_after_a_failure(plan: Plan, stage: str, error: BaseException, expected: list[str]) -> None:
    plan.failing[stage] = error
    with pytest.raises(type(error)):
        plan.run()
    assert not is_up_to_date(plan.layout, plan.stages())
    assert plan.run() == expected


def test_a_pip_that_failed_before_it_changed_anything_costs_nothing_else(plan: Plan) -> None:
    plan.run()
    record = Record.read(plan.layout.record)
    assert record is not None
    record.begin("packages", plan.layout.record)
    record.abandon(plan.layout.record)
    assert plan.run() == ["packages"]


def test_what_the_machine_lacks_is_said_before_anything_is_touched(plan: Plan) -> None:
    plan.lacks = ["no C++ compiler found", "no make found"]
    with pytest.raises(SetupError, match=r"no C\+\+ compiler found\n  no make found"):
        plan.run()
    assert plan.history == []
    assert not plan.layout.prefix.exists()


def test_an_environment_that_is_not_ours_is_left_alone(plan: Plan) -> None:
    precious = plan.layout.prefix / "precious"
    precious.parent.mkdir()
    precious.touch()
    with pytest.raises(SetupError, match="was not made by this script"):
        plan.run()
    assert precious.exists()


def test_a_record_that_is_torn_counts_as_none(plan: Plan) -> None:
    plan.run()
    plan.layout.record.write_text('{"done": {"enviro')
    assert plan.run() == ALL


# A start as a process of its own: it notes when it begins and ends its only long stage, which waits for a file.
STARTER = """
import os, subprocess, sys, time
from pathlib import Path
from lingbot_ros.environment.layout import Layout
from lingbot_ros.environment.setup import bring_up_to_date
from lingbot_ros.environment.stages import Stage

root = Path(sys.argv[1])
layout = Layout(root)

def make(installer, progress, lock):
    layout.python.parent.mkdir(parents=True)
    layout.python.symlink_to(sys.executable)

def install(installer, progress, lock):
    installer.has_changed_anything = True
    code = "import sys, time, pathlib\\nend = time.monotonic() + 60\\n"
    code += "while not pathlib.Path(sys.argv[1]).exists() and time.monotonic() < end: time.sleep(0.01)"
    child = subprocess.Popen([sys.executable, "-c", code, root / "go"], pass_fds=(lock,))
    with open(root / "log", "a") as log:
        log.write(f"installing {child.pid}\\n")
    child.wait()

stages = [Stage("environment", "a", "1", list, make, True), Stage("packages", "b", "1", list, install, True)]
bring_up_to_date(layout, stages)
print("up to date")
"""


class Start:
    def __init__(self, root: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", STARTER, str(root)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).resolve().parents[2],
        )

    def wait_for(self, line: str) -> None:
        assert self.process.stderr is not None
        for said in self.process.stderr:
            if line in said:
                return
        pytest.fail(f"ended without saying {line!r}")

    def end(self) -> tuple[int, str, str]:
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


def wait_until_installing(root: Path, start: Start) -> int:
    """The pid of the stand-in for pip."""
    start.wait_for("[2/2]")
    while start.process.poll() is None:
        if (root / "log").exists() and (root / "log").read_text().endswith("\n"):
            return int((root / "log").read_text().split()[-1])
    pytest.fail("ended before it installed")


def test_of_two_starts_the_second_waits_and_finds_everything_done(tmp_path: Path) -> None:
    first = Start(tmp_path)
    wait_until_installing(tmp_path, first)
    second = Start(tmp_path)
    second.wait_for("another ./lingbot is setting up; waiting for it")
    (tmp_path / "go").touch()
    assert first.end()[:2] == (0, "up to date\n")
    assert second.end()[:2] == (0, "up to date\n")
    assert (tmp_path / "log").read_text().count("installing") == 1


def test_a_pip_that_outlives_its_killed_parent_still_keeps_others_out(tmp_path: Path) -> None:
    first = Start(tmp_path)
    pip = wait_until_installing(tmp_path, first)
    first.process.kill()
    first.process.wait(30)
    os.kill(pip, 0)  # it is alive
    second = Start(tmp_path)
    second.wait_for("waiting for it")
    (tmp_path / "go").touch()
    code, out, err = second.end()
    assert (code, out) == (0, "up to date\n")
    assert "was left by a set-up that was interrupted: creating it again" in err


def test_a_start_that_is_interrupted_ends_and_the_next_one_completes(tmp_path: Path) -> None:
    first = Start(tmp_path)
    pip = wait_until_installing(tmp_path, first)
    first.process.send_signal(signal.SIGINT)
    assert first.process.wait(30) != 0
    os.kill(pip, signal.SIGKILL)
    (tmp_path / "go").touch()
    assert Start(tmp_path).end()[:2] == (0, "up to date\n")
