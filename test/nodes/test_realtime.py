"""Realtime: the newest action, no queue, held or stopped when actions cease."""

import time
from itertools import count, pairwise
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from lingbot_msgs.msg import FrameInfo, ImaginationStatus
from lingbot_ros.world import World
from test.support.imagination import PATIENCE_S, Probe, image_message, picture, running_node
from test.support.tiny_model import write_tiny_model


def drive(probe: Probe, actions: int, period_s: float) -> None:
    for k in range(actions):
        probe.act(k + 1, [float(k % 512), 256.0])
        time.sleep(period_s)


def test_actions_faster_than_frames_never_queue(model: Path, tmp_path: Path) -> None:
    with running_node(tmp_path, model__name=model, publish__status_period=0.1) as (_, probe):
        probe.bring_up()
        probe.start(session_id="live")
        drive(probe, 300, 0.01)
        infos = probe.imagined("live")
        assert len(infos) > 3
        used = [info.control_id for info in infos]
        assert used == sorted(used)
        assert max(b - a for a, b in pairwise(used)) > 1
        assert all(status.queue_depth <= 1 for status in probe.statuses)
        assert all(status.frames_waiting <= 2 for status in probe.statuses)
        probe.wait(lambda: probe.imagined("live")[-1].control_id == 300)
        status = probe.statuses[-1]
        assert status.mode == ImaginationStatus.MODE_REALTIME
        # The transport keeps only the newest action, so that some may be overtaken before they are received.
        assert len(set(used)) <= status.controls_received <= 300
        assert status.controls_replaced > 0
        infos = probe.imagined("live")
        assert [info.frame_index for info in infos] == list(range(1, len(infos) + 1))
        probe.wait(lambda: probe.imagined("live")[-1].control_state == FrameInfo.CONTROL_HELD)
        held = probe.imagined("live")[-1]
        assert (held.control_id, held.control_source) == (300, FrameInfo.SOURCE_ACTION)


def step_time_s(folder: Path) -> float:
    """What one frame of the tiny model takes here at best."""
    session = World.load(write_tiny_model(folder), threads=1).start(picture())
    times_s = []
    for _ in range(50):
        started_s = time.monotonic()
        session.step([[100.0, 100.0]])
        times_s.append(time.monotonic() - started_s)
    return min(times_s)


def test_a_generator_at_half_speed_says_so_and_does_not_queue(tmp_path: Path) -> None:
    """The model asks for twice the frames that it can compute here: fewer come, none of them from an old action."""
    fast = write_tiny_model(tmp_path / "fast", fps=2 / step_time_s(tmp_path / "trial"))
    with running_node(tmp_path, model__name=fast, publish__status_period=0.1) as (_, probe):
        probe.bring_up()
        probe.start(session_id="live")

        def running() -> list[ImaginationStatus]:
            return [status for status in probe.statuses if status.frames_published > 10]

        numbers = count(1)
        deadline_s = time.monotonic() + PATIENCE_S
        while len(running()) < 10 or running()[-1].real_time_factor >= 1:
            assert time.monotonic() < deadline_s, "the status never says that the model is slower than its rate"
            probe.act(number := next(numbers), [float(number % 512), 256.0])
            time.sleep(0.005)
        probe.wait(lambda: probe.imagined("live")[-1].control_id == number)
        used = [info.control_id for info in probe.imagined("live")]
        assert used == sorted(used)
        assert all(status.queue_depth <= 1 and status.frames_waiting <= 2 for status in running())
        probe.act(number + 1, [1.0, 1.0])
        seen = len(probe.imagined("live"))
        probe.wait(lambda: probe.imagined("live")[-1].control_id == number + 1)
        late = [info.control_id for info in probe.imagined("live")[seen:]].index(number + 1)
        assert late < running()[-1].nominal_fps  # frames of the action before: less than a second of them
        assert running()[-1].control_latency_p50 > 0


def test_stop_lets_time_stand_still(model: Path, tmp_path: Path) -> None:
    with running_node(tmp_path, model__name=model, input__stale="stop", input__action_timeout=0.3) as (_, probe):
        probe.bring_up()
        probe.start(session_id="live")
        probe.act(1, [100.0, 100.0])
        probe.wait(lambda: probe.imagined("live"))
        probe.wait(lambda: probe.statuses[-1].state == ImaginationStatus.STATE_WAITING)
        stood = len(probe.imagined("live"))
        probe.act(2, [200.0, 100.0])
        probe.wait(lambda: len(probe.imagined("live")) > stood)
        assert {i.control_state for i in probe.imagined("live")} == {FrameInfo.CONTROL_FRESH}
        assert probe.imagined("live")[stood].control_id == 2


def test_all_outputs_of_a_frame_share_one_header(model: Path, tmp_path: Path) -> None:
    with running_node(tmp_path, model__name=model, input__start_on_image="true") as (_, probe):
        cameras: list[CameraInfo] = []
        jpegs: list[CompressedImage] = []
        diagnostics: list[DiagnosticArray] = []
        probe.listen(CameraInfo, "camera_info", cameras)
        probe.listen(CompressedImage, "image_raw/compressed", jpegs)
        probe.listen(DiagnosticArray, "/diagnostics", diagnostics)
        probe.bring_up()
        seeds = probe.node.create_publisher(Image, "seed_image", 2)
        probe.wait(lambda: seeds.get_subscription_count() == 1)
        seeds.publish(image_message(picture(size=64)))
        probe.wait(lambda: probe.infos)
        probe.act(1, [100.0, 100.0])
        probe.wait(lambda: min(map(len, (probe.images, cameras, jpegs, probe.imagined()))) >= 3)
        assert probe.images[-1].header.frame_id == "camera_optical_frame"
        stamps = [
            {(m.header.stamp.sec, m.header.stamp.nanosec, m.header.frame_id) for m in messages[:3]}
            for messages in (probe.images, cameras, jpegs, probe.infos)
        ]
        assert all(found == stamps[0] for found in stamps)
        assert (cameras[0].width, cameras[0].height, cameras[0].k[0]) == (32, 32, 0.0)
        assert jpegs[0].format == "rgb8; jpeg compressed bgr8"
        assert (probe.images[0].encoding, probe.images[0].step, probe.images[0].width) == ("rgb8", 96, 32)
        probe.wait(lambda: diagnostics)
        names = [status.name for status in diagnostics[-1].status]
        assert names == ["imagination: generator", "imagination: input", "imagination: output"]
        assert {status.hardware_id for status in diagnostics[-1].status} == {"tiny"}


@pytest.mark.parametrize("pattern", ["/**", "/**/imagination"])
def test_namespace_and_parameter_file(model: Path, tmp_path: Path, pattern: str) -> None:
    """Relative names follow the namespace, and a parameter file matches below it."""
    file = tmp_path / "params.yaml"
    file.write_text(f"{pattern}:\n  ros__parameters:\n    model:\n      name: {model}\n    mode: lockstep\n")
    with running_node(tmp_path, extra=["--params-file", str(file), "-r", "__ns:=/left"]) as (node, probe):
        names = lambda: [name for name, _ in probe.node.get_topic_names_and_types()]  # noqa: E731
        probe.wait(lambda: "/left/imagination/transition_event" in names())
        probe.namespace = "/left/"
        assert probe.transition(1)
        probe.wait(lambda: "/left/image_raw" in names())
        probe.wait(lambda: "lockstep" in node.log_text())
