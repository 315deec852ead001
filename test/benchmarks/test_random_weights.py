"""The random-weights benchmark as it is run from the command line, on a tiny transformer and the full autoencoder."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from test.support.tiny_camera import write_tiny_camera_model

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_it_writes_loads_and_measures(tmp_path: Path) -> None:
    folder = write_tiny_camera_model(tmp_path / "models", "tiny-released")
    card = yaml.safe_load((folder / "card.yaml").read_text())
    card["weights"] = {"repository": "someone/tiny-released", "bytes": 1, "companions": "someone/parts"}
    (folder / "card.yaml").write_text(yaml.safe_dump(card))
    report = tmp_path / "report.json"
    script = str(ROOT / "benchmarks" / "random_weights.py")
    places = ["--work", str(tmp_path / "work"), "--json", str(report)]
    done = subprocess.run(
        [sys.executable, script, "--model", "tiny-released", "--size", "32", "48", *places],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "LINGBOT_MODELS": str(tmp_path / "models"),
        },
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    record = json.loads(report.read_text())
    assert [chunk["frames"] for chunk in record["chunks"]] == [5, 8]
    assert all(spread > 5 for chunk in record["chunks"] for spread in chunk["standard_deviation_of_frames"])
    assert [phase["phase"] for phase in record["phases"]] == ["load", "chunk 0", "chunk 1"]
