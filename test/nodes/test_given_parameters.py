"""Parameters as files and command lines give them: converted, refused in a sentence, or named as unknown."""

from pathlib import Path
from typing import Any

import pytest

from lingbot_ros.errors import InputError
from lingbot_ros.nodes.imagination.parameters import PARAMETERS, config_of
from lingbot_ros.nodes.parameter_files import parameter_files, useless_file
from test.support.imagination import running_node

BY_NAME = {parameter.name: parameter for parameter in PARAMETERS}


@pytest.mark.parametrize(
    ("name", "given", "taken"),
    [
        ("publish.status_period", 1, 1.0),
        ("camera.intrinsics", [500, 500, 416, 240], [500.0, 500.0, 416.0, 240.0]),
        ("publish.jpeg_quality", 9e1, 90),
        ("input.joy.axes", [1.0, 0.0, -1.0, -1.0, 4.0, 3.0], [1, 0, -1, -1, 4, 3]),
        ("input.velocity_map", None, [""]),
    ],
)
def test_what_loses_nothing_is_converted(name: str, given: object, taken: object) -> None:
    value = BY_NAME[name].converted(given)
    assert value == taken
    assert repr(value) == repr(taken)


@pytest.mark.parametrize(
    ("name", "given", "sentence"),
    [
        ("input.stale", False, "input.stale: got the boolean false; write a text in quotes"),
        ("model.name", 7, "model.name: got the number 7; write a text in quotes"),
        ("publish.odom", "yes please", "publish.odom: got the text 'yes please'; give true or false"),
        ("publish.jpeg_quality", 80.5, "publish.jpeg_quality: got the number 80.5; give a whole number"),
        ("publish.jpeg_quality", 1000, "publish.jpeg_quality: got 1000; give a number from 1 to 100"),
        ("publish.status_period", float("nan"), "publish.status_period: got nan; give a finite number"),
        ("publish.status_period", True, "publish.status_period: got the boolean true; give a number"),
        ("camera.intrinsics", None, "camera.intrinsics: got nothing or an empty list; give a list of numbers"),
        ("camera.intrinsics", 500.0, "camera.intrinsics: got the number 500.0; give a list of numbers"),
        ("input.priority", "joy", "input.priority: got the text 'joy'; give a list of texts"),
        ("mode", None, "mode: got nothing or an empty list; give a text, or leave the line out"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(name: str, given: object, sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        BY_NAME[name].converted(given)
    assert str(refused.value).startswith(sentence)


def test_every_parameter_refuses_what_is_of_no_type_of_its_own() -> None:
    for parameter in PARAMETERS:
        with pytest.raises(InputError, match=f"^{parameter.name}: got "):
            parameter.converted(b"bytes")


def test_lists_of_another_length_are_refused() -> None:
    values: dict[str, Any] = {parameter.name: parameter.default for parameter in PARAMETERS}
    with pytest.raises(InputError, match=r"^camera\.intrinsics: .* four numbers"):
        config_of(values | {"camera.intrinsics": [500.0]})
    assert config_of(values | {"input.priority": [""]}).worker.priority == ()


@pytest.mark.parametrize(
    ("key", "is_for_r1"),
    [
        ("/**", True),
        ("/r1/imagination", True),
        ("r1/imagination", True),
        ("/**/imagination", True),
        ("/*/imagination", True),
        ("/r1/**", True),
        ("imagination", False),
        ("/*", False),
        ("/r1/imagination_node", False),
        ("/r2/**", False),
    ],
)
def test_keys_match_as_in_ros(tmp_path: Path, key: str, is_for_r1: bool) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(f'"{key}":\n  ros__parameters: {{mode: lockstep}}\n')
    assert (useless_file(str(file), "/r1/imagination") is None) is is_for_r1


def test_nested_namespaces_and_files_of_a_command_line(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("r1:\n  imagination:\n    ros__parameters: {mode: lockstep}\n")
    assert useless_file(str(file), "/r1/imagination") is None
    sentence = useless_file(str(file), "/imagination")
    assert sentence is not None
    assert "parameters of /r1/imagination, and this node is /imagination" in sentence
    given = ["node", "--ros-args", "--params-file", "a", "-p", "b:=1", "--params-file", "c"]
    assert parameter_files(given) == ["a", "c"]


def test_a_node_names_what_it_does_not_know_and_keeps_real_time(model: Path, tmp_path: Path) -> None:
    """Whole numbers, an empty list, a misspelled name, a file of another node, and a /clock that nobody publishes."""
    mine, others = tmp_path / "mine.yaml", tmp_path / "others.yaml"
    mine.write_text(
        "/**:\n  ros__parameters:\n    input: {stael: stop, velocity_map: []}\n    publish: {status_period: 1}\n"
        "    qos_overrides: {/imgae_raw: {publisher: {depth: 3}}}\n    use_sim_time: true\n"
    )
    others.write_text("/imagination_node:\n  ros__parameters: {mode: lockstep}\n")
    files = ["--params-file", str(mine), "--params-file", str(others)]
    with running_node(tmp_path, extra=files, model__name=model) as (node, probe):
        probe.bring_up()
        probe.wait(lambda: "nobody publishes /clock" in node.log_text())
        probe.clear_and_wait(probe.statuses, 2)
        log = node.log_text()
    assert "parameter 'input.stael' is unknown and was ignored; did you mean 'input.stale'?" in log
    assert "parameter 'qos_overrides./imgae_raw.publisher.depth' is unknown and was ignored" in log
    assert f"{others} sets nothing: it has parameters of /imagination_node, and this node is /imagination" in log
    assert str(mine) not in log.replace(f"--params-file {mine}", "")
    assert "Traceback" not in log


def test_a_node_that_cannot_begin_says_it_in_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("/**:\n  ros__parameters:\n    input: {stale: off}\n")
    with running_node(tmp_path, extra=["--params-file", str(file)]) as (node, _):
        assert node.process.wait(60) == 2
        log = node.log_text()
    assert "imagination: input.stale: got the boolean false; write a text in quotes" in log
    assert "Traceback" not in log
