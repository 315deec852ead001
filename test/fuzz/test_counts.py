"""Often what must never fail: whole lives of a node, double interrupts while it records, parents that are killed."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import GetState

from lingbot_msgs.action import Imagine
from lingbot_msgs.msg import RobotAction
from lingbot_msgs.srv import StartSession
from lingbot_ros.recording.reader import BagReader
from test.support.imagination import ROOT, image_message, isolated_environment, picture, running_node
from test.support.processes import ended_within_patience
from test.support.tiny_model import write_tiny_model

pytestmark = pytest.mark.slow

CYCLES, INTERRUPTS, KILLS = 200, 200, 50


def test_two_hundred_lives(tmp_path: Path) -> None:
    """Configure, activate, a goal, deactivate, clean up: one process lives through all of them."""
    model = write_tiny_model(tmp_path / "models")
    with running_node(tmp_path, model__name=model, mode="lockstep") as (node, probe):
        client, goal = None, Imagine.Goal(actions=[RobotAction(values=[1.0, 2.0])] * 3)
        for cycle in range(CYCLES):
            assert probe.transition(Transition.TRANSITION_CONFIGURE), cycle
            assert probe.transition(Transition.TRANSITION_ACTIVATE), cycle
            first = StartSession.Request(image=image_message(picture()))
            assert probe.call(StartSession, "start_session", first).error_msg == ""
            client = client or probe.action_client(Imagine)
            assert client.wait_for_server(60)
            handle = probe.result(client.send_goal_async(goal))
            assert probe.result(handle.get_result_async()).result.frames == 3
            assert probe.transition(Transition.TRANSITION_DEACTIVATE), cycle
            assert probe.transition(Transition.TRANSITION_CLEANUP), cycle
        assert probe.call(GetState, "get_state").current_state.id == State.PRIMARY_STATE_UNCONFIGURED
        assert node.stop() == 0
        assert "Traceback" not in node.log_text()


def test_two_hundred_double_interrupts_while_recording(tmp_path: Path) -> None:
    """At random times, and with random pauses between the two; each bag can be read, to its last frame."""
    model, chance = write_tiny_model(tmp_path / "models"), random.Random(0)
    for turn in range(INTERRUPTS):
        folder = tmp_path / str(turn)
        options = {"recording__folder": folder / "bags", "recording__on_start": "true"}
        with running_node(folder, model__name=model, mode="lockstep", **options) as (node, probe):
            assert probe.transition(Transition.TRANSITION_CONFIGURE)
            assert probe.transition(Transition.TRANSITION_ACTIVATE)
            probe.start(session_id="taped")
            for number in range(1, 40):
                probe.act(number, [1.0, 2.0])
            time.sleep(chance.uniform(0.0, 0.5))
            for _ in range(2):
                node.process.send_signal(chance.choice((signal.SIGINT, signal.SIGTERM)))
                time.sleep(chance.choice((0.0, 0.01, 0.1)))
            assert node.stop() == 0
            assert "Traceback" not in node.log_text() and "terminate" not in node.log_text()
        (bag,) = (folder / "bags").iterdir()
        with BagReader(bag) as opened:
            recorded = [frame.frame_index for frame in opened.frames()]
        assert recorded == list(range(len(recorded))) and recorded, turn


def test_fifty_parents_killed_at_random_times_of_the_start(tmp_path: Path) -> None:
    """They ignore SIGINT, as what a script starts in the background does."""
    chance = random.Random(0)
    starter = (
        "import time\nfrom lingbot_ros.nodes.client.node_process import NodeProcess\n"
        "with NodeProcess([]) as process:\n    print(process._process.pid, flush=True)\n    time.sleep(600)\n"
    )
    command = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable, "-c", starter]
    for _ in range(KILLS):
        with subprocess.Popen(
            command, env=isolated_environment(), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as parent:
            assert parent.stdout is not None
            node = int(parent.stdout.readline())
            time.sleep(chance.uniform(0.0, 5.0))
            parent.kill()
        assert ended_within_patience(node), "the node still runs"
