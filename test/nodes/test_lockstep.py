"""Lockstep: the frames that the model defines, all of them, once, in order, over DDS."""

import threading
import time
from pathlib import Path

import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

from lingbot_msgs.msg import FrameInfo, ImaginationStatus, RobotAction
from lingbot_msgs.srv import Step
from lingbot_ros.world import World
from test.support.imagination import Probe, picture, pixels

ACTIONS = np.random.default_rng(7).uniform(0, 512, (200, 2))


def expected_frames(model: Path, count: int, seed: int) -> list[np.ndarray]:
    session = World.load(model, threads=1).start(picture(), seed=seed)
    return [session.step(ACTIONS[k : k + 1])[0] for k in range(count)]


def test_a_burst_of_actions_gives_each_frame_once_and_in_order(probe: Probe, model: Path) -> None:
    started = probe.start(seed=3, session_id="burst").session
    for k, values in enumerate(ACTIONS):
        probe.act(k + 1, values)
    probe.wait(lambda: len(probe.imagined("burst")) >= 200 and len(probe.images) >= 201)
    infos = probe.imagined("burst")
    assert [info.control_id for info in infos] == list(range(1, 201))
    assert [info.frame_index for info in infos] == list(range(1, 201))
    assert [info.publish_index for info in infos] == list(range(infos[0].publish_index, infos[0].publish_index + 200))
    assert {info.control_source for info in infos} == {FrameInfo.SOURCE_ACTION}
    stamps = [info.header.stamp for info in infos]
    images = {(m.header.stamp.sec, m.header.stamp.nanosec): m for m in probe.images}
    paired = [pixels(images[stamp.sec, stamp.nanosec]) for stamp in stamps]
    for imagined, frame in zip(expected_frames(model, 200, seed=3), paired, strict=True):
        np.testing.assert_array_equal(frame, imagined)
    first_ns = started.start_stamp.sec * 10**9 + started.start_stamp.nanosec
    assert [s.sec * 10**9 + s.nanosec - first_ns for s in stamps] == [k * 10**8 for k in range(1, 201)]


def test_the_first_image_is_published_as_frame_zero(probe: Probe) -> None:
    probe.start(session_id="first")
    probe.wait(lambda: probe.images)
    (info,) = probe.infos
    assert (info.kind, info.frame_index, info.frames_since_real) == (FrameInfo.KIND_SEED, 0, 0)
    np.testing.assert_array_equal(pixels(probe.images[0]), picture())
    assert np.isnan(info.control_latency)
    assert np.isnan(info.trust)


def test_step_returns_the_same_frames_that_the_topic_carries(probe: Probe, model: Path) -> None:
    probe.start(seed=3, session_id="stepped")
    request = Step.Request(actions=[RobotAction(id=k + 1, values=ACTIONS[k]) for k in range(5)])
    answer = probe.call(Step, "step", request)
    assert (answer.error_code, answer.error_msg) == (0, "")
    for image, frame in zip(answer.images, expected_frames(model, 5, seed=3), strict=True):
        np.testing.assert_array_equal(pixels(image), frame)
    assert [info.control_id for info in answer.frames] == [1, 2, 3, 4, 5]
    assert {info.control_source for info in answer.frames} == {FrameInfo.SOURCE_SERVICE}
    assert answer.session.frame_index == 5
    probe.wait(lambda: len(probe.imagined("stepped")) == 5)
    assert [i.header.stamp for i in probe.imagined("stepped")] == [m.header.stamp for m in answer.images]


def test_no_action_no_frame(probe: Probe) -> None:
    probe.start(session_id="waiting")
    probe.statuses.clear()
    probe.wait(lambda: len(probe.statuses) > 2 and probe.statuses[-1].state == ImaginationStatus.STATE_WAITING)
    assert probe.statuses[-1].active_session == "waiting"
    assert probe.imagined("waiting") == []


def test_two_thousand_actions_give_two_thousand_frames_to_a_slow_subscriber(probe: Probe, model: Path) -> None:
    """Under random delays of both the sender and the receiver; a best-effort receiver can tell what it lacks."""
    delays = np.random.default_rng(2)
    actions = delays.uniform(0, 512, (2000, 2))
    context = probe.context
    listener = rclpy.create_node("listener", context=context)
    images: list[Image] = []
    unreliable: list[Image] = []

    def receive_slowly(message: Image) -> None:
        images.append(message)
        if len(images) % 7 == 0:
            time.sleep(delays.uniform(0, 0.1))

    every = QoSProfile(history=HistoryPolicy.KEEP_ALL, reliability=ReliabilityPolicy.RELIABLE)
    hasty = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    listener.create_subscription(Image, "image_raw", receive_slowly, every)
    listener.create_subscription(Image, "image_raw", unreliable.append, hasty)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(listener)
    spinning = threading.Thread(target=executor.spin, daemon=True)
    spinning.start()
    try:
        probe.wait(lambda: probe.node.count_subscribers("image_raw") == 3)
        probe.start(seed=3, session_id="long")
        for k, values in enumerate(actions):
            probe.wait(lambda k=k: k - len(probe.imagined("long")) < 900)
            probe.act(k + 1, values)
            if k % 11 == 0:
                time.sleep(delays.uniform(0, 0.02))
        probe.wait(lambda: len(probe.imagined("long")) >= 2000 and len(images) >= 2001, patience_s=240.0)
    finally:
        executor.shutdown(timeout_sec=5.0)
        spinning.join(5.0)
        listener.destroy_node()
    infos = probe.imagined("long")
    assert [info.control_id for info in infos] == list(range(1, 2001))
    assert [info.frame_index for info in infos] == list(range(1, 2001))
    stamps = [(i.header.stamp.sec, i.header.stamp.nanosec) for i in infos]
    received = [(m.header.stamp.sec, m.header.stamp.nanosec) for m in images]
    assert received[1:] == stamps
    session = World.load(model, threads=1).start(picture(), seed=3)
    for values, image in zip(actions, images[1:], strict=True):
        np.testing.assert_array_equal(pixels(image), session.step(values[None])[0])
    seen = {(m.header.stamp.sec, m.header.stamp.nanosec) for m in unreliable}
    assert seen <= {received[0], *stamps}  # `frame_info` names every frame, also those that this receiver lacks
