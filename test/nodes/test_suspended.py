"""A node that was stopped for longer than others wait for a sign of life, as in a debugger."""

import signal
import time
from pathlib import Path

import pytest

from test.support.imagination import ROOT, running_node

LEASE_S = 20.0
"""After so long without a sign Fast DDS takes a participant for gone, unless that says otherwise."""


@pytest.mark.slow
def test_old_subscribers_hear_it_again(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time is what is tested: without the profile others have given the node up by then."""
    monkeypatch.setenv("FASTDDS_DEFAULT_PROFILES_FILE", str(ROOT / "config" / "fastdds_debugger.xml"))
    with running_node(tmp_path, model__name=model, publish__status_period=0.1) as (node, probe):
        probe.bring_up()
        probe.start(session_id="long")
        probe.act(1, [100.0, 100.0])
        probe.wait(lambda: len(probe.imagined("long")) > 5)
        node.process.send_signal(signal.SIGSTOP)
        time.sleep(LEASE_S + 4.0)
        assert probe.node.count_publishers("/frame_info") == 1
        node.process.send_signal(signal.SIGCONT)
        statuses, frames = len(probe.statuses), len(probe.imagined("long"))
        probe.wait(lambda: len(probe.statuses) > statuses + 10 and len(probe.imagined("long")) > frames + 10)
