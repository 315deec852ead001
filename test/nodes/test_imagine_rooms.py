"""`lingbot imagine --model rooms-small --prompt`: the default drive, as a user runs it."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from lingbot_ros.bridge.cameras import pose_to_camera_to_world
from lingbot_ros.control.scene_files import read_poses
from lingbot_ros.world import World
from test.nodes.test_imagine_camera import imagine
from test.support.poses import pose_messages

pytestmark = pytest.mark.model
PROMPT = "thick fog, and the walls turn red"


def test_the_default_drive_shows_what_the_core_shows(tmp_path: Path) -> None:
    command = ["--model", "rooms-small", "--threads", 1, "--frames", 12, "--prompt", PROMPT, "--out", tmp_path]
    done = imagine(command, tmp_path)
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["frames_received"], summary["intrinsics"], summary["model_fps"]) == (12, "the model's", 16.0)
    world = World.load("rooms-small", threads=1)
    session = world.start(world.seed_image(), prompt=PROMPT)
    poses = read_poses(world.card.folder / str(world.card.demo_poses), "poses")[:12]
    for message in pose_messages(poses):
        frame = session.step(pose_to_camera_to_world(message.pose, "pose")[None])[0]
    shown = cv2.imread(str(tmp_path / "latest.png"))
    factor = shown.shape[0] // world.info.height
    assert np.abs(shown[::factor, ::factor, ::-1].astype(int) - frame).max() <= 1  # the lens went through a message
    assert np.abs(frame.astype(int) - world.seed_image()).mean() > 2
