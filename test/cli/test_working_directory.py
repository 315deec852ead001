"""No verb, nor any process that one starts, runs a file of the working directory in the place of a package."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lingbot_ros.cli.main import BUILT_IN
from lingbot_ros.environment.interpreter import isolated_module
from test.support.domains import borrow_domain

ROOT = Path(__file__).parents[2]
PATIENCE_S = 300
TRAPS = ("cv2", "json", "lingbot_msgs", "lingbot_ros", "numpy", "queue", "rclpy", "rosbags", "torch", "yaml")
# As far as each gets without data of its own; imagine, sim, dataset, doctor and test start processes of their own.
LINES = {
    "imagine": ["imagine", "--duration", "1"],
    "sim": ["sim", "--duration", "1"],
    "replay": ["replay", "no-bag"],
    "dataset": ["dataset", "pusht", "--out", "made", "--episodes", "1", "--steps", "5", "--workers", "1"],
    "train": ["train", "--config", "no.yaml", "--data", "clips", "--run", "run"],
    "distill": ["distill", "--config", "no.yaml", "--data", "clips", "--run", "run", "no-teacher"],
    "train-head": ["train-head", "judge", "no-head", "no-model"],
    "eval-model": ["eval-model", "no-model"],
    "evaluate": ["evaluate", "--policies", "no.yaml", "--out", "report"],
    "gate": ["gate", "no-report"],
    "plan": ["plan", "--goals", "0"],
    "models": ["models", "list"],
    "calibrate": ["calibrate", "no-drive", "--distance", "1"],
    "docs": ["docs", "--build", "."],
    "setup": ["setup", "--engine", "onnxruntime"],
    "engines": ["engines"],
    "export": ["export", "no-model"],
    "bench": ["bench", "no-model"],
    "doctor": ["doctor"],
    "test": ["test", "--no-lint", "no-such-test.py"],
}


@pytest.mark.parametrize("verb", BUILT_IN)
def test_files_of_the_working_directory_are_not_run(verb: str, tmp_path: Path) -> None:
    place, mark = tmp_path / "place", tmp_path / "run"
    place.mkdir()
    for name in TRAPS:
        said = f"import os\nopen({str(mark)!r}, 'a').write({name!r} + ' ')\nos._exit(3)\n"
        (place / f"{name}.py").write_text(said)
    variables = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
        "ROS_DOMAIN_ID": str(borrow_domain()),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        "ROS_HOME": str(tmp_path / "ros"),
    }
    # As ./lingbot starts it, see `lingbot_ros.environment.start`.
    command = [sys.executable, *isolated_module("lingbot_ros.cli.main", *LINES[verb])]
    done = subprocess.run(
        command, cwd=place, env=variables, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert not mark.exists(), f"{mark.read_text()}: {done.stderr[-2000:]}"
    if verb in ("imagine", "sim", "dataset", "models"):
        assert done.returncode == 0, done.stderr
