"""The tutorials' programs, run as they say: a world, and in other processes what drives and watches it."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
pytest.importorskip("lingbot_msgs.msg", reason="lingbot_msgs is not built")

from lingbot_ros.checkpoints.cards import find_card
from lingbot_ros.control.mappings import ActionMaps
from lingbot_ros.nodes.agent.parameters import PARAMETERS as AGENT
from lingbot_ros.nodes.evaluator.parameters import PARAMETERS as EVALUATOR
from lingbot_ros.nodes.imagination.parameters import PARAMETERS, config_of
from lingbot_ros.nodes.planner.parameters import PARAMETERS as PLANNER
from test.support.imagination import PATIENCE_S, ROOT, isolated_environment

TUTORIALS = ROOT / "docs" / "tutorials"
CONFIG = ROOT / "config" / "drive_pusht.yaml"


def programs(page: str) -> list[list[str]]:
    """The scripts that the page starts, with their arguments, in its order."""
    lines = re.findall(r"^\./lingbot python (.+)$", (TUTORIALS / page).read_text(), flags=re.MULTILINE)
    return [shlex.split(line) for line in lines]


@contextmanager
def running_world(
    arguments: list[str], environment: dict[str, str], says: str = "waits for controls"
) -> Iterator[None]:
    """The first program of a page, until it says that it waits."""
    command = [sys.executable, *arguments]
    with subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if says in line:
                    break
            else:
                pytest.fail("the world ended before it began")
            yield
        finally:
            process.terminate()
            process.stdout.close()


def run(arguments: list[str], environment: dict[str, str]) -> str:
    command = [sys.executable, *arguments]
    done = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=2 * PATIENCE_S, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_policy_lives_in_an_imagined_world() -> None:
    world, policy, watch = programs("subscribe_a_policy.md")
    environment = isolated_environment()
    with running_world(world, environment):
        told = run([*policy, "--frames", "8"], environment)
        assert re.search(r"driven by action [2-9]", told), told
        assert "96x96 rgb8" in run([*watch, "--frames", "2"], environment)


def test_velocities_drive_the_shipped_model() -> None:
    world, drive = programs("drive_with_cmd_vel.md")
    environment = isolated_environment()
    with running_world(world, environment):
        told = run([*drive, "--frames", "15"], environment)
    places = [tuple(map(float, pair)) for pair in re.findall(r"action \[([\d.]+), ([\d.]+)\]", told)]
    assert places, told
    last_x, last_y = places[-1]
    assert last_x <= 153 and last_y <= 166 and (last_x, last_y) != (153, 166)  # from the first image left and up


def test_an_imagined_world_stays_on_a_robots_track() -> None:
    """What the page says of both ways, on a part of what it measures."""
    followed, alone = programs("follow_a_real_robot.md")
    environment = isolated_environment()
    errors = []
    for program in (followed, alone):
        told = run([*program, "--episodes", "2"], environment)
        found = re.search(r"off by ([\d.]+) px and ([\d.]+) deg on average", told)
        assert found, told
        errors.append((float(found[1]), float(found[2])))
    (followed_px, followed_deg), (alone_px, alone_deg) = errors
    assert followed_px < alone_px / 2
    assert followed_deg < alone_deg / 2


def declared(page: Path) -> list[dict[str, Any]]:
    blocks = re.findall(r"```yaml\n(.*?)```", page.read_text(), flags=re.DOTALL)
    return [values_of(yaml.safe_load(block)) for block in blocks if "ros__parameters" in block]


def values_of(file: dict[str, Any]) -> dict[str, Any]:
    """The file's parameters by their full names."""

    def flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in tree.items():
            found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
        return found

    (node,) = file.values()
    return flat(node["ros__parameters"])


@pytest.mark.parametrize("page", sorted(TUTORIALS.glob("*.md")), ids=lambda page: page.name)
def test_parameters_in_tutorials_are_declared(page: Path) -> None:
    names = {parameter.name for parameter in (*PARAMETERS, *EVALUATOR)}
    for values in declared(page):
        assert values.keys() <= names


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda path: path.name)
def test_shipped_parameter_files_name_declared_parameters(path: Path) -> None:
    named = {"agent": AGENT, "evaluator": EVALUATOR, "planner": PLANNER}.get(path.stem, PARAMETERS)
    assert values_of(yaml.safe_load(path.read_text())).keys() <= {parameter.name for parameter in named}


@pytest.mark.parametrize(
    "values",
    [values_of(yaml.safe_load(CONFIG.read_text())), *declared(TUTORIALS / "subscribe_a_policy.md")],
    ids=["drive_pusht.yaml", "joints"],
)
def test_parameters_that_the_tutorials_give_fit_the_shipped_model(values: dict[str, Any]) -> None:
    defaults = {parameter.name: parameter.default for parameter in PARAMETERS}
    assert values.keys() <= defaults.keys()
    inputs = config_of({**defaults, **values}).inputs
    spec = find_card("pusht-small").control
    maps = ActionMaps.parse(inputs.joint_map, inputs.velocity_map, spec, clip=inputs.clip_joints)
    assert maps.joints is not None or maps.velocities is not None
