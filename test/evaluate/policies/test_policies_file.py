"""The YAML file of policies, entry points and recorded actions."""

from pathlib import Path

import numpy as np
import pytest

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.policies import EachRow, Observation
from lingbot_ros.evaluate.policies.batched import Batched
from lingbot_ros.evaluate.policies.entry_point import load_factory
from lingbot_ros.evaluate.policies.policies_file import read_policies
from lingbot_ros.evaluate.policies.recorded import RecordedActions
from lingbot_ros.evaluate.policies.recording_files import load_actions
from lingbot_ros.recording.writer import Topic
from test.support.bags import Said, raw_image, robot_action, write_bag
from test.support.evaluated_policies import starts
from test.support.lerobot_sets import action, write_v3

CAMERA = Topic("/camera", "sensor_msgs/msg/Image")
ACTION = Topic("/action", "lingbot_msgs/msg/RobotAction")
SEER = "test.support.evaluated_policies:Seer"
(START,) = starts(1)


def written(folder: Path, text: str) -> Path:
    path = folder / "policies.yaml"
    path.write_text(text)
    return path


def test_policies_of_all_kinds_act(tmp_path: Path) -> None:
    np.save(tmp_path / "replay.npy", np.arange(6.0).reshape(3, 2))
    path = written(
        tmp_path,
        f"""
        policies:
          - name: seer
            entry_point: {SEER}
            config: {{noise: 0.0, chunk: 2}}
          - {{name: many, entry_point: "test.support.evaluated_policies:SeerBatch", batch: true, answer_within_s: 2}}
          - {{name: replay, actions: replay.npy}}
        """,
    )
    found = read_policies(path)
    assert [policy.name for policy in found] == ["seer", "many", "replay"]
    assert [type(policy) for policy in found] == [EachRow, Batched, RecordedActions]
    shapes = []
    for policy in found:
        assert policy.begin(4, START, seed=1) is None
        (answer,) = policy.act([4], [Observation(START.image, 0)])
        shapes.append(np.shape(answer))
        policy.end(4)
    assert shapes == [(2, 2), (1, 2), (1, 2)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("policies: [", "a text that is no YAML"),
        ("rows: 3", "with the list `policies:`"),
        ("policies: []", "with the list `policies:`"),
        ("policies: [seer]", r"policies\[0\]: got 'seer'"),
        (f"policies: [{{entry_point: '{SEER}'}}]", r"policies\[0\].name: got None"),
        ("policies: [{name: a}]", r"policies\[0\] \(a\): got the keys name; give one of entry_point, "),
        (
            f"policies: [{{name: a, entry_point: '{SEER}', actions: b.npy}}]",
            "give one of entry_point, lerobot, server, actions",
        ),
        (f"policies: [{{name: a, entry_point: '{SEER}', sped: 3}}]", r"policies\[0\].sped: got 3; leave it out"),
        (f"policies: [{{name: a, entry_point: '{SEER}', config: 3}}]", r"policies\[0\].config"),
        (f"policies: [{{name: a, entry_point: '{SEER}', batch: 1}}]", r"policies\[0\].batch"),
        (f"policies: [{{name: a, entry_point: '{SEER}', answer_within_s: 0}}]", r"policies\[0\].answer_within_s"),
        ("policies: [{name: a, entry_point: seer}]", r"policies\[0\].entry_point: got 'seer'; give MODULE:FACTORY"),
        ("policies: [{name: a, entry_point: 'no.such:thing'}]", "put its folder on PYTHONPATH"),
        ("policies: [{name: a, entry_point: 'math:pie'}]", "math has no function pie"),
        (f"policies: [{{name: a, entry_point: '{SEER}', python: /no}}]", r"policies\[0\].python: got /no;"),
        ("policies: [{name: a, server: 'http://host:8000'}]", r"policies\[0\].server: .* ws://127.0.0.1:8000"),
        ("policies: [{name: a, server: 'ws://host', execute_steps: 0}]", r"policies\[0\].execute_steps: got 0"),
        ("policies: [{name: a, server: 'ws://host', image_keys: []}]", r"policies\[0\].image_keys: got \[\]"),
        ("policies: [{name: a, lerobot: none}]", r"policies\[0\].lerobot: .* config.json is missing"),
        ("policies: [{name: a, actions: none.npy, episode: 1}]", r"policies\[0\].episode: got 1; leave it out"),
        ("policies: [{name: a, actions: none.npy}]", r"policies\[0\].actions: .* give a readable npy file"),
        (
            f"policies: [{{name: a, entry_point: '{SEER}'}}, {{name: a, entry_point: '{SEER}'}}]",
            r"policies\[1\].name: got 'a'; give every policy a name of its own",
        ),
    ],
)
def test_mistakes_are_named_with_their_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_policies(written(tmp_path, text))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none.yaml.; it cannot be read"):
        read_policies(tmp_path / "none.yaml")


