"""From a bag to a model that listens: were an action paired with the wrong frame on the way, it could not."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from lingbot_ros.cli.main import main
from lingbot_ros.datasets.reader import ClipSet
from lingbot_ros.evaluate.clip_evaluation import evaluate_clips
from lingbot_ros.evaluate.evaluation import EvaluationOptions
from lingbot_ros.recording.writer import Topic
from lingbot_ros.tasks.data import open_training_data
from lingbot_ros.training.export import export_model
from lingbot_ros.training.train import Limits, Trainer
from lingbot_ros.world import World
from test.support.bags import Said, png_image, robot_action, write_bag
from test.support.own_clips import TINY_CONFIG

CAMERA = Topic("/camera", "sensor_msgs/msg/CompressedImage")
ACTION = Topic("/action", "lingbot_msgs/msg/RobotAction")
TAKES, STEPS, SIZE = 10, 40, 32
CONFIG = replace(TINY_CONFIG, rollout=replace(TINY_CONFIG.rollout, teacher_iterations=1000, pool_clips=32))


def takes() -> list[Said]:
    """A dot that jumps to wherever the action says: no past tells where, but the right action does."""
    rng, said = np.random.default_rng(0), []
    for take in range(TAKES):
        frame = np.full((SIZE, SIZE, 3), 255, np.uint8)
        for k in range(STEPS + 1):
            ms = 6000.0 * take + 100 * k
            x, y = rng.uniform(-0.7, 0.7, 2)
            said += [Said(CAMERA, ms, png_image(frame, ms)), Said(ACTION, ms, robot_action((x, y), ms))]
            frame = np.full((SIZE, SIZE, 3), 255, np.uint8)
            row, column = int((y + 1) * SIZE / 2), int((x + 1) * SIZE / 2)
            frame[row - 3 : row + 3, column - 3 : column + 3] = 0
    return said


def test_a_model_learns_to_listen_to_recorded_actions(tmp_path: Path) -> None:
    bag, data, model = write_bag(tmp_path / "bag", takes()), tmp_path / "data", tmp_path / "model"
    command = ["dataset", "from-bag", str(bag), "--images", "/camera", "--actions", "/action", "--out", str(data)]
    assert main([*command, "--size", "32x32", "--low=-1,-1", "--high=1,1", "--validation", "0.2"]) == 0
    found = open_training_data(data, CONFIG)
    trainer = Trainer(CONFIG, found.source, found.background, tmp_path / "run")
    trainer.train(Limits(iterations=120))
    found.begin_export(model)
    export_model(trainer.average, CONFIG, model)
    figures = evaluate_clips(World.load(model), ClipSet(data), EvaluationOptions(8, 0, 2, 2, quiet=True)).report.figures
    assert figures.listens and figures.shuffled_cost_db.low > 2
    assert figures.trusted == 2 and max(figures.error_ratio) < 0.6
