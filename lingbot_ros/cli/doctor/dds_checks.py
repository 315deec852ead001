"""DDS: a message there and back between two processes of this machine."""

import json
import os
import random
import subprocess
import sys

from lingbot_ros.cli.doctor.finding import Finding, ok, problem

_SPARE_DOMAINS = range(60, 101)
"""Away from 0, where users are, and within what Linux's ephemeral ports leave free."""
_LIMIT_S = 40
_ADVICE = (
    "check that the loopback interface is up (ip link), that no firewall blocks UDP, and that /dev/shm is writable"
)


def check_dds() -> Finding:
    """Start the probe's two processes on a spare domain and report what they measured."""
    variables = {
        **os.environ,
        "ROS_DOMAIN_ID": str(random.choice(_SPARE_DOMAINS)),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
    }
    command = [sys.executable, "-P", "-m", "lingbot_ros.nodes.dds_probe"]
    with subprocess.Popen([*command, "echo"], env=variables, stderr=subprocess.DEVNULL) as echo:
        try:
            done = subprocess.run(
                [*command, "ask"], check=False, capture_output=True, text=True, timeout=_LIMIT_S, env=variables
            )
        except subprocess.TimeoutExpired:
            return problem("DDS round trip", f"no answer in {_LIMIT_S} s", _ADVICE)
        finally:
            echo.terminate()
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        return problem("DDS round trip", lines[-1] if lines else f"exit code {done.returncode}", _ADVICE)
    answer = json.loads(done.stdout)
    return ok(
        "DDS round trip",
        f"{answer['median_ms']:.1f} ms between two processes (slowest {answer['slowest_ms']:.1f} ms, "
        f"found each other in {answer['discovery_s']:.1f} s)",
    )
