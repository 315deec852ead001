"""The faults of a soak: each is done to both processes as often as it returns, and leaves nothing behind."""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from geometry_msgs.msg import Twist
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CompressedImage
from simulation_interfaces.msg import Result
from simulation_interfaces.srv import GetSimulationState, LoadWorld

from lingbot_msgs.msg import ErrorCode, RobotAction
from lingbot_msgs.srv import EndSession, ListModels, ListSessions, RestoreSession, StartSession, Step
from lingbot_ros.environment.interpreter import isolated_module
from test.fuzz.soaked import KEPT, ImagineCommand, Lockstep
from test.support.hostile_files import LAUGHS, MERGES, huge_png
from test.support.imagination import ROOT, image_message, isolated_environment, picture
from test.support.snapshot_lies import LIES, SURROGATE, write_lie

SUSPENDED_S = 24.0
CLIENTS = 200
Fault = Callable[[ImagineCommand, Lockstep, random.Random], int]

DRIVER = """
import sys
import rclpy
from lingbot_msgs.msg import RobotAction
from lingbot_msgs.srv import StartSession, Step
rclpy.init()
node = rclpy.create_node("driver")
def call(kind, name, request):
    client = node.create_client(kind, "imagination/" + name)
    client.wait_for_service()
    future = client.call_async(request)
    rclpy.spin_until_future_complete(node, future)
steps = [RobotAction(values=[1.0, 2.0])] * 50
print("drives", flush=True)
while True:
    call(Step, "step", Step.Request(session_id=sys.argv[1], actions=steps))
"""


def _refused(answer: Any, code: int) -> None:
    assert answer.error_code == code and 0 < len(answer.error_msg) < 1000, answer


def unsendable_answers(imagine: ImagineCommand, lockstep: Lockstep, chance: random.Random) -> int:
    """A1: what no message can hold."""
    for name in ("name", "description", "prompt"):
        text = json.dumps({"name": "a", "model": "tiny", name: SURROGATE})
        assert _load_world(lockstep, resource_string=text).result == LoadWorld.Response.RESOURCE_PARSE_ERROR
    return 3


def snapshots_that_lie(imagine: ImagineCommand, lockstep: Lockstep, chance: random.Random) -> int:
    """A2: whole and signed. And a session at the end of time."""
    for lie in LIES:
        write_lie(lockstep.snapshot, lie, lockstep.snapshot.with_name("lie.snapshot"))
        request = RestoreSession.Request(path="lie.snapshot", session_id=chance.choice(("", KEPT[0])))
        _refused(lockstep.call(RestoreSession, "restore_session", request), ErrorCode.BAD_SNAPSHOT)
    first = StartSession.Request(session_id="late", image=image_message(picture()), in_background=True)
    first.start_stamp.sec, first.start_stamp.nanosec = 2**31 - 1, 950_000_000
    assert lockstep.call(StartSession, "start_session", first).error_msg == ""
    request = Step.Request(session_id="late", actions=[RobotAction(values=[1.0, 2.0])])
    _refused(lockstep.call(Step, "step", request), ErrorCode.SESSION_CLOSED)
    lockstep.call(EndSession, "end_session", EndSession.Request(session_id="late"))
    return len(LIES) + 1


def damaged_snapshots(imagine: ImagineCommand, lockstep: Lockstep, chance: random.Random) -> int:
    """A10: bytes that were flipped or cut."""
    data = lockstep.snapshot.read_bytes()
    for _ in range(20):
        damaged, at = bytearray(data), chance.randrange(len(data))
        damaged[at] ^= 1 << chance.randrange(8)
        cut = chance.choice((len(data), at))
        lockstep.snapshot.with_name("damaged.snapshot").write_bytes(damaged[:cut])
        request = RestoreSession.Request(path="damaged.snapshot", session_id=KEPT[0])
        _refused(lockstep.call(RestoreSession, "restore_session", request), ErrorCode.BAD_SNAPSHOT)
    return 20


