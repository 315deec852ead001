"""The live monitor: quiet on normal frames, and stopped by what nobody imagined."""

from pathlib import Path

import numpy as np
import pytest

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.policies.contract import Frame
from lingbot_ros.evaluate.reality.calibration import Calibration, calibrate
from lingbot_ros.evaluate.reality.gate import Gate, Level
from lingbot_ros.evaluate.reality.monitor import Monitor, Reading, normal_windows
from test.support.dot_world import DotStepper, draw, recorded, walk

PERIOD_NS = 100_000_000
WINDOW = 8


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    windows = normal_windows(DotStepper(), [recorded((WINDOW + 1) * 120, seed=1)], WINDOW)
    found = calibrate(windows, model="dot", weights_sha256="0")
    assert found is not None
    return found


class Robot:
    """Acts and looks: the world does what it is told unless a test says otherwise."""

    def __init__(self, calibration: Calibration | None, chunk: int = 1, seed: int = 5) -> None:
        self.stepper = DotStepper(chunk=chunk)
        self.monitor = Monitor(self.stepper, calibration, WINDOW)
        self.noise, self.dots, self.frame = np.random.default_rng(seed), walk(400, seed), 0
        self.box = (30, 10)

    def look(self, image: Frame | None = None, late_ns: int = 0) -> list[Reading]:
        """Show the next frame, after the action that led to it."""
        self.frame += 1
        stamp_ns = 10**12 + self.frame * PERIOD_NS
        self.monitor.act(self.dots[self.frame], stamp_ns - PERIOD_NS)
        seen = draw(self.dots[self.frame], self.box, self.noise) if image is None else image
        return self.monitor.show(seen, stamp_ns + late_ns)

    def levels(self, frames: int, image: Frame | None = None) -> list[Level]:
        return [reading.level for _ in range(frames) for reading in self.look(image)]


@pytest.mark.parametrize("chunk", [1, 4])
def test_normal_frames_stay_trusted(calibration: Calibration, chunk: int) -> None:
    robot = Robot(calibration, chunk)
    levels = robot.levels(10 * WINDOW)
    assert len(levels) >= 9 * WINDOW
    assert levels.count(Level.OK) > 0.7 * len(levels)
    robot.monitor.close()
    assert not robot.stepper.open


def test_a_pushed_object_stops_and_the_new_scene_is_trusted_again(calibration: Calibration) -> None:
    robot = Robot(calibration)
    robot.levels(7)
    robot.box = (24, 10)
    pushed = [reading for _ in range(3) for reading in robot.look()]
    assert pushed[1].level is Level.STOP and pushed[2].level is Level.STOP
    assert "reality has left the imagined future: local error" in pushed[1].reason
    assert pushed[1].trusted == 3 and pushed[1].score > calibration.stop
    assert Level.OK in robot.levels(2 * WINDOW)


@pytest.mark.parametrize("lived", range(4, 4 + 2 * (WINDOW + 1)))
def test_there_is_no_frame_in_which_a_push_goes_unnoticed(calibration: Calibration, lived: int) -> None:
    robot = Robot(calibration)
    robot.levels(lived)
    robot.box = (24, 10)
    assert Level.STOP in robot.levels(3)


def test_a_blocked_camera_stops_until_it_sees_again(calibration: Calibration) -> None:
    robot = Robot(calibration)
    robot.levels(7)
    black = np.zeros((48, 48, 3), np.uint8)
    levels = robot.levels(3 * WINDOW, black)
    assert set(levels[1:]) == {Level.STOP}
    assert "appearance" in robot.look(black)[-1].reason or "cannot go on" in robot.look(black)[-1].reason
    assert Level.OK in robot.levels(2 * WINDOW)


def test_a_robot_that_does_not_move_as_told_is_caught(calibration: Calibration) -> None:
    robot = Robot(calibration)
    robot.levels(6)
    stuck = draw(robot.dots[robot.frame], robot.box)
    robot.dots[robot.frame + 1 :] += (12, 0)
    assert Level.STOP in robot.levels(3, stuck)


def test_images_may_be_missing_or_come_more_often_than_the_model_s(calibration: Calibration) -> None:
    robot = Robot(calibration)
    robot.levels(6)
    for _ in range(3):  # not shown, but acted
        robot.frame += 1
        robot.monitor.act(robot.dots[robot.frame], 10**12 + (robot.frame - 1) * PERIOD_NS)
    (reading,) = robot.look()
    assert (reading.level, reading.frame) == (Level.OK, 6)
    between = draw(robot.dots[robot.frame], robot.box)
    assert robot.monitor.show(between, 10**12 + robot.frame * PERIOD_NS + PERIOD_NS // 3) == []


def test_without_actions_or_a_calibration_nothing_is_claimed(calibration: Calibration) -> None:
    (reading,) = Monitor(DotStepper(), calibration, WINDOW).show(draw(np.full(2, 20.0)), 10**12)
    assert reading.level is Level.UNKNOWN and "no action" in reading.reason
    robot = Robot(None)
    readings = [reading for _ in range(8) for reading in robot.look()]
    assert {reading.level for reading in readings} == {Level.UNKNOWN}
    assert np.isfinite(readings[-1].raw).all() and np.isnan(readings[-1].score)
    assert "not calibrated" in readings[-1].reason


def test_what_the_model_cannot_take_is_refused(calibration: Calibration) -> None:
    monitor = Monitor(DotStepper(), calibration, WINDOW)
    for bad in (np.array([1.0]), np.array([1.0, np.nan])):
        with pytest.raises(InputError, match=r"^action: got"):
            monitor.act(bad, 0)


def test_few_normal_windows_stop_in_calibration_s_sense(calibration: Calibration) -> None:
    fresh = normal_windows(DotStepper(), [recorded((WINDOW + 1) * 100, seed=9)], WINDOW)
    scores = [calibration.scaled(window).max(axis=1) for window in fresh]
    stopped = [np.minimum(score[1:], score[:-1]).max() > calibration.stop for score in scores]
    assert np.mean(stopped) <= 2 * calibration.alpha
    assert calibration.warn <= calibration.stop


def test_a_calibration_is_read_back(calibration: Calibration, tmp_path: Path) -> None:
    calibration.save(tmp_path / "trust.json")
    assert Calibration.load(tmp_path / "trust.json") == calibration
    for content in ("", "{}", '{"schema": "lingbot.trust/9"}'):
        (tmp_path / "bad.json").write_text(content)
        with pytest.raises(InputError, match=r"^calibration: got .*bad\.json; make it with"):
            Calibration.load(tmp_path / "bad.json")
    assert calibrate([np.zeros((4, 3))] * 29, model="dot", weights_sha256="0") is None


def test_the_gate_holds_a_stop_until_a_later_window_is_normal() -> None:
    gate = Gate(1.0, 2.0, recover_hold=3)
    assert [gate.add(score) for score in (0.5, 1.5, 0.5, 0.5, 0.5)] == [1, 2, 2, 2, 1]
    assert [gate.add(score) for score in (3.0, 0.5, 3.0, 3.0)] == [2, 2, 2, 3]
    assert [gate.add(0.1) for _ in range(5)] == [3] * 5
    gate.begin_window()
    assert [gate.add(0.1) for _ in range(3)] == [3, 3, 1]
