"""The doctor, on this machine and on one with something broken."""

import json
import os
import pwd
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from lingbot_ros.cli.doctor import dds_checks
from lingbot_ros.cli.doctor.dds_checks import check_dds
from lingbot_ros.cli.doctor.device_checks import check_devices
from lingbot_ros.cli.doctor.finding import State
from lingbot_ros.cli.doctor.machine_checks import check_machine
from lingbot_ros.cli.doctor.model_checks import check_models
from lingbot_ros.cli.doctor.probe import ProbeError
from lingbot_ros.cli.doctor.software_checks import import_failure
from lingbot_ros.environment.layout import Layout
from lingbot_ros.environment.variables import workspace_variables

ROOT = Path(__file__).resolve().parents[2]
needs_ros = pytest.mark.skipif(find_spec("rclpy") is None, reason="rclpy is not installed")


def test_the_machine_is_described() -> None:
    findings = {finding.subject: finding for finding in check_machine(ROOT)}
    assert {"processor", "disk", "UDP receive buffer", "C++ compiler", "cmake"} <= set(findings)
    assert findings["processor"].state is State.OK


def test_a_missing_compiler_is_a_problem_with_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    finding = next(finding for finding in check_machine(ROOT) if finding.subject == "C++ compiler")
    assert finding.state is State.PROBLEM
    assert "apt install" in finding.advice


def test_a_package_that_crashes_on_import_is_reported_and_does_not_crash_us(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "crashing_package.py").write_text("import os; os.abort()")
    (tmp_path / "broken_package.py").write_text("raise ImportError('libGL.so.1: no such file')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert import_failure("json") is None
    assert import_failure("broken_package") == "ImportError: libGL.so.1: no such file"
    assert "exit code -6" in str(import_failure("crashing_package"))


def test_torch_computes_on_the_cpu() -> None:
    finding = next(check_devices())
    assert finding.state is State.OK, finding
    assert "GFLOP/s" in finding.found


@needs_ros
def test_a_probe_that_does_not_end_holds_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """rclpy can miss the signal that wakes a node: the doctor waited for it for ever."""
    deaf, started = tmp_path / "deaf.py", tmp_path / "started"
    deaf.write_text(
        "import os, pathlib, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "part = pathlib.Path(sys.argv[1] + '.part')\n"
        "part.write_text(str(os.getpid()))\n"
        "part.rename(sys.argv[1])\n"
        "time.sleep(600)\n"
    )

    def fail(*_: object) -> str:
        while not started.exists():
            time.sleep(0.01)
        raise ProbeError("nobody answers")

    monkeypatch.setattr(dds_checks, "isolated_module", lambda *_: [str(deaf), str(started)])
    monkeypatch.setattr(dds_checks, "run_probe", fail)
    monkeypatch.setattr(dds_checks, "_GRACE_S", 0.1)
    assert check_dds().found == "nobody answers"
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), 0)


def test_dds_programs_of_other_users_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lingbot_ros.nodes import other_users

    (tmp_path / "fastdds_0123").touch()
    (tmp_path / "fastrtps_port7411").touch()
    assert other_users.other_users(tmp_path) == []
    assert other_users.other_users(tmp_path, user=os.getuid() + 1) == [pwd.getpwuid(os.getuid()).pw_name]
    assert not other_users.crosses_users({})
    udp = {"FASTDDS_BUILTIN_TRANSPORTS": "UDPv4"}
    assert other_users.crosses_users(udp)
    # As rmw_fastrtps does it: test_reach.py looks at what is open.
    assert not other_users.crosses_users({**udp, "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"})
    here = workspace_variables(Layout(tmp_path), udp)
    assert here["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST" and other_users.crosses_users(here)


def test_a_damaged_model_is_reported_with_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "card.yaml").write_text("name: [")
    monkeypatch.setenv("LINGBOT_MODELS", str(tmp_path))
    finding = next(finding for finding in check_models() if finding.subject == "model damaged")
    assert finding.state is State.NOTE
    assert str(damaged / "card.yaml") in finding.found


@needs_ros
def test_the_whole_report_as_json() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lingbot_ros.cli.main", "doctor", "--json"],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ,
        timeout=300,
    )
    report = json.loads(done.stdout)
    found = {finding["subject"]: finding for part in report["parts"].values() for finding in part}
    assert found["DDS round trip"]["state"] == "ok", found["DDS round trip"]
    assert found["rclpy"]["state"] == "ok"
    assert report["problems"] == sum(finding["state"] == "problem" for finding in found.values())
    assert done.returncode == (1 if report["problems"] else 0)
