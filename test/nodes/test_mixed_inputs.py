"""Realtime with several sources, and with one that dies: who drove each frame is told, and the session goes on."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from geometry_msgs.msg import TwistStamped

from lingbot_msgs.msg import FrameInfo
from test.support.imagination import PATIENCE_S, ROOT, Probe, isolated_environment, running_node

SOURCES = (FrameInfo.SOURCE_ACTION, FrameInfo.SOURCE_CMD_VEL)


def driven(probe: Probe, source: int, state: int, after: int = 0) -> int:
    """Wait for a frame that this source drove, later than frame `after`; returns its index."""

    def found() -> list[int]:
        return [
            info.frame_index
            for info in probe.imagined()
            if info.frame_index > after and (info.control_source, info.control_state) == (source, state)
        ]

    probe.wait(found)
    return found()[0]


@contextmanager
def steering(probe: Probe) -> Iterator[None]:
    """A velocity every 50 ms, until the end of the `with`."""
    publisher, done = probe.node.create_publisher(TwistStamped, "cmd_vel", 1), threading.Event()
    message = TwistStamped()
    message.twist.linear.x = 0.1

    def run() -> None:
        while not done.wait(0.05):
            publisher.publish(message)

    thread = threading.Thread(target=run)
    thread.start()
    yield
    done.set()
    thread.join()
    probe.node.destroy_publisher(publisher)


def test_priority_fallback_and_decay(model: Path, tmp_path: Path) -> None:
    file = tmp_path / "maps.yaml"
    file.write_text("/**:\n  ros__parameters: {input: {velocity_map: ['-100*linear.y', '-100*linear.x']}}\n")
    settings = {"input.stale": "decay", "input.decay_time": 1.0, "publish.status_period": 0.1}
    with running_node(tmp_path, extra=["--params-file", str(file)], model__name=model, **settings) as (_, probe):
        probe.bring_up()
        probe.start(session_id="live")
        with steering(probe):
            began = driven(probe, FrameInfo.SOURCE_CMD_VEL, FrameInfo.CONTROL_FRESH)
            probe.act(1, [100.0, 100.0])
            taken = driven(probe, FrameInfo.SOURCE_ACTION, FrameInfo.CONTROL_FRESH, began)
            back = driven(probe, FrameInfo.SOURCE_CMD_VEL, FrameInfo.CONTROL_FRESH, taken)
        fading = driven(probe, FrameInfo.SOURCE_CMD_VEL, FrameInfo.CONTROL_DECAYED, back)
        driven(probe, FrameInfo.SOURCE_CMD_VEL, FrameInfo.CONTROL_STOPPED, fading)
        infos = probe.imagined("live")
        assert [info.frame_index for info in infos] == list(range(1, len(infos) + 1))
        by_index = {info.frame_index: info.control for info in infos}
        moved = {index: by_index[index - 1][1] - by_index[index][1] for index in range(back + 1, len(infos))}
        assert abs(moved[back + 1] - 1.0) < 1e-9  # 100 units/s per m/s, 0.1 m/s, 0.1 s
        assert 0 < moved[fading + 1] < moved[fading]
        assert by_index[len(infos)][1] > 0
        probe.wait(lambda: probe.statuses[-1].control_state == FrameInfo.CONTROL_STOPPED)
        assert probe.statuses[-1].control_source == FrameInfo.SOURCE_CMD_VEL


def test_a_policy_that_is_killed_and_restarted_drives_again(model: Path, tmp_path: Path) -> None:
    def policy(domain: str) -> subprocess.Popen[bytes]:
        environment = {**isolated_environment(), "ROS_DOMAIN_ID": domain}
        command = [sys.executable, str(ROOT / "docs" / "examples" / "policy.py")]
        return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)

    with running_node(tmp_path, model__name=model, publish__status_period=0.1) as (node, probe):
        probe.bring_up()
        probe.start(session_id="rollout")
        domain = str(probe.context.get_domain_id())
        process = policy(domain)
        try:
            alive = driven(probe, FrameInfo.SOURCE_ACTION, FrameInfo.CONTROL_FRESH)
            process.send_signal(signal.SIGKILL)
            process.wait(PATIENCE_S)
            held = driven(probe, FrameInfo.SOURCE_ACTION, FrameInfo.CONTROL_HELD, alive)
            process = policy(domain)
            driven(probe, FrameInfo.SOURCE_ACTION, FrameInfo.CONTROL_FRESH, held)
        finally:
            process.kill()
            process.wait(PATIENCE_S)
        infos = probe.imagined()
        assert {info.session_id for info in infos} == {"rollout"}
        assert [info.frame_index for info in infos] == list(range(1, len(infos) + 1))
        assert probe.statuses[-1].error_count == 0
        assert "refused" not in node.log_text()
