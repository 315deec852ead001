"""The comparison of choices that make worlds last, as it is run from the command line, on one short window."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from test.support.imagination import ROOT

pytest.importorskip("gym_pusht", reason="gym-pusht, which gives the windows, is not installed")


@pytest.mark.model
def test_every_choice_is_measured_on_the_same_windows(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    command = [sys.executable, str(ROOT / "benchmarks" / "lasting" / "compare.py"), "--windows", "1", "--horizon", "3"]
    subprocess.run([*command, "--json", str(report)], cwd=ROOT, capture_output=True, timeout=300, check=True)
    rows = json.loads(report.read_text())["rows"]
    assert len(rows) == 6 and all(row["frames"] == [1, 3] for row in rows.values())
    assert rows["as shipped"]["block_iou_mean"][0] > 0.9 and all(row["lost_share"] == [0, 0] for row in rows.values())


@pytest.mark.slow
def test_speed_is_measured(tmp_path: Path) -> None:
    report = tmp_path / "speed.json"
    command = [sys.executable, str(ROOT / "benchmarks" / "lasting" / "speed.py"), "--repeats", "3"]
    subprocess.run([*command, "--json", str(report)], cwd=ROOT, capture_output=True, timeout=300, check=True)
    found = json.loads(report.read_text())
    assert found["roll_poses_steps_per_s"] > 0 and found["batch_row"]["p50_ms"] > 0 and found["compiled_s"]["kept"] > 0
