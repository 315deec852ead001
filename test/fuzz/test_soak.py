"""Every fault of one list in turn, for half an hour, at `./lingbot imagine` and a node in lockstep; nothing is lost."""

import json
import random
import signal
import time
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("simulation_interfaces.srv", reason="built by ./lingbot test or ./lingbot sim")
pytest.importorskip("gym_pusht", reason="gym-pusht, which gives the first image, is not installed")

from lingbot_msgs.srv import ListSessions
from lingbot_ros.recording.reader import BagReader
from test.fuzz.faults import FAULTS, kill_clients
from test.fuzz.soaked import KEPT, ImagineCommand, gaps, lockstep_node, rss_mb
from test.support.tiny_model import write_tiny_model

pytestmark = pytest.mark.slow

KILLED_CLIENTS = 60


@pytest.mark.parametrize("minutes", [1, 30])
def test_every_fault_in_turn(minutes: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """At least once each. The time is what is tested, for memory that grows and threads that are lost."""
    model = write_tiny_model(tmp_path / "models")
    imagine = ImagineCommand(tmp_path / "imagine")
    try:
        with lockstep_node(model, tmp_path / "lockstep") as lockstep:
            injected, memory = Counter[str](), []
            chance, end_s, rounds = random.Random(0), time.monotonic() + 60 * minutes, 0
            while rounds == 0 or time.monotonic() < end_s:
                for fault in chance.sample(FAULTS, len(FAULTS)):
                    injected[fault.__name__] += fault(imagine, lockstep, chance)
                    imagine.goes_on()
                    lockstep.goes_on()
                    with capsys.disabled():
                        print(f"{fault.__name__}: {injected[fault.__name__]}", flush=True)
                rounds += 1
                memory.append((rss_mb(imagine.node), rss_mb(lockstep.node.process.pid)))
                imagine.probe.images.clear()
            listed = lockstep.call(ListSessions, "list_sessions")
            assert {session.session_id for session in listed.sessions} == set(KEPT)
            heard = imagine.probe.imagined()
            (session,) = {info.session_id for info in heard}
            imagine.process.send_signal(signal.SIGINT)
            assert imagine.process.wait(120) == 0
            assert lockstep.node.stop() == 0
            for log in (imagine.log_text(), lockstep.node.log_text()):
                assert "Traceback" not in log, log[log.index("Traceback") - 2000 :][:4000]
            frames = [kept.frames for kept in lockstep.kept]
        assert not imagine.mark.exists()
        summary = json.loads((imagine.folder / "out" / "summary.json").read_text())
        film = cv2.VideoCapture(str(imagine.folder / "out" / "imagined.mp4"))
        assert film.get(cv2.CAP_PROP_FRAME_COUNT) == summary["frames_received"] > 0
        (bag,) = (imagine.folder / "bags").iterdir()
        with BagReader(bag) as opened:
            recorded = [frame.frame_index for frame in opened.frames()]
    finally:
        imagine.close()
    first, middle, last = memory[0], memory[len(memory) // 2], memory[-1]
    with capsys.disabled():
        print(
            f"\n{rounds} rounds, {sum(injected.values())} faults: {dict(injected)}\n"
            f"imagine: {heard[-1].frame_index} frames of {session}, {len(heard)} heard, {len(gaps(heard))} gaps, "
            f"film {summary['frames_received']}, recorded {len(recorded)}\n"
            f"lockstep: {sum(frames)} frames in {len(KEPT)} sessions equal to the core's\n"
            f"resident MB (imagine, lockstep): first round {np.round(first)}, middle {np.round(middle)}, last "
            f"{np.round(last)}"
        )
    assert recorded == list(range(len(recorded)))
    assert recorded[-1] >= heard[-1].frame_index


def test_clients_killed_again_and_again(tmp_path: Path) -> None:
    """What was sent to them stays in the node's shared memory; with 512 KB of it, calls were lost after 12 to 39."""
    chance, killed = random.Random(0), 0
    with lockstep_node(write_tiny_model(tmp_path / "models"), tmp_path / "node") as lockstep:
        while killed < KILLED_CLIENTS:
            killed += kill_clients(lockstep, chance)
            lockstep.goes_on()
