"""A training keeps the memory of its tensors instead of asking the kernel for it a thousand times a second."""

import subprocess
import sys

import pytest

from lingbot_ros.training.memory import keep_freed_memory

_SCRIPT = """
import resource
import torch
from lingbot_ros.training.memory import keep_freed_memory

if {keep}:
    assert keep_freed_memory()
torch.set_num_threads(1)
for _ in range(5):
    (torch.ones(2**24) * 2).sum()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    (torch.ones(2**24) * 2).sum()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(keep: bool) -> int:
    """Of ten times two tensors of 64 MiB, in a process of its own."""
    script = [sys.executable, "-c", _SCRIPT.format(keep=keep)]
    return int(subprocess.run(script, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's counters are Linux's")
def test_tensors_are_made_without_page_faults() -> None:
    assert page_faults(keep=True) < page_faults(keep=False) / 4


def test_where_there_is_no_such_setting_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not keep_freed_memory()
