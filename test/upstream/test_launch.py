"""Our launch files under the genuine launch and launch_ros, from an install space; see environment.py beside it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")

from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import GetState
from rcl_interfaces.srv import GetParameters

from lingbot_ros.environment.layout import Layout
from lingbot_ros.environment.variables import program_variables
from test.support.domains import give_back, take_domain
from test.support.imagination import PATIENCE_S, ROOT, Probe, isolated_environment

FOLDER = Path(os.environ.get("LINGBOT_UPSTREAM", "/none"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.upstream,
    pytest.mark.skipif(not (FOLDER / "python").is_dir(), reason="LINGBOT_UPSTREAM names no folder of environment.py"),
]

LAUNCH = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_ros.substitutions import FindPackageShare
import lingbot_ros
assert "/install/" in lingbot_ros.__file__, lingbot_ros.__file__
path = [FindPackageShare("lingbot_ros"), "/launch/", sys.argv[1]]
given = [argument.split(":=") for argument in sys.argv[2:]]
service = LaunchService(argv=sys.argv[2:])
source = PythonLaunchDescriptionSource(path)
service.include_launch_description(LaunchDescription([IncludeLaunchDescription(source, launch_arguments=given)]))
sys.exit(service.run())
"""
FAST = ("model:=pusht-lasting", "engine:=torch", "device:=cpu")


class Launched:
    """A launch as a process, its log, and a client of the node that it starts."""

    def __init__(self, process: "subprocess.Popen[bytes]", probe: Probe, log: Path) -> None:
        self.process, self.probe, self._log = process, probe, log

    def text(self) -> str:
        return self._log.read_text(errors="replace")

    def state(self) -> int:
        return int(self.probe.call(GetState, "get_state").current_state.id)

    def wait_for(self, state: int) -> None:
        self.probe.wait(lambda: self.state() == state)

    def parameters(self, *names: str) -> list[object]:
        answer = self.probe.call(GetParameters, "get_parameters", GetParameters.Request(names=list(names)))
        kinds = {1: "bool_value", 2: "integer_value", 3: "double_value", 4: "string_value"}
        return [getattr(value, kinds[value.type]) for value in answer.values]

    def nodes(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(child) for child in children]

    def interrupt(self) -> int:
        """Ctrl-C. Returns the exit code; every process is gone then."""
        nodes = self.nodes()
        assert nodes
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(PATIENCE_S)
        assert not [node for node in nodes if Path(f"/proc/{node}").exists()]
        assert "Traceback" not in self.text()
        assert "Caught exception in launch" not in self.text()
        return code


@contextmanager
def launched(tmp_path: Path, file: str, *arguments: str, namespace: str = "") -> Iterator[Launched]:
    domain = take_domain()
    variables = program_variables(Layout(ROOT), isolated_environment(domain))
    variables["PYTHONPATH"] = str(FOLDER / "python")
    line = f'. "{FOLDER}/install/setup.sh" && exec "{sys.executable}" -c "$0" "$@"'
    log = tmp_path / "launch.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["sh", "-c", line, LAUNCH, file, *arguments],
            env=variables | {"ROS_HOME": str(tmp_path / "ros")}, cwd="/", stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
    probe = Probe(domain)
    probe.namespace = namespace
    try:
        yield Launched(process, probe, log)
    finally:
        probe.close()
        if process.poll() is None:
            process.kill()
            process.wait()
        give_back(domain)


def test_every_argument_reaches_the_node_and_ctrl_c_ends_all_with_code_0(tmp_path: Path) -> None:
    arguments = (
        *("model:=pusht-small", "engine:=torch", "device:=cpu", "precision:=f32", "mode:=lockstep"),
        *("observe_every:=2", "namespace:=robot1", "log_level:=warn", "camera:=/cam/image", "large_images:=true"),
        "use_sim_time:=true",
    )
    with launched(tmp_path, "imagine.launch.py", *arguments, namespace="/robot1/") as launch:
        launch.wait_for(State.PRIMARY_STATE_ACTIVE)
        names = (
            "model.name",
            "model.engine",
            "model.device",
            "model.precision",
            "mode",
            "observe.every",
            "use_sim_time",
        )
        assert launch.parameters(*names) == ["pusht-small", "torch", "cpu", "f32", "lockstep", 2, True]
        assert launch.probe.node.count_subscribers("/cam/image") == 1
        environment = Path(f"/proc/{launch.nodes()[0]}/environ").read_text()
        assert "/install/lingbot_ros/share/lingbot_ros/config/fastdds_large_images.xml" in environment
        assert "[INFO] [imagination]" not in launch.text()
        assert launch.interrupt() == 0


