"""The real node as a process of its own, and a client of it, on a domain that nobody else uses."""

import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from numpy.typing import NDArray
from rclpy.action import ActionClient
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image

from lingbot_msgs.msg import FrameInfo, ImaginationStatus, RobotAction
from lingbot_msgs.srv import StartSession
from test.support.domains import borrow_domain, give_back, take_domain

# A busy machine may need long for what takes it a moment otherwise; a test fails by this, never passes by it.
PATIENCE_S = 60.0
ROOT = Path(__file__).parents[2]


def isolated_environment(domain: int | None = None) -> dict[str, str]:
    """Variables of a domain of its own, on this machine only."""
    return {
        **os.environ,
        "ROS_DOMAIN_ID": str(borrow_domain() if domain is None else domain),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
    }


class NodeUnderTest:
    """The executable, started as users start it, with its log in a file."""

    def __init__(
        self, environment: dict[str, str], parameters: dict[str, object], extra: Sequence[str], log: Path, module: str
    ) -> None:
        command = [sys.executable, "-m", module, "--ros-args", *extra]
        for name, value in parameters.items():
            command += ["-p", f"{name}:={value}"]
        self.log = log
        environment = {**environment, "PYTHONFAULTHANDLER": "1"}
        with log.open("w") as file:
            self.process = subprocess.Popen(command, env=environment, stdout=file, stderr=subprocess.STDOUT)

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def log_text(self) -> str:
        return self.log.read_text()

    def last_words(self) -> str:
        """End the node; returns the end of its log, with what its threads were doing."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGABRT)
            self.process.wait(PATIENCE_S)
        return self.log_text()[-8000:]


class Probe:
    """A plain rclpy node in the test's process, spinning in a thread, that records what it hears."""

    def __init__(self, domain_id: int, depth: int = 1000) -> None:
        os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=domain_id)
        self.node = rclpy.create_node("probe", context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.namespace, self.node_name = "", "imagination"
        self.images: list[Image] = []
        self.infos: list[FrameInfo] = []
        self.statuses: list[ImaginationStatus] = []
        self._depth = depth
        self.listen(Image, "image_raw", self.images)
        self.listen(FrameInfo, "frame_info", self.infos)
        self.listen(ImaginationStatus, "status", self.statuses)
        self.actions = self.node.create_publisher(RobotAction, "action", QoSProfile(depth=depth))
        self._thread = threading.Thread(target=self.executor.spin, daemon=True)
        self._thread.start()

    def listen(self, kind: Any, topic: str, into: list[Any]) -> None:
        self.node.create_subscription(kind, topic, into.append, QoSProfile(depth=self._depth))

    def call(self, kind: Any, name: str, request: Any = None, patience_s: float = PATIENCE_S) -> Any:
        """One service call of the node."""
        client = self.node.create_client(kind, f"{self.namespace}{self.node_name}/{name}")
        assert client.wait_for_service(PATIENCE_S), f"{name} did not appear"
        answered = threading.Event()
        pending = client.call_async(kind.Request() if request is None else request)
        pending.add_done_callback(lambda _: answered.set())
        assert answered.wait(patience_s), f"{name} did not answer"
        self.node.destroy_client(client)
        return pending.result()

    def transition(self, number: int) -> bool:
        """Whether the node went through it. The first call between two fresh processes can be lost by DDS (rmw_fastrtps
        issue 842): one that is not answered, and that changed nothing, is sent once more."""
        request = ChangeState.Request(transition=Transition(id=number))
        before = self._state()
        try:
            return bool(self.call(ChangeState, "change_state", request, PATIENCE_S / 2).success)
        except AssertionError:
            after = self._state()
            warnings.warn(f"transition {number} was not answered; state {before} -> {after}", stacklevel=2)
            return after != before or bool(self.call(ChangeState, "change_state", request).success)

    def _state(self) -> int:
        """The lifecycle state. It changes nothing to ask, so a question that was not answered is asked once more."""
        try:
            return int(self.call(GetState, "get_state", None, PATIENCE_S / 2).current_state.id)
        except AssertionError:
            warnings.warn("get_state was not answered", stacklevel=2)
            return int(self.call(GetState, "get_state").current_state.id)

    def bring_up(self) -> None:
        """Configure, activate, and wait until topics are connected both ways."""
        assert self.transition(Transition.TRANSITION_CONFIGURE)
        assert self.transition(Transition.TRANSITION_ACTIVATE)
        self.wait(lambda: self.statuses and self.actions.get_subscription_count() == 1)

    def start(self, **fields: Any) -> Any:
        """Start a session from a seeded random image and wait for its first frame."""
        request = StartSession.Request(**fields)
        if not request.image.encoding:
            request.image = image_message(picture())
        answer = self.call(StartSession, "start_session", request)
        if not answer.error_code and not request.in_background:
            self.wait(lambda: any(info.session_id == answer.session.session_id for info in self.infos))
        return answer

    def act(self, number: int, values: Sequence[float], session_id: str = "") -> None:
        self.actions.publish(RobotAction(id=number, values=[float(v) for v in values], session_id=session_id))

    def wait(self, condition: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
        """Until the condition holds; fails after `patience_s`."""
        deadline_s = time.monotonic() + patience_s
        while not condition():
            assert time.monotonic() < deadline_s, "what the test waits for did not happen"
            time.sleep(0.01)

    def clear_and_wait(self, heard: list[Any], count: int) -> None:
        """Forget what was heard and wait for `count` more."""
        heard.clear()
        self.wait(lambda: len(heard) >= count)

    def imagined(self, session_id: str = "") -> list[FrameInfo]:
        """Infos of imagined frames, those of one session if named."""
        return [i for i in self.infos if i.frame_index and session_id in ("", i.session_id)]

    def action_client(self, kind: Any, name: str = "imagination/imagine") -> Any:
        """Made on the thread that spins: rclpy shows a client to its executor before it is complete."""
        made = self.executor.create_task(lambda: ActionClient(self.node, kind, name))
        client = self.result(made)
        assert client.wait_for_server(PATIENCE_S)
        return client

    def result(self, pending: Any) -> Any:
        """The result of an rclpy future, waited for."""
        self.wait(pending.done)
        return pending.result()

    def close(self) -> None:
        self.executor.shutdown(timeout_sec=5.0)
        self._thread.join(5.0)
        self.node.destroy_node()
        rclpy.try_shutdown(context=self.context)


@contextmanager
def running_node(
    folder: Path, *, extra: Sequence[str] = (), module: str = "lingbot_ros.nodes.imagination.main", **parameters: object
) -> Iterator[tuple[NodeUnderTest, Probe]]:
    """A node process with these parameters (`__` stands for a dot) and a probe; not brought up yet.

    extra: more ROS arguments. module: what is run in the place of the node's executable.
    """
    domain = take_domain()
    environment = isolated_environment(domain)
    folder.mkdir(parents=True, exist_ok=True)
    named = {name.replace("__", "."): value for name, value in parameters.items()}
    defaults = {"model.threads": 1, "snapshots.folder": str(folder / "snapshots")}
    node = NodeUnderTest(environment, defaults | named, extra, folder / "node.log", module)
    probe = Probe(domain)
    try:
        yield node, probe
    except BaseException:
        print(f"the node on domain {domain}:\n{node.last_words()}")  # pytest shows it with the failure
        raise
    finally:
        probe.close()
        if node.process.poll() is None:
            node.stop()
        give_back(domain)


def picture(size: int = 32, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)


def image_message(rgb: NDArray[np.uint8], encoding: str = "rgb8") -> Image:
    message = Image(height=rgb.shape[0], width=rgb.shape[1], encoding=encoding, step=rgb.strides[0])
    message.data.frombytes(rgb.tobytes())
    return message


def pixels(message: Image) -> NDArray[np.uint8]:
    return np.frombuffer(message.data, np.uint8).reshape(message.height, message.width, 3)
