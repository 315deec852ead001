"""The revisit benchmark as it is run from the command line, on a tiny camera model."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

from test.support.tiny_camera import write_tiny_camera_model

ROOT = Path(__file__).parents[2]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "revisit.py"), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_it_measures_with_and_without_memory(tmp_path: Path) -> None:
    model = write_tiny_camera_model(tmp_path)
    picture, report = tmp_path / "picture.png", tmp_path / "report.json"
    cv2.imwrite(str(picture), np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8))
    done = run("--model", model, "--image", picture, "--away", 1, 4, "--seeds", 0, "--device", "cpu", "--json", report)
    assert done.returncode == 0, done.stderr
    rows = json.loads(report.read_text())["rows"]
    assert [json.loads(line) for line in done.stdout.splitlines()] == rows
    assert [(row["memory"], row["chunks_away"]) for row in rows] == [(False, 1), (False, 4), (True, 1), (True, 4)]
    assert [row["recalled"] > 0 for row in rows] == [False, False, False, True]
    assert all(0 < row["start_db"] <= 100 and 0 < row["all_db"] <= 100 for row in rows)


def test_a_model_without_a_camera_is_refused() -> None:
    done = run("--model", "pusht-small", "--away", 1, "--seeds", 0, "--device", "cpu")
    assert done.returncode != 0 and "Traceback" not in done.stderr
