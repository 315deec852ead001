"""`lingbot train` and `lingbot distill` on Push-T data, as they are run from the command line."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from lingbot_ros.cli.main import main
from lingbot_ros.tasks.pusht.dataset.writer import make_shards, missing_shards, plan_dataset
from lingbot_ros.training.checkpoint import load_checkpoint
from lingbot_ros.world import World
from test.support.tiny_model import write_tiny_model

MODELS = Path(__file__).parents[2] / "models" / "pusht-small"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pusht")
    plan = plan_dataset("train", 7, episodes=4, steps=70)
    list(make_shards(root, plan, missing_shards(root, plan), workers=1))
    return root


def write_config(folder: Path, base: str = "student.yaml", **changes: dict[str, Any]) -> Path:
    """A shipped configuration with entries changed, and small enough to run here."""
    config = yaml.safe_load((MODELS / base).read_text())
    small = {
        "schedule": {"batch_clips": 1},
        "rollout": {"pool_clips": 2, "clip_frames": 4},
        "validation": {"windows": 2, "horizon": 16},
        "layer_fit": {"transitions": 200, "iterations": 3},
    }
    for part, entries in [*small.items(), *changes.items()]:
        config[part] = {**config.get(part, {}), **entries}
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def command(verb: list[str], config: Path, data: Path, run: Path, *more: str) -> int:
    return main([*verb, "--config", str(config), "--data", str(data), "--run", str(run), *more])


def test_a_closed_gate_is_exit_code_3_and_no_gate_goes_on(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_config(tmp_path, gate={"figure": "block_iou", "after_minutes": 0, "frame": 16, "bar": 0.999})
    run = tmp_path / "run"
    more = ("--iterations", "3", "--loaders", "1")
    assert command(["train"], config, data, run, *more) == 3
    told = capsys.readouterr().err
    assert "lingbot train: gate:" in told and "block_iou at open-loop frame 16" in told
    assert "0.9990: it is not learning contact" in told and "--no-gate" in told
    assert "Traceback" not in told and (run / "validation" / "000001.png").is_file()
    assert command(["train"], config, data, run, *more, "--no-gate", "--eval-every", "0") == 0
    assert load_checkpoint(run / "checkpoint.pt")["iteration"] == 3


def test_validation_on_a_stored_validation_set(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, run = write_config(tmp_path), tmp_path / "run"
    more = ("--iterations", "1", "--eval-every", "1", "--validation", str(data), "--precision", "f32")
    assert command(["train"], config, data, run, *more) == 0
    shown = capsys.readouterr()
    assert "block_iou" in shown.out + shown.err and "pusher_px" in shown.out + shown.err


def test_distill_ends_in_a_model_that_loads(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, folder = write_config(tmp_path), write_tiny_model(tmp_path, "student", size=96)
    more = ("--iterations", "2", "--eval-every", "0", "--no-gate", "--export", str(folder))
    assert command(["distill", "pusht-small"], config, data, tmp_path / "run", *more) == 0
    assert World.load(folder).info.parameters < 2.1e6
    small = write_tiny_model(tmp_path, "small", size=32)
    assert command(["distill", str(small)], config, data, tmp_path / "other") == 2
    assert "image size: got (32, 32); that of the data is (96, 96)" in capsys.readouterr().err


def test_the_gpu_configuration_trains(data: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    longer_than_two_windows = {"pool_clips": 2, "clip_frames": 18}
    config = write_config(tmp_path, "train-gpu.yaml", rollout=longer_than_two_windows)
    assert command(["train"], config, data, run, "--iterations", "2", "--eval-every", "0", "--no-gate") == 0
    assert load_checkpoint(run / "checkpoint.pt")["iteration"] == 2


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (("--loaders", "-1"), "--loaders"),
        (("--eval-every", "-1"), "--eval-every"),
        (("--validation", "/nowhere"), "/nowhere"),
    ],
)
def test_what_cannot_be_used_is_named(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], named: str
) -> None:
    assert command(["train"], write_config(tmp_path), data, tmp_path / "run", *more) == 2
    assert named in capsys.readouterr().err


def test_data_of_another_control_are_refused(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_config(tmp_path)
    plain = yaml.safe_load(config.read_text())
    plain["transformer"]["control"]["dim"] = 3
    config.write_text(yaml.safe_dump(plain))
    assert command(["train"], config, data, tmp_path / "run") == 2
    assert "transformer.control.dim: got 3; the data's actions have 2 numbers" in capsys.readouterr().err
