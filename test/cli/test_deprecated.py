"""Options by their old names still work, and say in one line what to write."""

from pathlib import Path

import pytest
import yaml

from lingbot_ros.cli.main import main
from lingbot_ros.training.config import TrainConfig
from test.support.own_clips import write_small_set
from test.support.tiny_model import write_tiny_model

SMALL = Path(__file__).parents[2] / "config" / "training" / "small.yaml"


def test_the_key_look_is_validation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "old.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(SMALL.read_text()) | {"look": {"windows": 5}}))
    assert TrainConfig.load(path).validation.windows == 5
    assert capsys.readouterr().err == f"{path}: `look:` is deprecated, write `validation:`\n"


def test_look_every_is_eval_every(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_small_set(tmp_path / "data")
    command = ["train", "--config", str(SMALL), "--data", str(data), "--run", str(tmp_path / "run")]
    assert main([*command, "--look-every", "-3"]) == 2
    first, last = capsys.readouterr().err.splitlines()
    assert first == "lingbot train: --look-every is deprecated, write --eval-every"
    assert last.startswith("lingbot train: --eval-every: got -3")


def test_floors_is_minimum(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, model = write_small_set(tmp_path / "data"), write_tiny_model(tmp_path, size=16)
    command = ["eval-model", str(model), "--data", str(data), "--horizon", "3", "--context", "2"]
    assert main([*command, "--floors"]) == 0
    assert "lingbot eval-model: --floors is deprecated, write --minimum\n" in capsys.readouterr().err


def test_a_model_of_no_task_is_measured_on_clips_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval-model", str(write_tiny_model(tmp_path))]) == 2
    assert "model: got tiny; its card names no task: give --data DIR" in capsys.readouterr().err