def many_calls(imagine: ImagineCommand, lockstep: Lockstep, chance: random.Random) -> int:
    """A3: two hundred clients at once, at both nodes."""
    for probe in (imagine.probe, lockstep.probe):
        deep = QoSProfile(depth=2 * CLIENTS)
        name = "imagination/list_sessions"
        clients = [probe.node.create_client(ListSessions, name, qos_profile=deep) for _ in range(CLIENTS)]
        assert all(client.wait_for_service(60) for client in clients)
        pending = [client.call_async(ListSessions.Request()) for client in clients]
        probe.wait(lambda pending=pending: all(future.done() for future in pending), 120)
        assert {future.result().error_code for future in pending} <= {ErrorCode.NONE, ErrorCode.BUSY}
        for client in clients:
            probe.node.destroy_client(client)
    return 2 * CLIENTS


def suspended(imagine: ImagineCommand, lockstep: Lockstep, chance: random.Random) -> int:
    """A4: longer than others wait for a sign of life."""
    for pid in (imagine.node, lockstep.node.process.pid):
        os.kill(pid, signal.SIGSTOP)
    time.sleep(SUSPENDED_S)
    for pid in (imagine.node, lockstep.node.process.pid):
        os.kill(pid, signal.SIGCONT)
    return 2


def files_that_swell(imagine: ImagineCommand, lockstep: Lockstep, chance: random.Random) -> int:
    """A5: by topic, and by worlds."""
    folder = lockstep.folder / "hostile"
    if not folder.exists():
        folder.mkdir()
        os.mkfifo(folder / "pipe.png")
        (folder / "huge.png").write_bytes(huge_png(20_000))
        with (folder / "sparse.png").open("wb") as file:
            file.truncate(3 * 10**9)
    for text in (LAUGHS, MERGES, "a: &a [*a]", "[" * 5000, "a: " + "9" * 100_000, "x" * 10**6):
        assert _load_world(lockstep, resource_string=text).result == LoadWorld.Response.RESOURCE_PARSE_ERROR
    names = [*map(str, folder.iterdir()), "/dev/zero", "/dev/stdin", str(folder), "/proc/self/mem"]
    for name in names:
        text = yaml.safe_dump({"name": "a", "model": "tiny", "image": name})
        assert _load_world(lockstep, resource_string=text).result == LoadWorld.Response.MISSING_ASSETS
    huge = CompressedImage(format="png", data=huge_png(20_000))
    for probe in (imagine.probe, lockstep.probe):
        publisher = probe.node.create_publisher(CompressedImage, "seed_image/compressed", 1)
        probe.wait(lambda publisher=publisher: publisher.get_subscription_count() == 1)
        publisher.publish(huge)
        probe.node.destroy_publisher(publisher)
    return 6 + len(names) + 2


