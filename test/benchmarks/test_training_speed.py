"""The benchmark of training as it is run from the command line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_it_measures_every_option(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    config = str(ROOT / "models" / "pusht-small" / "student.yaml")
    small = ["--iterations", "1", "--rounds", "1", "--batch-clips", "1", "--config", config]
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "training_speed.py"), *small, "--json", str(report)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    record = json.loads(report.read_text())
    assert [(row["precision"], row["loaders"]) for row in record["rows"]] == [("f32", 0), ("bf16", 0), ("bf16", 1)]
    assert all(row["frames_per_second"] > 0 for row in record["rows"])
    assert [row["loaders"] for row in record["loading_of_clips_of_64_frames"]] == [0, 1, 2]
    assert [row["clip_frames"] for row in record["attention"]] == [28, 64]
