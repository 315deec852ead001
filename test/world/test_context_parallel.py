"""Several processes imagine one world: two real ones, connected by gloo."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from lingbot_ros.engine.processes import current_share, together
from lingbot_ros.errors import EngineError, InputError
from lingbot_ros.model.token_share import TokenShare
from test.support.tiny_camera import write_tiny_camera_model

ROOT = Path(__file__).parents[2]


def run_two(*program: str) -> str:
    """What two processes of a program print; they must succeed."""
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *program],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_two_processes_are_one(tmp_path: Path) -> None:
    printed = run_two("-m", "test.support.two_processes", str(write_tiny_camera_model(tmp_path)))
    errors = re.findall(r"process (\d) of 2: (\S+)", printed)
    assert sorted(rank for rank, _ in errors) == ["0", "1"], printed
    assert all(float(error) < 1e-5 for _, error in errors), printed
    assert printed.count("refused: engine: onnxruntime runs in one process") == 2


@pytest.mark.slow
def test_the_documented_program_times_chunks(tmp_path: Path) -> None:
    options = [str(write_tiny_camera_model(tmp_path)), "--device", "cpu", "--chunks", "2"]
    printed = run_two("benchmarks/context_parallel.py", *options)
    assert len(re.findall(r"2 processes, chunk \d: [\d.]+ s", printed)) == 2


def test_parts_of_frames_are_put_together_in_order() -> None:
    x = torch.arange(2 * 12 * 3).reshape(1, 24, 3)
    parts = torch.stack([TokenShare(rank, 4).own(x, frames=2) for rank in range(4)])
    assert parts.shape == (4, 1, 6, 3)
    assert torch.equal(parts[1][0, :, 0] // 3, torch.tensor([3, 4, 5, 15, 16, 17]))


def test_what_cannot_be_cut_is_refused() -> None:
    with pytest.raises(InputError, match="processes: got 4; give a number that divides 6, the tokens"):
        TokenShare(0, 4).check(tokens_per_frame=6, heads=8)
    with pytest.raises(InputError, match="divides 2, the heads"):
        TokenShare(0, 3).check(tokens_per_frame=6, heads=2)
    with pytest.raises(EngineError, match="not started by torchrun"), together("cpu"):
        pass
    assert current_share() is None
