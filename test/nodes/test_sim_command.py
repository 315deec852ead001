"""`lingbot sim` as a user runs it, and the tutorial's planning test against it."""

import re
import signal
import subprocess
import sys

import pytest

pytest.importorskip("simulation_interfaces.msg", reason="simulation_interfaces is not built (./lingbot test builds it)")

from test.support.imagination import PATIENCE_S, ROOT, isolated_environment

SIM = [sys.executable, "-m", "lingbot_ros.cli.main", "sim"]


def test_it_runs_for_its_duration_with_the_shipped_world() -> None:
    done = subprocess.run(
        [*SIM, "--duration", "6"],
        check=False,
        env=isolated_environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S * 2,
    )
    assert done.returncode == 0, done.stderr
    assert "paused in the world 'pusht'; step it with /step_simulation" in done.stdout
    assert re.search(r"^paused  frame 0 ", done.stdout, flags=re.MULTILINE)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(number: int) -> None:
    with subprocess.Popen(SIM, env=isolated_environment(), cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert any(line.startswith("paused in") for line in process.stdout)
        process.send_signal(number)
        assert process.wait(PATIENCE_S) == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--world", "nowhere"], "uri: got 'nowhere'; no such file; worlds by name: pusht"),
        (["--world", "/nowhere/x.yaml"], "uri: got '/nowhere/x.yaml'"),
        (["--duration", "-1"], "--duration: got -1.0"),
        (["--model", "nobody"], "known models: "),
    ],
)
def test_what_cannot_be_used_is_said_at_once(arguments: list[str], says: str) -> None:
    done = subprocess.run([*SIM, *arguments], check=False, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode in (1, 2) and says in done.stderr


def test_the_tutorial() -> None:
    page = (ROOT / "docs" / "tutorials" / "planning_test.md").read_text()
    (command,) = re.findall(r"^\./lingbot python (-m pytest .*)$", page, flags=re.MULTILINE)
    done = subprocess.run(
        [sys.executable, *command.split(), "-q", "-p", "no:cacheprovider"],
        check=False,
        env=isolated_environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S * 3,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
