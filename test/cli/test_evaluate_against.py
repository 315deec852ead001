"""`lingbot evaluate --against` on a bag, a set of clips and bad input, without ROS."""

import argparse
import json
from pathlib import Path

import pytest

from lingbot_ros.cli import evaluate
from lingbot_ros.cli.main import main
from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.reality.calibration import Calibration
from lingbot_ros.evaluate.reality.episodes import BagSource, bag_images, read_bag
from lingbot_ros.shared_files import find_shared
from lingbot_ros.tasks.registry import find_task
from test.support.bags import Said, Topic, png_image, robot_action, write_bag
from test.support.dot_world import draw, walk

CAMERA = Topic("/camera/image/compressed", "sensor_msgs/msg/CompressedImage")
ACTION = Topic("/action", "lingbot_msgs/msg/RobotAction")


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 images at 10 Hz, and the action that leads to each."""
    dots, said = walk(21, 1), []
    for frame in range(20):
        said.append(Said(CAMERA, 100 * frame, png_image(draw(dots[frame]), 100 * frame)))
        said.append(Said(ACTION, 100 * frame, robot_action(dots[frame + 1], 100 * frame)))
    return write_bag(tmp_path_factory.mktemp("bags") / "robot", said)


def test_a_bag_becomes_one_episode_at_the_model_s_size(bag: Path) -> None:
    (episode,) = read_bag(bag, BagSource(CAMERA.name, ACTION.name, 10.0, (48, 48), 8))
    assert episode.images.shape == (20, 48, 48, 3) and episode.steps == 19
    assert (episode.images[3] == draw(walk(21, 1)[3])).all()
    assert episode.actions[2] == pytest.approx(walk(21, 1)[3], abs=1e-5)
    assert bag_images(bag, "", (24, 24)).shape == (20, 24, 24, 3)


@pytest.mark.model
def test_a_data_set_of_the_task_is_compared_and_reported(tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "report"
    assert main(f"dataset pusht --out {data} --episodes 2 --steps 24 --seed 3 --workers 1".split()) == 0
    assert len(find_task("pusht").episodes(data)) == 2
    words = f"evaluate --against {data} --horizon 8 --context 4 --out {out} --threads 1"
    assert main(words.split()) == 0
    record = json.loads((out / "against.json").read_text())
    assert (len(record["names"]), len(record["psnr_db"]), record["context"]) == (4, 8, 4)
    assert record["follows"] and record["psnr_db"][0]["value"] > record["frozen_db"][0]["value"]
    assert record["command"].startswith(f"lingbot evaluate --against {data} --horizon 8 --context 4")
    assert record["fidelity"]["usable"]["usable_frames"] == 8 and record["fidelity"]["effect_ratio"] is None
    assert (out / "index.html").is_file() and not (out / "trust.json").exists()


@pytest.mark.model
def test_the_monitor_is_calibrated_by_one_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, out = tmp_path / "data", tmp_path / "trust"
    assert main(f"dataset pusht --out {data} --episodes 10 --steps 72 --seed 3 --workers 1 --split test".split()) == 0
    task = find_task("pusht")
    normal = task.normal_episodes(data)
    assert (len(normal), len(task.episodes(data))) == (9, 10)
    assert main(f"evaluate --calibrate {data} --model pusht-lasting --out {out} --threads 1".split()) == 0
    found = Calibration.load(out / "pusht-lasting.json")
    shipped = Calibration.load(find_shared("config", "trust", "pusht-lasting.json"))
    assert found.model == shipped.model and found.windows == 4 * 9
    assert 0.3 < found.high[0] / shipped.high[0] < 3 and found.stop >= found.warn > 0
    assert f"wrote {out / 'pusht-lasting.json'}" in capsys.readouterr().out
    few = tmp_path / "few"
    assert main(f"dataset pusht --out {few} --episodes 1 --steps 24 --seed 3 --workers 1".split()) == 0
    with pytest.raises(InputError, match=r"^--calibrate: got .* which has \d+ windows of 16 frames; give a longer"):
        run(f"--calibrate {few} --out {out} --threads 1")
    with pytest.raises(InputError, match=r"^--reference: got True; leave it out with --calibrate"):
        run(f"--calibrate {data} --reference --out {out}")


def run(words: str) -> int:
    """`lingbot evaluate`, which lets its errors out."""
    parser = argparse.ArgumentParser()
    evaluate.add_arguments(parser)
    return evaluate.run(parser.parse_args(words.split()))


@pytest.mark.model
@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--horizon 500", r"^bag: got images from"),
        ("--images /elsewhere", r"^--images: got /elsewhere"),
        ("--context 0", r"^--context: got 0"),
        ("--divergence 999", r"^--divergence: got 999"),
        ("--reference", r"^--reference: got True; leave it out with --against"),
    ],
)
def test_bad_input_is_one_sentence(bag: Path, tmp_path: Path, words: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        run(f"--against {bag} --out {tmp_path / 'out'} --threads 1 --horizon 8 {words}")