def test_the_operator_configures_and_nothing_activates_by_itself(tmp_path: Path) -> None:
    with launched(tmp_path, "imagine.launch.py", *FAST, "autostart:=false") as launch:
        launch.wait_for(State.PRIMARY_STATE_UNCONFIGURED)
        assert launch.probe.transition(Transition.TRANSITION_CONFIGURE)
        time.sleep(1)  # what must not happen would happen now
        assert launch.state() == State.PRIMARY_STATE_INACTIVE
        assert launch.interrupt() == 0
    with launched(tmp_path, "imagine.launch.py", *FAST) as launch:
        launch.wait_for(State.PRIMARY_STATE_ACTIVE)
        for number in (
            Transition.TRANSITION_DEACTIVATE,
            Transition.TRANSITION_CLEANUP,
            Transition.TRANSITION_CONFIGURE,
        ):
            assert launch.probe.transition(number)
        time.sleep(1)
        assert launch.state() == State.PRIMARY_STATE_INACTIVE
        assert launch.interrupt() == 0


def test_a_node_that_crashed_is_started_and_activated_again(tmp_path: Path) -> None:
    with launched(tmp_path, "imagine.launch.py", *FAST, "use_respawn:=true") as launch:
        launch.wait_for(State.PRIMARY_STATE_ACTIVE)
        (first,) = launch.nodes()
        os.kill(first, signal.SIGKILL)
        launch.probe.wait(lambda: launch.nodes() not in ([], [first]))
        launch.wait_for(State.PRIMARY_STATE_ACTIVE)
        assert launch.interrupt() == 0


def test_a_node_that_ends_ends_the_launch(tmp_path: Path) -> None:
    with launched(tmp_path, "imagine.launch.py", *FAST) as launch:
        launch.wait_for(State.PRIMARY_STATE_ACTIVE)
        os.kill(launch.nodes()[0], signal.SIGTERM)
        assert launch.process.wait(PATIENCE_S) == 0


def test_the_simulator_and_the_recorder(tmp_path: Path) -> None:
    with launched(tmp_path, "sim.launch.py", "world:=pusht", f"worlds:={tmp_path}", "mode:=realtime") as launch:
        launch.wait_for(State.PRIMARY_STATE_ACTIVE)
        wanted = [True, "pusht", str(tmp_path), "realtime"]
        assert launch.parameters("simulator.enabled", "simulator.world", "simulator.worlds", "mode") == wanted
        launch.probe.wait(lambda: launch.probe.node.count_publishers("/clock") == 1)
        assert launch.interrupt() == 0
    with launched(tmp_path, "record.launch.py", f"folder:={tmp_path}/bags", "compressed:=true") as launch:
        launch.wait_for(State.PRIMARY_STATE_ACTIVE)
        assert launch.parameters("recording.on_start", "recording.compressed") == [True, True]
        assert launch.interrupt() == 0
    (bag,) = (tmp_path / "bags").iterdir()
    assert (bag / "metadata.yaml").is_file()


@pytest.mark.parametrize(
    ("file", "node", "arguments"),
    [
        (
            "plan.launch.py",
            "planner",
            ("model:=pusht-lasting", "device:=cpu", "image:=/cam/image", "action:=/arm/action"),
        ),
        (
            "evaluate.launch.py",
            "evaluator",
            ("model:=pusht-lasting", "device:=cpu", "trust:=true", "image:=/cam/image"),
        ),
        ("agent.launch.py", "agent", ("base_url:=http://127.0.0.1:9/v1", "model:=none", "instruction:=wait")),
    ],
)
def test_the_other_nodes_come_up_once_with_their_arguments(
    tmp_path: Path, file: str, node: str, arguments: tuple[str, ...]
) -> None:
    with launched(tmp_path, file, *arguments, "use_sim_time:=true") as launch:
        launch.probe.node_name = node
        launch.wait_for(State.PRIMARY_STATE_ACTIVE)
        assert launch.parameters("use_sim_time") == [True]
        if node != "agent":
            assert launch.parameters("model.name") == ["pusht-lasting"]
            assert launch.probe.node.count_subscribers("/cam/image") == 1
        for number in (
            Transition.TRANSITION_DEACTIVATE,
            Transition.TRANSITION_CLEANUP,
            Transition.TRANSITION_CONFIGURE,
        ):
            assert launch.probe.transition(number)
        time.sleep(1)  # what must not happen would happen now
        assert launch.state() == State.PRIMARY_STATE_INACTIVE
        assert launch.interrupt() == 0
