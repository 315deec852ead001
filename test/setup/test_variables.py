"""Which variables the program starts with, whatever was sourced before."""

from pathlib import Path

import pytest

from lingbot_ros.environment.layout import Layout
from lingbot_ros.environment.variables import REACH, foreign_prefixes, program_variables, workspace_variables

LAYOUT = Layout(Path("/home/me/lingbot"))
VENV = "/home/me/lingbot/.venv"

SOURCED = {
    "AMENT_PREFIX_PATH": "/ws/install/robot:/opt/ros/jazzy",
    "COLCON_PREFIX_PATH": "/ws/install",
    "COLCON_HOME": "/x",
    "CMAKE_PREFIX_PATH": "/opt/ros/jazzy",
    "PYTHONPATH": "/ws/install/robot/lib/python3.12:/home/me/own:/opt/ros/jazzy/lib/python3.12",
    "LD_LIBRARY_PATH": "/opt/ros/jazzy/lib:/usr/local/cuda/lib64",
    "PATH": "/opt/ros/jazzy/bin:/usr/bin",
    "ROS_DOMAIN_ID": "7",
    "RMW_IMPLEMENTATION": "rmw_fastrtps_cpp",
    "_ROS_WHEELS_BOOTSTRAP_COMPLETE": "1",
}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("AMENT_PREFIX_PATH", VENV),
        ("CMAKE_PREFIX_PATH", VENV),
        ("PYTHONPATH", "/home/me/own"),
        ("LD_LIBRARY_PATH", "/usr/local/cuda/lib64"),
        ("PATH", f"{VENV}/bin:/usr/bin"),
        ("VIRTUAL_ENV", VENV),
        ("COLCON_HOME", None),
        ("_ROS_WHEELS_BOOTSTRAP_COMPLETE", None),
        ("ROS_DOMAIN_ID", "7"),
        ("RMW_IMPLEMENTATION", "rmw_fastrtps_cpp"),
    ],
)
def test_a_sourced_ros_is_taken_out_and_the_users_choices_stay(name: str, expected: str | None) -> None:
    assert workspace_variables(LAYOUT, SOURCED).get(name) == expected


def test_ros_reaches_this_machine_unless_the_user_says_otherwise() -> None:
    reach = {name: value for name, value in workspace_variables(LAYOUT, SOURCED).items() if name in REACH}
    assert reach == {
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        "FASTDDS_DEFAULT_PROFILES_FILE": "/home/me/lingbot/config/fastdds_localhost.xml",
    }
    for name in REACH:
        variables = workspace_variables(LAYOUT, SOURCED | {name: "own"})
        assert {key: value for key, value in variables.items() if key in REACH} == {name: "own"}


@pytest.mark.parametrize("asked", [{}, {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}], ids=["default", "asked for"])
@pytest.mark.parametrize(
    ("transports", "profile"),
    [
        ({}, "fastdds_localhost.xml"),
        ({"FASTDDS_BUILTIN_TRANSPORTS": "SHM"}, "fastdds_localhost.xml"),
        ({"FASTDDS_BUILTIN_TRANSPORTS": "UDPv4"}, "fastdds_localhost_udp.xml"),
    ],
)
def test_a_profile_for_this_machine_keeps_the_transport(
    asked: dict[str, str], transports: dict[str, str], profile: str
) -> None:
    variables = workspace_variables(LAYOUT, {**SOURCED, **asked, **transports})
    assert variables["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"
    assert variables["FASTDDS_DEFAULT_PROFILES_FILE"] == f"/home/me/lingbot/config/{profile}"


def test_twice_is_as_once() -> None:
    once = workspace_variables(LAYOUT, SOURCED)
    assert workspace_variables(LAYOUT, once) == once
    assert foreign_prefixes(LAYOUT, once) == []


def test_foreign_prefixes_are_named_in_the_order_in_which_they_overlay() -> None:
    assert foreign_prefixes(LAYOUT, SOURCED) == ["/ws/install/robot", "/opt/ros/jazzy", "/ws/install"]


def test_an_empty_shell_is_enough() -> None:
    variables = workspace_variables(LAYOUT, {})
    assert variables["PATH"].startswith(f"{VENV}/bin:/")
    assert "PYTHONPATH" not in variables


def test_the_program_finds_libraries_of_wheels_and_messages(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    (layout.site_packages / "ros_rcl.libs").mkdir(parents=True)
    variables = program_variables(layout, {"LD_LIBRARY_PATH": "/cuda"})
    assert variables["LD_LIBRARY_PATH"] == f"{layout.prefix}/lib:{layout.site_packages}/ros_rcl.libs:/cuda"
    assert variables["_ROS_WHEELS_BOOTSTRAP_COMPLETE"] == "1"


def test_folders_of_the_user_cannot_shadow_packages_of_a_verb(tmp_path: Path) -> None:
    given = {"PYTHONPATH": "/home/me/own", "PYTHONHOME": "/opt/tool"}
    verb = program_variables(Layout(tmp_path), given, verb=True)
    assert "PYTHONPATH" not in verb and verb["LINGBOT_PYTHONPATH"] == "/home/me/own"
    own = program_variables(Layout(tmp_path), given)
    assert own["PYTHONPATH"] == "/home/me/own"
    assert "PYTHONHOME" not in verb and "PYTHONHOME" not in own
