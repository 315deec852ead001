"""The benchmark of a whole frame, as it is run from the command line: the real node, real DDS, a tiny model."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
pytest.importorskip("lingbot_msgs.msg", reason="lingbot_msgs is not built")

from test.support.imagination import ROOT, isolated_environment
from test.support.tiny_model import write_tiny_model


def test_it_times_every_frame_on_its_way(tmp_path: Path) -> None:
    model, report = write_tiny_model(tmp_path), tmp_path / "report.json"
    cv2.imwrite(str(model / "seed.png"), np.zeros((32, 32, 3), np.uint8))
    card = yaml.safe_load((model / "card.yaml").read_text()) | {"seed_image": "seed.png"}
    (model / "card.yaml").write_text(yaml.safe_dump(card))
    options = ["--model", str(model), "--threads", "1", "--frames", "6", "--json", str(report)]
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "frame_time.py"), *options],
        env=isolated_environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(report.read_text())["rows"]
    assert [json.loads(line) for line in done.stdout.splitlines()] == rows
    assert [(row["threads"], row["frames"]) for row in rows] == [(1, 6)]
    assert 0 < rows[0]["model_ms_p50"] < rows[0]["frame_ms_p50"] <= rows[0]["frame_ms_p95"]
