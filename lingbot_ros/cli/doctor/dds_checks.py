"""DDS: the round trip of a message between two processes on this machine."""

import json
import os
import random
import subprocess
import sys

from lingbot_ros.cli.doctor.finding import Finding, note, ok, problem
from lingbot_ros.cli.doctor.probe import ProbeError, run_probe
from lingbot_ros.environment.interpreter import isolated_module
from lingbot_ros.environment.progress import end_process
from lingbot_ros.nodes.other_users import ADVICE, crosses_users, other_users

_SPARE_DOMAINS = range(60, 101)
"""Not 0, the default domain of users; all of these map to ports below Linux's ephemeral range."""
_LIMIT_S = 40
_GRACE_S = 5.0
_ADVICE = (
    "check that the loopback interface is up (ip link), that no firewall blocks UDP, and that /dev/shm is writable"
)


def check_users() -> Finding:
    """Whether DDS programs of other users are here, whose topics are seen and whose messages never arrive."""
    users = other_users()
    if not users:
        return ok("users", "all DDS programs of this machine are yours")
    found = f"DDS programs of {', '.join(users)} run on this machine"
    if crosses_users(os.environ):
        return ok("users", f"{found}; this user sends by UDP, and so must they")
    return note("users", f"{found}: topics are seen, but messages do not arrive", ADVICE)


def check_dds() -> Finding:
    """Start the two processes of the probe on an unused domain and report their measurement."""
    variables = {
        "ROS_DOMAIN_ID": str(random.choice(_SPARE_DOMAINS)),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
    }
    probe = "lingbot_ros.nodes.dds_probe"
    command = [sys.executable, *isolated_module(probe, "echo")]
    with subprocess.Popen(command, env={**os.environ, **variables}, stderr=subprocess.DEVNULL) as echo:
        try:
            answer = json.loads(run_probe(isolated_module(probe, "ask"), _LIMIT_S, variables))
        except ProbeError as error:
            return problem("DDS round trip", str(error), _ADVICE)
        finally:
            # A signal that comes as rclpy begins to wait can fail to wake it.
            end_process(echo, _GRACE_S)
    return ok(
        "DDS round trip",
        f"{answer['median_ms']:.1f} ms between two processes (slowest {answer['slowest_ms']:.1f} ms, "
        f"discovery took {answer['discovery_s']:.1f} s)",
    )
