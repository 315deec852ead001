"""What a soak runs: `./lingbot imagine`, a node in lockstep with sessions that the core imagines beside it."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from lingbot_msgs.msg import FrameInfo, RobotAction
from lingbot_msgs.srv import ListSessions, SaveSession, Step
from lingbot_ros.world import Session, World
from test.support.domains import give_back, take_domain
from test.support.imagination import (
    PATIENCE_S,
    ROOT,
    NodeUnderTest,
    Probe,
    image_message,
    isolated_environment,
    picture,
    pixels,
)
from test.support.imagination import running_node as node_in_lockstep

KEPT = ("kept-0", "kept-1", "kept-2")
"""Sessions of the node in lockstep that must live to the end."""
TRAPS = ("yaml", "numpy", "lingbot_ros")
"""Files in the working directory of `./lingbot imagine` that must not be run."""


class Calls:
    """Service calls of a probe by clients that are kept, as a program keeps its own.

    The first call of a fresh client can be lost by DDS (rmw_fastrtps issue 842), and a soak makes thousands.
    """

    def __init__(self, probe: Probe) -> None:
        self._probe, self._clients = probe, dict[str, Any]()

    def __call__(self, kind: Any, name: str, request: Any = None) -> Any:
        """name: of a service of the imagination node."""
        pending = self.send(kind, f"{self._probe.node_name}/{name}", request)
        self._probe.wait(pending.done)
        return pending.result()

    def send(self, kind: Any, name: str, request: Any = None) -> Any:
        """The answer as a future."""
        if name not in self._clients:
            self._clients[name] = self._probe.node.create_client(kind, name)
        client = self._clients[name]
        assert client.wait_for_service(PATIENCE_S), f"{name} did not appear"
        return client.call_async(kind.Request() if request is None else request)


class ImagineCommand:
    """`./lingbot imagine` with a recording and a film, in a folder full of traps; `probe` hears all its frames."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.mark = folder, folder / "a-trap-was-run"
        (folder / "place").mkdir(parents=True)
        for name in TRAPS:
            (folder / "place" / f"{name}.py").write_text(f"open({str(self.mark)!r}, 'w')\nraise SystemExit(3)\n")
        settings = {"recording.folder": str(folder / "bags"), "snapshots.folder": str(folder / "snapshots")}
        (folder / "node.yaml").write_text(json.dumps({"/**": {"ros__parameters": settings}}))
        self.domain = take_domain()
        self.environment = {**isolated_environment(self.domain), "ROS_HOME": str(folder / "ros")}
        self.probe = Probe(self.domain)
        self.call = Calls(self.probe)
        command = ["imagine", "--record", "--out", folder / "out", "--params-file", folder / "node.yaml"]
        with (folder / "log").open("w") as log:
            self.process = subprocess.Popen(
                [ROOT / "lingbot", *command], cwd=folder / "place", env=self.environment, stdout=log, stderr=log
            )
        try:
            self.probe.wait(lambda: len(self.probe.imagined()) > 5 or self.process.poll() is not None, 600)
            assert self.process.poll() is None, self.log_text()[-2000:]
        except BaseException:
            self.close()
            raise

    @property
    def node(self) -> int:
        """Process id of the node; that of the command is its parent."""
        (child,) = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(child)

    def goes_on(self) -> None:
        """New frames reach the subscriber that was there from the beginning."""
        assert self.process.poll() is None, self.log_text()[-2000:]
        heard = len(self.probe.infos)
        self.probe.wait(lambda: len(self.probe.infos) > heard + 5, 120)

    def log_text(self) -> str:
        return (self.folder / "log").read_text()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.probe.close()
        give_back(self.domain)


@dataclass
class KeptSession:
    """A session of the node and the same session of the core."""

    name: str
    core: Session
    frames: int = 0
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(1))


class Lockstep:
    """The node in lockstep, as a simulator, and the sessions that must stay equal to the core's."""

    def __init__(self, node: NodeUnderTest, probe: Probe, model: Path, folder: Path) -> None:
        self.node, self.probe, self.folder, self.call = node, probe, folder, Calls(probe)
        world = World.load(model, threads=1)
        self.kept = [KeptSession(name, world.start(picture(), seed=seed)) for seed, name in enumerate(KEPT)]
        for seed, kept in enumerate(self.kept):
            answer = probe.start(session_id=kept.name, seed=seed, in_background=True, image=image_message(picture()))
            assert answer.error_msg == ""
        assert self.save("true.snapshot").error_msg == ""

    @property
    def snapshot(self) -> Path:
        return self.folder / "snapshots" / "true.snapshot"

    def save(self, path: str) -> Any:
        return self.call(SaveSession, "save_session", SaveSession.Request(session_id=KEPT[0], path=path))

    def goes_on(self, steps: int = 3) -> None:
        """Every kept session is listed and imagines what the core imagines, to the last bit."""
        assert self.node.process.poll() is None, self.node.log_text()[-2000:]
        listed = self.call(ListSessions, "list_sessions")
        assert {session.session_id for session in listed.sessions} >= set(KEPT), listed
        for kept in self.kept:
            actions = kept.random.uniform(0, 512, (steps, 2))
            request = Step.Request(session_id=kept.name, actions=[RobotAction(values=row) for row in actions])
            answer = self.call(Step, "step", request)
            assert (answer.error_msg, answer.session.frame_index) == ("", kept.frames + steps)
            for row, image in zip(actions, answer.images, strict=True):
                np.testing.assert_array_equal(pixels(image), kept.core.step(row[None])[0])
            kept.frames += steps


@contextmanager
def lockstep_node(model: Path, folder: Path) -> Iterator[Lockstep]:
    """`model` is found by name, beside cards that are damaged. Fast DDS has the profile that `./lingbot` sets."""
    os.environ["LINGBOT_MODELS"] = str(model.parent)
    os.environ["FASTDDS_DEFAULT_PROFILES_FILE"] = str(ROOT / "config" / "fastdds_localhost.xml")
    try:
        with node_in_lockstep(folder, model__name=model, mode="lockstep", simulator__enabled="true") as (node, probe):
            probe.bring_up()
            yield Lockstep(node, probe, model, folder)
    finally:
        del os.environ["LINGBOT_MODELS"], os.environ["FASTDDS_DEFAULT_PROFILES_FILE"]


def gaps(infos: list[FrameInfo]) -> list[tuple[int, int]]:
    """(last index before, first index after) of frames that are missing in one session's sequence."""
    indices = [info.frame_index for info in infos]
    return [(a, b) for a, b in pairwise(indices) if b != a + 1]


def rss_mb(pid: int) -> float:
    """Resident memory in megabytes."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    return int(fields["VmRSS"].split()[0]) / 1024
