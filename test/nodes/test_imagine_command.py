"""`lingbot imagine` as a user runs it, with the shipped model, and a stranger's subscriber beside it."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import pytest

from lingbot_ros.checkpoints.cards import find_card
from test.support.imagination import PATIENCE_S, ROOT, isolated_environment
from test.support.processes import ended_within_patience, gone

pytest.importorskip("gym_pusht", reason="gym-pusht, which gives the first image, is not installed")

SUBSCRIBER = """
import rclpy
from sensor_msgs.msg import Image
from lingbot_msgs.msg import FrameInfo
rclpy.init()
node = rclpy.create_node("stranger")
seen = {}
def show(name, what):
    seen[name] = what
    if len(seen) == 2:
        print(*seen["image"], *seen["info"], flush=True)
        rclpy.try_shutdown()
node.create_subscription(Image, "image_raw", lambda m: show("image", (m.encoding, m.height, m.width)), 10)
node.create_subscription(FrameInfo, "frame_info", lambda m: show("info", (m.trust, m.trust_definition)), 10)
try:
    rclpy.spin(node)
except rclpy.executors.ExternalShutdownException:
    pass
"""

STARTER = """
import time
from lingbot_ros.nodes.client.node_process import NodeProcess
with NodeProcess([]) as process:
    print(process._process.pid, flush=True)
    time.sleep(600)
"""


@contextmanager
def imagine(environment: dict[str, str], *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "lingbot_ros.cli.main", "imagine", *arguments]
    with subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def wait_for_line(process: subprocess.Popen[str], start: str) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(start):
            return line
    raise AssertionError(f"no line starts with {start!r}")


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_stranger_sees_the_frames_and_the_film_is_there(tmp_path: Path) -> None:
    environment = isolated_environment()
    with imagine(environment, "--duration", "6", "--out", str(tmp_path)) as process:
        horizon = find_card("pusht-lasting").max_horizon
        wait_for_line(process, f"the model is reliable for about {horizon} frames after a real image")
        wait_for_line(process, "frame ")
        seen = subprocess.run(
            [sys.executable, "-c", SUBSCRIBER],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            timeout=PATIENCE_S,
            check=True,
        )
        encoding, height, width, trust, *definition = seen.stdout.split()
        assert (encoding, height, width) == ("rgb8", "96", "96") and 0 < float(trust) <= 1
        assert " ".join(definition).startswith("conformal p-value")
        wait_for_line(process, f"{tmp_path}/imagined.mp4")
        assert process.wait(PATIENCE_S) == 0
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["model"], summary["policy"], summary["errors"]) == ("pusht-lasting", "demo", 0)
    assert summary["action_to_frame_p50_s"] > 0
    film = cv2.VideoCapture(str(tmp_path / "imagined.mp4"))
    assert film.get(cv2.CAP_PROP_FRAME_COUNT) == summary["frames_received"] > 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_no_process_outlives_the_command(number: signal.Signals) -> None:
    with imagine(isolated_environment(), "--mode", "lockstep", "--policy", "circle") as process:
        wait_for_line(process, "frame ")
        (node,) = children(process.pid)
        process.send_signal(number)
        code = process.wait(PATIENCE_S)
    assert code == (-signal.SIGKILL if number is signal.SIGKILL else 0)
    assert ended_within_patience(node), "the node still runs"


@pytest.mark.parametrize(
    "numbers",
    [
        (signal.SIGINT,),
        (signal.SIGHUP,),
        (signal.SIGINT, signal.SIGINT, signal.SIGTERM),
    ],
    ids=["SIGINT", "SIGHUP", "three at once"],
)
def test_started_in_the_background_of_a_script_it_ends_in_order(
    tmp_path: Path, numbers: tuple[signal.Signals, ...]
) -> None:
    """A script's `&` lets it inherit SIGINT as ignored. Film and summary are whole, whatever comes meanwhile."""
    command = [sys.executable, "-m", "lingbot_ros.cli.main", "imagine", "--out", str(tmp_path)]
    script = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *command]
    with subprocess.Popen(
        script, env=isolated_environment(), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            wait_for_line(process, "frame ")
            (node,) = children(process.pid)
            for number in numbers:
                process.send_signal(number)
            _, said = process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()
        assert process.returncode == 0, said
    assert "Traceback" not in said
    assert gone(node)
    summary = json.loads((tmp_path / "summary.json").read_text())
    film = cv2.VideoCapture(str(tmp_path / "imagined.mp4"))
    assert film.get(cv2.CAP_PROP_FRAME_COUNT) == summary["frames_received"] > 0


@pytest.mark.parametrize("after_s", [0.02, 0.2, 0.6])
def test_a_node_ends_with_its_parent_while_it_still_imports(after_s: float) -> None:
    """The pause is what is varied. The parent ignores SIGINT, which is how its death is told."""
    command = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable, "-c", STARTER]
    with subprocess.Popen(command, env=isolated_environment(), cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        node = int(parent.stdout.readline())
        time.sleep(after_s)
        parent.kill()
    assert ended_within_patience(node), "the node still runs"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--model", "no-such"], 1, "lingbot imagine: model: got 'no-such'; known models: "),
        (["--duration", "0"], 2, "lingbot imagine: --duration: got 0.0; give a positive number of seconds"),
        (["--engine", "steam"], 1, "engine: got 'steam'"),
    ],
    ids=["model", "duration", "engine"],
)
def test_what_cannot_work_is_one_sentence(arguments: list[str], code: int, message: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lingbot_ros.cli.main", "imagine", *arguments],
        env=isolated_environment(),
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr
