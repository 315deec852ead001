"""The planning benchmark as it is run from the command line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_it_writes_what_it_measures_and_keeps_other_parts(tmp_path: Path) -> None:
    report = tmp_path / "planning.json"
    report.write_text(json.dumps({"budgets": ["kept"]}))
    subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "planning.py"), "pixels", "--goals", "1", "--json", str(report)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        check=True,
        timeout=600,
    )
    found = json.loads(report.read_text())
    assert found["budgets"] == ["kept"]
    assert [row["setting"].partition(",")[0] for row in found["pixels"]] == ["pusht-small", "pusht-lasting"]
    assert all(row["goals"] == 1 and row["cpu_s"] > 0 for row in found["pixels"])
