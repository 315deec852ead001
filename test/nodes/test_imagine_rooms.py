"""`lingbot imagine --model rooms-small`: the default drive, as a user runs it."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from lingbot_ros.control.scene_files import read_poses
from lingbot_ros.world import World
from test.nodes.test_imagine_camera import imagine

pytestmark = pytest.mark.model


def test_the_default_drive_shows_what_the_core_shows(tmp_path: Path) -> None:
    done = imagine(["--model", "rooms-small", "--threads", 1, "--frames", 12, "--out", tmp_path], tmp_path)
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["frames_received"], summary["intrinsics"], summary["model_fps"]) == (12, "the model's", 16.0)
    world = World.load("rooms-small", threads=1)
    session = world.start(world.seed_image())
    for pose in read_poses(world.card.folder / str(world.card.demo_poses), "poses")[:12]:
        frame = session.step(pose[None])[0]
    published = cv2.imread(str(tmp_path / "latest.png"))[..., ::-1].astype(int)
    assert np.abs(published - frame).max() <= 1
    assert np.abs(frame.astype(int) - world.seed_image()).mean() > 2