def damaged_cards(imagine: ImagineCommand, lockstep: Lockstep, chance: random.Random) -> int:
    """A6: beside good ones."""
    models = Path(os.environ["LINGBOT_MODELS"])
    good = (models / "tiny" / "card.yaml").read_bytes()
    (models / "damaged").mkdir(exist_ok=True)
    for _ in range(10):
        damaged = bytearray(good)
        for _ in range(chance.randrange(1, 20)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        (models / "damaged" / "card.yaml").write_bytes(damaged[: chance.randrange(len(damaged))])
        models_listed = lockstep.call(ListModels, "list_models")
        assert (models_listed.error_msg, models_listed.models[0].name) == ("", "tiny")
    return 10


def traps_in_the_folder(imagine: ImagineCommand, lockstep: Lockstep, chance: random.Random) -> int:
    """A7: files of the working directory."""
    command = [sys.executable, *isolated_module("lingbot_ros.cli.main", "models", "list")]
    environment = {**imagine.environment, "PYTHONPATH": str(ROOT)}
    subprocess.run(
        command, cwd=imagine.folder / "place", env=environment, check=True, timeout=300, stdout=subprocess.DEVNULL
    )
    assert not imagine.mark.exists()
    return 2


def names_and_parameters(imagine: ImagineCommand, lockstep: Lockstep, chance: random.Random) -> int:
    """A8: too late a parameter, too long a name, half a save of a process that is gone."""
    sim_time = ParameterValue(type=ParameterType.PARAMETER_BOOL, bool_value=True)
    for call in (imagine.call, lockstep.call):
        request = SetParameters.Request(parameters=[Parameter(name="use_sim_time", value=sim_time)])
        assert not call(SetParameters, "set_parameters", request).results[0].successful
        first = StartSession.Request(session_id="x" * 300, in_background=True)
        _refused(call(StartSession, "start_session", first), ErrorCode.INVALID_INPUT)
    _refused(lockstep.save("y" * 300), ErrorCode.INVALID_INPUT)
    return 5


def a_second_node_is_stopped_as_it_starts(imagine: ImagineCommand, lockstep: Lockstep, chance: random.Random) -> int:
    """A8: of the same name, in the same domain; at a random time of its start."""
    command = [sys.executable, *isolated_module("lingbot_ros.nodes.main")]
    with subprocess.Popen(command, env=imagine.environment, stderr=subprocess.PIPE, text=True) as process:
        time.sleep(chance.uniform(0.0, 6.0))
        number = chance.choice((signal.SIGINT, signal.SIGTERM))
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode in (0, -number) and "Traceback" not in said, said
    return 1


def clients_killed(imagine: ImagineCommand, lockstep: Lockstep, chance: random.Random) -> int:
    """A10: in the middle of their calls."""
    return kill_clients(lockstep, chance)


def kill_clients(lockstep: Lockstep, chance: random.Random) -> int:
    """Three that ask for 50 images at a time, in the middle of a call each."""
    environment = isolated_environment(lockstep.probe.context.get_domain_id())
    first = StartSession.Request(session_id="driven", image=image_message(picture()), in_background=True)
    assert lockstep.call(StartSession, "start_session", first).error_msg == ""
    command = [sys.executable, "-c", DRIVER, "driven"]
    drivers = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) for _ in range(3)]
    for driver in drivers:
        assert driver.stdout is not None and driver.stdout.readline() == b"drives\n"
    for driver in drivers:
        time.sleep(chance.uniform(0.0, 0.5))
        driver.kill()
        driver.wait()
        driver.stdout.close()
    lockstep.call(EndSession, "end_session", EndSession.Request(session_id="driven"))
    return 3


def a_full_disk(imagine: ImagineCommand, lockstep: Lockstep, chance: random.Random) -> int:
    """A10: files may not grow beyond half a snapshot; no part of one is left."""
    pid, before = lockstep.node.process.pid, resource.prlimit(lockstep.node.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (lockstep.snapshot.stat().st_size // 2, before[1]))
    try:
        _refused(lockstep.save("full.snapshot"), ErrorCode.DISK)
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
    assert not [path for path in lockstep.snapshot.parent.iterdir() if "full" in path.name]
    return 1


def bad_topics(imagine: ImagineCommand, lockstep: Lockstep, chance: random.Random) -> int:
    """A5, C6: numbers and images that mean nothing."""
    for probe in (imagine.probe, lockstep.probe):
        for values in ([float("nan")] * 2, [1e308, -1e308], [], [1.0] * 1000):
            probe.act(0, values)
        velocities = probe.node.create_publisher(Twist, "cmd_vel", 1)
        message = Twist()
        message.linear.x = 1e308
        velocities.publish(message)
        probe.node.destroy_publisher(velocities)
    return 10


def _load_world(lockstep: Lockstep, **fields: Any) -> Result:
    read = lockstep.call.send(LoadWorld, "load_world", LoadWorld.Request(**fields))
    # Another service must go on answering while a world is read.
    state = lockstep.call.send(GetSimulationState, "get_simulation_state")
    lockstep.probe.wait(lambda: read.done() and state.done())
    result = read.result().result
    assert 0 < len(result.error_message) < 2000
    return result


FAULTS: tuple[Fault, ...] = (
    unsendable_answers,
    snapshots_that_lie,
    damaged_snapshots,
    many_calls,
    suspended,
    files_that_swell,
    damaged_cards,
    traps_in_the_folder,
    names_and_parameters,
    a_second_node_is_stopped_as_it_starts,
    clients_killed,
    a_full_disk,
    bad_topics,
)
