"""`lingbot sim` as a user runs it, and the tutorial's planning test against it."""

import re
import signal
import subprocess
import sys

import pytest

pytest.importorskip("simulation_interfaces.msg", reason="simulation_interfaces is not built (./lingbot test builds it)")

from test.support.imagination import PATIENCE_S, ROOT, isolated_environment
from test.support.viewer import PageSocket

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


def test_a_person_plays_it_on_the_page() -> None:
    """Pausing, futures and reset go through the standard's services, and the simulator keeps its one session."""
    pytest.importorskip("uvicorn")
    command = [*SIM, "--view", "--port", "0"]
    with subprocess.Popen(command, env=isolated_environment(), cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        page = PageSocket(next(line.split()[1] for line in process.stdout if line.startswith("open ")))
        page.wait(lambda: 0 in page.images and page.state.get("simulator") and page.state["status"])
        first = page.images[0]
        assert page.ask("new_world", seed=1)["error_msg"].startswith("new_world: a simulator")
        assert page.ask("pause", paused=False)["error_code"] == 0
        assert page.ask("pause", paused=False)["error_code"] == 0, "what plays already is no error"
        page.wait(lambda: page.state["frame"]["index"] >= 3, values=[100.0, 100.0])
        page.send(type="drive")
        assert page.ask("pause", paused=True)["error_code"] == 0
        page.wait(lambda: page.state["status"]["state"] == "paused")
        before = page.state["frame"]["index"]
        assert page.ask("futures", count=2)["error_code"] == 0
        page.wait(lambda: 2 in page.images and page.images[1] != page.images[2], stream=2, values=[450.0, 450.0])
        page.send(type="drive", stream=2)
        assert page.ask("adopt", future=2)["error_code"] == 0
        assert page.ask("step")["error_code"] == 0
        page.wait(lambda: page.state["futures"] == 0 and page.state["frame"]["index"] > before + 1)
        assert page.state["status"]["session"] == "simulation"
        assert page.ask("reset")["error_code"] == 0
        page.wait(lambda: page.images[0] == first)
        page.close()
        process.send_signal(signal.SIGINT)
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
    assert "4 passed" in done.stdout
