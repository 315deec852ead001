"""Who can reach the nodes that `./lingbot` starts."""

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from lingbot_ros.cli.node_session import use_large_images
from lingbot_ros.cli.reach import reach_line
from test.support.domains import borrow_domain

ROOT = Path(__file__).parents[2]
PROFILES = ("fastdds_localhost.xml", "fastdds_localhost_large_images.xml", "fastdds_localhost_udp.xml")

SOCKETS = """
import rclpy, os
rclpy.init()
node = rclpy.create_node("x")
inodes = {os.readlink(f"/proc/self/fd/{fd}").strip("socket:[]") for fd in os.listdir("/proc/self/fd")
          if os.path.islink(f"/proc/self/fd/{fd}")}
for line in open("/proc/net/udp").read().splitlines()[1:]:
    fields = line.split()
    address, port = fields[1].split(":")
    if fields[9] in inodes and int(port, 16) < 32768:  # well-known ports listen, the others only send
        print(".".join(str(int(address[i:i + 2], 16)) for i in (6, 4, 2, 0)))
if any("/dev/shm/fastdds_port" in line for line in open("/proc/self/maps")):
    print("shared memory")
"""


@pytest.mark.parametrize("profile", PROFILES)
def test_nobody_else_can_send_to_a_node(profile: str) -> None:
    """Its sockets listen on the loopback interface; it hears by shared memory unless that is UDP only."""
    pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
    reach = {
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        "FASTDDS_DEFAULT_PROFILES_FILE": str(ROOT / "config" / profile),
        "ROS_DOMAIN_ID": str(borrow_domain()),
    }
    done = subprocess.run(
        [sys.executable, "-c", SOCKETS], env={**os.environ, **reach}, capture_output=True, text=True, check=True
    )
    assert set(done.stdout.splitlines()) - {"shared memory"} == {"127.0.0.1"}
    assert ("shared memory" in done.stdout) == ("udp" not in profile)


@pytest.mark.parametrize("profile", PROFILES)
def test_the_profiles_are_well_formed(profile: str) -> None:
    root = ElementTree.parse(ROOT / "config" / profile).getroot()
    assert {item.text for item in root.iter() if item.tag.endswith("address")} == {"127.0.0.1"}


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}, "ROS 2 domain 7: this machine only; `./lingbot --network"),
        ({"ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET"}, "everybody in the network can take part"),
        ({}, "everybody in the network"),
        ({"ROS_AUTOMATIC_DISCOVERY_RANGE": "OFF"}, "nobody else"),
        ({"ROS_STATIC_PEERS": "192.0.2.7"}, "this machine and 192.0.2.7"),
    ],
)
def test_it_is_said_who_can_take_part(variables: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ROS_AUTOMATIC_DISCOVERY_RANGE", "ROS_STATIC_PEERS", "ROS_LOCALHOST_ONLY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**variables, "ROS_DOMAIN_ID": "7"}.items():
        monkeypatch.setenv(name, value)
    assert said in reach_line()


def test_large_images_stay_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTDDS_DEFAULT_PROFILES_FILE", str(ROOT / "config" / PROFILES[0]))
    use_large_images()
    assert os.environ["FASTDDS_DEFAULT_PROFILES_FILE"] == str(ROOT / "config" / PROFILES[1])


def allowed(node: str, kind: str, access: str) -> set[str]:
    """What a node of the shipped policy may do with its topics or services."""
    root = ElementTree.parse(ROOT / "config" / "sros2_policy.xml").getroot()
    (profile,) = [profile for profile in root.iter("profile") if profile.get("node") == node]
    return {str(item.text) for group in profile.findall(kind) if group.get(access) == "ALLOW" for item in group}


def test_the_policy_names_the_topics_and_services_of_the_node() -> None:
    page = (ROOT / "docs" / "ros_api.md").read_text()
    listed = page.split("## Topics\n")[1].split("\n## ")[0]
    topics = re.findall(r"^\| (in|out) \| `([^`]+)`", listed, flags=re.MULTILINE)
    services = re.findall(
        r"^\| `(~/[^`]+)` \|", page.split("## Services and action\n")[1].split("\n## ")[0], re.MULTILINE
    )
    assert {name for way, name in topics if way == "in"} <= allowed("imagination", "topics", "subscribe")
    assert {name for way, name in topics if way == "out"} <= allowed("imagination", "topics", "publish")
    assert set(services) <= allowed("imagination", "services", "reply")
    assert allowed("imagination", "actions", "execute") == {"~/imagine"}
    driven = allowed("driver", "topics", "publish") - {"/rosout", "/parameter_events"}
    assert driven <= allowed("imagination", "topics", "subscribe")
    ignored = {"/clock", "/parameter_events"}
    assert allowed("driver", "topics", "subscribe") - ignored <= allowed("imagination", "topics", "publish")
    called = {name.replace("/imagination/", "~/") for name in allowed("driver", "services", "request")}
    assert called <= allowed("imagination", "services", "reply")
