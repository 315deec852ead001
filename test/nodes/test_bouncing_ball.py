"""A user's task on ROS: `lingbot imagine` runs its model in the real node and lets its demo policy play."""

import json
from pathlib import Path

from test.support.bouncing_ball import InstalledTask
from test.support.imagination import isolated_environment


def test_the_demo_of_the_task_plays_in_the_imagined_world(tmp_path: Path) -> None:
    installed = InstalledTask(tmp_path)
    installed.train(iterations=12)
    environment = isolated_environment()
    domain = {name: environment[name] for name in ("ROS_DOMAIN_ID", "ROS_AUTOMATIC_DISCOVERY_RANGE")}
    done = installed.run("imagine", **domain)
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert (summary["policy"], summary["first_picture"]) == ("demo", "a ball, seed 0")
    assert summary["frames_received"] > 0 and summary["errors"] == 0
    assert (tmp_path / "out" / "imagined.mp4").is_file()