def test_what_a_factory_makes_must_be_a_policy() -> None:
    with pytest.raises(InputError, match="the methods reset and act; reset is missing"):
        load_factory("fractions:Fraction")()


def test_a_folder_holds_the_actions_of_every_start(tmp_path: Path) -> None:
    np.save(tmp_path / "start0.npy", np.zeros((2, 2), np.float32))
    np.save(tmp_path / "start1.npy", np.ones((3, 2), np.float32))
    policy = RecordedActions("replay", load_actions(tmp_path))
    for row, start in enumerate(starts(2)):
        assert policy.begin(row, start, seed=0) is None
    answers = policy.act([0, 1], [Observation(START.image, 1), Observation(START.image, 2)])
    assert [np.asarray(answer).tolist() for answer in answers] == [[[0.0, 0.0]], [[1.0, 1.0]]]


def test_other_arrays_are_no_actions(tmp_path: Path) -> None:
    np.save(tmp_path / "flat.npy", np.zeros(4))
    np.save(tmp_path / "words.npy", np.array([["left"]]))
    for name in ("flat.npy", "words.npy"):
        with pytest.raises(InputError, match=r"numbers \[steps, dim\]"):
            load_actions(tmp_path / name)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"a folder of START_ID.npy"):
        load_actions(tmp_path / "empty")
    with pytest.raises(InputError, match="finite"):
        RecordedActions("replay", np.array([[np.nan]]))


def test_actions_of_a_bag_are_its_messages_in_order(tmp_path: Path) -> None:
    said = [Said(ACTION, 100.0 * k, robot_action([k, -k], None)) for k in range(4)]
    write_bag(tmp_path / "drive", [*said, Said(CAMERA, 50.0, raw_image(START.image, 50.0))])
    (found,) = read_policies(written(tmp_path, "policies: [{name: drive, actions: drive, topic: /action}]"))
    assert found.begin(0, START, 0) is None
    assert [found.act([0], [Observation(START.image, k)])[0].tolist() for k in range(4)] == [
        [[k, -k]] for k in range(4)
    ]
    with pytest.raises(InputError, match="topic: got none; give the topic of the actions, one of /action"):
        read_policies(written(tmp_path, "policies: [{name: drive, actions: drive}]"))


def test_actions_of_a_lerobot_episode_are_its_rows(tmp_path: Path) -> None:
    write_v3(tmp_path / "set")
    (found,) = read_policies(written(tmp_path, "policies: [{name: human, actions: set, episode: 1}]"))
    assert found.begin(0, START, 0) is None
    assert found.act([0], [Observation(START.image, 3)])[0].tolist() == [action(1, 3)]
    with pytest.raises(InputError, match="episode: got 9; give one of 0 to 2"):
        read_policies(written(tmp_path, "policies: [{name: human, actions: set, episode: 9}]"))
    with pytest.raises(InputError, match="topic: got /a; leave it out"):
        read_policies(written(tmp_path, "policies: [{name: human, actions: set, episode: 1, topic: /a}]"))
