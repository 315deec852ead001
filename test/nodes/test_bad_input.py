"""Unusable input is refused with field, value and fix; the session goes on."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped

from lingbot_msgs.msg import ErrorCode, RobotAction
from lingbot_msgs.srv import EndSession, ListModels, SaveSession, StartSession, Step
from test.support.imagination import NodeUnderTest, Probe, image_message, picture


def goes_on(probe: Probe) -> bool:
    answer = probe.call(Step, "step", Step.Request(actions=[RobotAction(values=[1.0, 2.0])]))
    return answer.error_code == 0 and len(answer.images) == 1


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([math.nan, 5.0], "action[0].x: got nan; give a finite number from 0 to 512"),
        ([5.0, 513.0], "action[0].y: got 513.0; give a finite number from 0 to 512"),
        ([1.0, 2.0, 3.0], "action[0].values: got 3 numbers; give 2: x, y"),
        ([], "action[0].values: got 0 numbers; give 2: x, y"),
    ],
    ids=["nan", "range", "long", "empty"],
)
def test_action_topic(lockstep: tuple[NodeUnderTest, Probe], probe: Probe, values: list[float], message: str) -> None:
    probe.start(session_id="good")
    before = probe.statuses[-1].controls_rejected
    probe.act(1, values)
    probe.wait(lambda: probe.statuses[-1].controls_rejected == before + 1)
    assert probe.statuses[-1].last_error_code == ErrorCode.INVALID_INPUT
    assert probe.statuses[-1].last_error_msg.startswith(message)
    assert goes_on(probe)
    probe.wait(lambda: probe.imagined("good"))
    assert probe.imagined("good")[0].frame_index == 1


def test_action_for_another_session(probe: Probe) -> None:
    probe.start(session_id="good")
    probe.act(1, [1.0, 2.0], session_id="elsewhere")
    probe.wait(lambda: "elsewhere" in probe.statuses[-1].last_error_msg)
    assert probe.statuses[-1].last_error_code == ErrorCode.UNKNOWN_SESSION
    assert goes_on(probe)


STEPS: dict[str, tuple[dict[str, Any], int, str]] = {
    "nan": ({"actions": [RobotAction(values=[math.nan, 0.0])]}, ErrorCode.INVALID_INPUT, "action[0].x: got nan"),
    "length": (
        {"actions": [RobotAction(values=[1.0, 1.0]), RobotAction(values=[1.0])]},
        ErrorCode.INVALID_INPUT,
        "actions[1].values: got 1 numbers; give 2: x, y",
    ),
    "nothing": ({}, ErrorCode.INVALID_INPUT, "actions, camera_poses: got none; give actions"),
    "poses": (
        {"camera_poses": [PoseStamped()]},
        ErrorCode.UNSUPPORTED,
        "camera_poses: this model is driven by actions",
    ),
    "session": (
        {"session_id": "nobody", "actions": [RobotAction(values=[1.0, 1.0])]},
        ErrorCode.UNKNOWN_SESSION,
        "session_id: got 'nobody'; live sessions: ",
    ),
    "prompt": (
        {"prompt": "rain", "actions": [RobotAction(values=[1.0, 1.0])]},
        ErrorCode.INVALID_INPUT,
        "prompt: got 'rain'",
    ),
}


@pytest.mark.parametrize(("fields", "code", "message"), STEPS.values(), ids=STEPS)
def test_step(probe: Probe, fields: dict[str, Any], code: int, message: str) -> None:
    probe.start(session_id="good")
    answer = probe.call(Step, "step", Step.Request(**fields))
    assert answer.error_code == code
    assert answer.error_msg.startswith(message)
    assert answer.images == []
    assert goes_on(probe)


def cut(message: Any) -> Any:
    del message.data[-1]
    return message


STARTS: dict[str, tuple[Callable[[], dict[str, Any]], int, str]] = {
    "encoding": (
        lambda: {"image": image_message(picture(), "nv24")},
        ErrorCode.INVALID_INPUT,
        "image.encoding: got 'nv24'; convert to one of rgb8, bgr8",
    ),
    "cut": (lambda: {"image": cut(image_message(picture()))}, ErrorCode.INVALID_INPUT, "image.data: got 3071 bytes"),
    "model": (lambda: {"model": "no-such"}, ErrorCode.UNKNOWN_MODEL, "model: got 'no-such'; known models: "),
    "lease": (lambda: {"lease": -1.0}, ErrorCode.INVALID_INPUT, "lease: got -1.0"),
}


@pytest.mark.parametrize(("fields", "code", "message"), STARTS.values(), ids=STARTS)
def test_start_session(probe: Probe, fields: Callable[[], dict[str, Any]], code: int, message: str) -> None:
    probe.start(session_id="good")
    answer = probe.start(**fields())
    assert answer.error_code == code
    assert answer.error_msg.startswith(message)
    assert goes_on(probe)
    probe.wait(probe.imagined)
    assert {info.session_id for info in probe.imagined()} == {"good"}


def test_no_image_and_no_example(probe: Probe) -> None:
    answer = probe.call(StartSession, "start_session", StartSession.Request())
    assert answer.error_msg == "image: got empty data; give a first image: tiny has no example"


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd"])
def test_a_snapshot_cannot_leave_its_folder(probe: Probe, path: str) -> None:
    probe.start(session_id="good")
    answer = probe.call(SaveSession, "save_session", SaveSession.Request(path=path, overwrite=True))
    assert answer.error_code == ErrorCode.INVALID_INPUT
    assert answer.error_msg.startswith(f"path: got '{path}'; give a path inside the snapshot folder")


def test_every_refusal_is_in_the_log(lockstep: tuple[NodeUnderTest, Probe], probe: Probe) -> None:
    node, _ = lockstep
    answer = probe.call(EndSession, "end_session", EndSession.Request(session_id="never-was"))
    assert answer.error_code == ErrorCode.UNKNOWN_SESSION
    probe.wait(lambda: "end_session refused: session_id: got 'never-was'" in node.log_text())


def test_models_are_listed_with_the_loaded_one_first(probe: Probe) -> None:
    models = probe.call(ListModels, "list_models").models
    assert (models[0].name, models[0].loaded, models[0].control_names) == ("tiny", True, ["x", "y"])
    assert (models[0].height, models[0].width, models[0].fps, models[0].frames_per_chunk) == (32, 32, 10.0, 1)
    np.testing.assert_array_equal(models[0].control_high, [512.0, 512.0])
    assert not any(model.loaded for model in models[1:])
