"""Signals that come at any moment of a start: no traceback, and a code that says what happened."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lingbot_ros.environment.interpreter import isolated_module
from test.support.imagination import PATIENCE_S, ROOT, isolated_environment
from test.support.processes import ended_within_patience, gone

PYTHON_S = 0.1
"""So long Python itself begins; then the programs' own handlers are there, or soon."""
SLOW_IMPORT = """
import sys, time
from lingbot_ros.nodes.executable import run_node
def load():
    print("imports", flush=True)
    time.sleep(600)
sys.exit(run_node("slow", load))
"""
DROPS_SIGINT = """
import sys, time
from lingbot_ros.nodes.client.node_process import NodeProcess
start = NodeProcess([])
start._command = [sys.executable, "-c", "import signal; signal.signal(signal.SIGINT, lambda *_: None); "
    "print('ready', flush=True); signal.pause(); signal.pause()"]
with start as process:
    print(process._process.pid, flush=True)
    time.sleep(600)
"""
NODES = {name: f"lingbot_ros.nodes.{name}.main" for name in ("imagination", "evaluator", "viewer")}
INTERRUPTED = 130


def ended(command: list[str], number: signal.Signals, after_s: float, folder: Path) -> int:
    """The code with which the command ends when the signal comes so long after its start."""
    with subprocess.Popen(
        command, env=isolated_environment(), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        time.sleep(after_s)
        process.send_signal(number)
        out, said = process.communicate(timeout=PATIENCE_S)
    assert "Traceback" not in said + out and "Error" not in said, f"{number.name} after {after_s:.2f} s: {said}"
    return process.returncode


@pytest.mark.parametrize(
    ("number", "after_s"),
    [(signal.SIGINT, 0.3), (signal.SIGTERM, 1.5), (signal.SIGINT, 4.0)],
    ids=str,
)
def test_imagine(number: signal.Signals, after_s: float, tmp_path: Path) -> None:
    """The pause is what is varied: the set-up's check, imports, the node's start, its model, the first frames."""
    command = [str(ROOT / "lingbot"), "imagine", "--mode", "lockstep"]
    assert ended(command, number, after_s, tmp_path) in (0, INTERRUPTED, -number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_node_does_not_import_to_the_end_first(number: signal.Signals) -> None:
    """On a busy machine that takes minutes; there is nothing to end in order yet."""
    with subprocess.Popen(
        [sys.executable, "-c", SLOW_IMPORT], env=isolated_environment(), cwd=ROOT, stdout=subprocess.PIPE
    ) as node:
        assert node.stdout is not None and node.stdout.readline() == b"imports\n"
        node.send_signal(number)
        try:
            assert node.wait(PATIENCE_S) == 0
        finally:
            node.kill()


def test_a_parent_s_death_is_told_by_a_signal_that_python_cannot_drop() -> None:
    """A SIGINT while Python begins is a KeyboardInterrupt, which is lost where a finaliser runs."""
    with subprocess.Popen(
        [sys.executable, "-c", DROPS_SIGINT],
        env=isolated_environment(),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None and parent.stderr is not None
        node = int(parent.stdout.readline())
        assert parent.stderr.readline() == "ready\n"
        parent.kill()
    try:
        assert ended_within_patience(node), "the node still runs"
    finally:
        if not gone(node):
            os.kill(node, signal.SIGKILL)


@pytest.mark.slow
def test_imagine_thirty_times(tmp_path: Path) -> None:
    chance = random.Random(0)
    for _ in range(30):
        number = chance.choice((signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
        test_imagine(number, chance.uniform(0.0, 8.0), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", NODES)
def test_nodes_thirty_times(name: str, tmp_path: Path) -> None:
    chance = random.Random(0)
    command = [sys.executable, *isolated_module(NODES[name])]
    if name == "viewer":
        command += ["--ros-args", "-p", "port:=0"]
    for _ in range(30):
        number = chance.choice((signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
        # Python's own rule holds until it has read the program; a SIGINT is then a KeyboardInterrupt.
        after_s = chance.uniform(PYTHON_S if number is signal.SIGINT else 0.0, 6.0)
        assert ended(command, number, after_s, tmp_path) in (0, -number)
