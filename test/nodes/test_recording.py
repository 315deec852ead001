"""Recording over the real node: bags that others read, and that are imagined again to the last bit."""

import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from lifecycle_msgs.msg import Transition
from mcap.exceptions import EndOfFile
from mcap.reader import make_reader
from mcap.records import Channel, Message
from mcap.stream_reader import StreamReader
from mcap_ros2.decoder import DecoderFactory
from rosbags.rosbag2 import Reader, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from lingbot_msgs.msg import ErrorCode, RobotAction
from lingbot_msgs.srv import Record, SaveSession, StartSession, Step
from lingbot_ros.cli.main import main
from test.support.imagination import (
    ROOT,
    NodeUnderTest,
    Probe,
    image_message,
    isolated_environment,
    picture,
    pixels,
    running_node,
)

ACTIONS = np.random.default_rng(9).uniform(0, 512, (12, 2))


def record(probe: Probe, on: bool = True, path: str = "", compressed: bool = False) -> Record.Response:
    return probe.call(Record, "record", Record.Request(record=on, path=path, compressed=compressed))


def step(probe: Probe) -> list[np.ndarray]:
    request = Step.Request(actions=[RobotAction(id=k + 1, values=row) for k, row in enumerate(ACTIONS)])
    answer = probe.call(Step, "step", request)
    assert answer.error_msg == ""
    probe.wait(lambda: len(probe.imagined(answer.session.session_id)) >= len(ACTIONS))
    return [pixels(image) for image in answer.images]


@pytest.fixture(scope="module")
def bags(model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[np.ndarray]]:
    """The recording folder of a node that recorded one session raw and one as JPEG, and the frames of the first."""
    folder = tmp_path_factory.mktemp("recording")
    options = {"recording__folder": folder / "bags", "publish__jpeg_quality": 61}
    with running_node(folder, model__name=model, mode="lockstep", **options) as (node, probe):
        probe.bring_up()
        assert record(probe, path="raw").error_msg == ""
        assert record(probe).error_code == ErrorCode.BUSY
        probe.start(seed=4, session_id="taped")
        frames = step(probe)
        probe.wait(lambda: probe.statuses[-1].recording == str(folder / "bags" / "raw"))
        stopped = record(probe, on=False)
        assert (stopped.path, stopped.error_msg) == (str(folder / "bags" / "raw"), "")
        assert stopped.messages >= 4 * 13
        assert record(probe, on=False).error_code == ErrorCode.SESSION_CLOSED
        assert record(probe, path="raw").error_code == ErrorCode.INVALID_INPUT
        assert record(probe, path="../outside").error_code == ErrorCode.INVALID_INPUT
        assert record(probe, path="jpeg", compressed=True).error_msg == ""
        probe.start(seed=4, session_id="taped")
        step(probe)
        assert node.stop(signal.SIGTERM) == 0  # closes the bag on its way out
    return folder / "bags", frames


def test_an_independent_reader_finds_every_frame(bags: tuple[Path, list[np.ndarray]]) -> None:
    folder, frames = bags
    with (folder / "raw" / "raw.mcap").open("rb") as file:
        reader = make_reader(file, validate_crcs=True, decoder_factories=[DecoderFactory()])
        decoded = [(channel.topic, message) for _, channel, _, message in reader.iter_decoded_messages()]
        summary = reader.get_summary()
    assert summary is not None and summary.statistics is not None
    assert summary.statistics.message_count == len(decoded), "as Foxglove reads the index before the messages"
    images = [message for topic, message in decoded if topic == "/image_raw"]
    infos = [message for topic, message in decoded if topic == "/frame_info"]
    assert [info.frame_index for info in infos] == list(range(13))
    assert [info.control_id for info in infos] == list(range(13))
    for image, frame in zip(images[1:], frames, strict=True):
        np.testing.assert_array_equal(np.frombuffer(image.data, np.uint8).reshape(32, 32, 3), frame)
    assert {topic for topic, _ in decoded} >= {"/camera_info", "/imagination/control", "/status"}


@pytest.mark.parametrize(("name", "verdict"), [("raw", "all bit-identical"), ("jpeg", "all identical after JPEG")])
def test_a_replay_imagines_the_same(
    bags: tuple[Path, list[np.ndarray]], capsys: pytest.CaptureFixture[str], name: str, verdict: str
) -> None:
    """The bag says which model it was and how its JPEGs were made."""
    code = main(["replay", str(bags[0] / name)])
    printed = capsys.readouterr().out
    assert verdict in printed
    assert "taped: 12 frames imagined again" in printed
    assert code == 0


def test_other_options_than_the_nodes_are_told_apart(
    bags: tuple[Path, list[np.ndarray]], model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """So what the bag says matters: a JPEG of another quality is another image."""
    assert main(["replay", str(bags[0] / "jpeg"), "--jpeg-quality", "90", "--model", str(model)]) == 1
    assert "first difference at frame 1 " in capsys.readouterr().out


def test_the_example_reads_it(bags: tuple[Path, list[np.ndarray]]) -> None:
    command = [sys.executable, ROOT / "docs" / "examples" / "read_bag.py", bags[0] / "raw"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=isolated_environment())
    lines = done.stdout.splitlines()
    assert len(lines) == 13
    assert lines[0].startswith("taped frame 0: its first image; brightness ")


def test_robots_share_a_folder_and_remapped_topics_are_replayed(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Default names have the node's name in them; JPEGs follow their images; a replay finds topics by type."""
    remappings = ["image_raw:=camera/image", "seed_image:=seed", "frame_info:=/about", "~/control:=driven"]
    extra = ["-r", "__ns:=/r1", *(word for remapping in remappings for word in ("-r", remapping))]
    folders = {"recording__folder": tmp_path / "bags", "snapshots__folder": tmp_path / "snapshots"}
    with running_node(tmp_path, extra=extra, model__name=model, mode="lockstep", **folders) as (node, probe):
        probe.namespace = "/r1/"
        assert probe.transition(Transition.TRANSITION_CONFIGURE) and probe.transition(Transition.TRANSITION_ACTIVATE)
        topics = dict(probe.node.get_topic_names_and_types())
        assert {"/r1/camera/image/compressed", "/r1/seed/compressed"} <= topics.keys()
        assert not {"/r1/image_raw/compressed", "/r1/seed_image/compressed"} & topics.keys()
        names, first = [], StartSession.Request(session_id="taped", image=image_message(picture()))
        for compressed in (False, True, True):  # the last two begin in the same second, as after a restart
            bag = Path(record(probe, compressed=compressed).path)
            names.append(bag.name)
            probe.call(StartSession, "start_session", first)
            request = Step.Request(actions=[RobotAction(values=row) for row in ACTIONS])
            assert probe.call(Step, "step", request).error_msg == ""
            assert record(probe, on=False).messages > 2 * len(ACTIONS)
        assert all(name.startswith("imagined_r1.imagination_2") for name in names)
        assert len(set(names)) == 3
        saved = probe.call(SaveSession, "save_session", SaveSession.Request(overwrite=True))
        assert Path(saved.path).name == f"r1.imagination-taped-{len(ACTIONS)}.safetensors"
        assert node.stop() == 0
    for name, verdict in ((names[0], "all bit-identical"), (names[1], "all identical after JPEG")):
        assert main(["replay", str(tmp_path / "bags" / name)]) == 0
        assert verdict in capsys.readouterr().out


def test_a_replay_names_the_first_frame_that_differs(
    bags: tuple[Path, list[np.ndarray]], model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = change_one_pixel(bags[0] / "raw", tmp_path / "changed", frame=7)
    assert main(["replay", str(changed), "--model", str(model)]) == 1
    assert "first difference at frame 7 " in capsys.readouterr().out


def test_a_bag_that_was_cut_off_is_refused(
    bags: tuple[Path, list[np.ndarray]], model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(bags[0] / "raw", tmp_path / "cut")
    file = tmp_path / "cut" / "raw.mcap"
    file.write_bytes(file.read_bytes()[:-100])
    assert main(["replay", str(tmp_path / "cut"), "--model", str(model)]) == 2
    assert "mcap recover" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("second", "gap_s"),
    [(signal.SIGINT, 0.0), (signal.SIGINT, 0.03), (signal.SIGINT, 0.1), (signal.SIGTERM, 0.03), (signal.SIGHUP, 0.03)],
)
def test_a_second_signal_does_not_disturb_the_first(
    model: Path, tmp_path: Path, second: signal.Signals, gap_s: float
) -> None:
    """Terminals and launch each send their own. The pause is what is varied, not what the test waits for."""
    options = {"recording__folder": tmp_path / "bags", "recording__on_start": "true"}
    with running_node(tmp_path, model__name=model, mode="lockstep", **options) as (node, probe):
        probe.bring_up()
        probe.start(session_id="taped")
        step(probe)
        node.process.send_signal(signal.SIGINT)
        time.sleep(gap_s)
        assert node.stop(second) == 0
        assert "Traceback" not in node.log_text()
    (bag,) = (tmp_path / "bags").iterdir()
    with Reader(bag) as reader:
        assert sum(connection.topic == "/image_raw" for connection, _, _ in reader.messages()) == len(ACTIONS) + 1


def test_a_killed_node_leaves_what_is_older_than_a_second(model: Path, tmp_path: Path) -> None:
    options = {"recording__folder": tmp_path / "bags", "recording__on_start": "true"}
    with running_node(tmp_path, model__name=model, mode="lockstep", **options) as (node, probe):
        probe.bring_up()
        probe.start(session_id="taped")
        step(probe)
        (bag,) = (tmp_path / "bags").iterdir()
        probe.wait(lambda: len(flushed_images(bag)) == len(ACTIONS) + 1)
        node.process.kill()
        node.process.wait()
    assert len(flushed_images(bag)) == len(ACTIONS) + 1


def flushed_images(bag: Path) -> list[bytes]:
    """Images in a bag that has no index yet, as a tool that rescues it reads them."""
    found = []
    with (bag / f"{bag.name}.mcap").open("rb") as file, suppress(EndOfFile):
        topics = {}
        for read in StreamReader(file).records:
            if isinstance(read, Channel):
                topics[read.id] = read.topic
            elif isinstance(read, Message) and topics[read.channel_id] == "/image_raw":
                found.append(read.data)
    return found


def test_a_full_disk_ends_the_recording_and_nothing_else(model: Path, tmp_path: Path) -> None:
    """No file may grow beyond a limit that the first frames pass: every write beyond it fails."""
    with running_node(tmp_path, model__name=model, mode="lockstep", recording__folder=tmp_path / "bags") as running:
        node, probe = running
        probe.bring_up()
        assert record(probe, path="full").error_msg == ""
        limit_files(node, 100_000)
        probe.start(seed=4, session_id="taped")
        for _ in range(40):  # rosbag2's chunks are written when they hold a megabyte
            step_quietly(probe)
        probe.wait(lambda: "recording to " in node.log_text() and " stopped: " in node.log_text())
        probe.wait(lambda: probe.statuses[-1].recording == "")
        assert "mcap recover" in node.log_text()
        assert len(step(probe)) == len(ACTIONS)


def test_recording_leaves_room_on_the_disk(model: Path, tmp_path: Path) -> None:
    with running_node(tmp_path, model__name=model, recording__folder=tmp_path / "bags", recording__keep_free=2**60) as (
        _,
        probe,
    ):
        probe.bring_up()
        answer = record(probe)
        assert answer.error_code == ErrorCode.DISK
        assert "recording.keep_free" in answer.error_msg


def step_quietly(probe: Probe) -> None:
    request = Step.Request(actions=[RobotAction(values=row) for row in ACTIONS], omit_images=True)
    assert probe.call(Step, "step", request).error_msg == ""


def limit_files(node: NodeUnderTest, size: int) -> None:
    import resource

    resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (size, size))


def change_one_pixel(source: Path, target: Path, frame: int) -> Path:
    """The same bag, but for one pixel of the image of one frame."""
    images = 0
    types = get_typestore(Stores.ROS2_KILTED)
    with Reader(source) as reader, Writer(target, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connections = {
            connection.id: writer.add_connection(
                connection.topic, connection.msgtype, msgdef=connection.msgdef.data, rihs01=connection.digest
            )
            for connection in reader.connections
        }
        for connection, stamp, data in reader.messages():
            written = data
            if connection.topic == "/image_raw":
                if images == frame:
                    image = types.deserialize_cdr(data, connection.msgtype)
                    image.data = np.array(image.data)
                    image.data[100] ^= 1
                    written = types.serialize_cdr(image, connection.msgtype)
                images += 1
            writer.write(connections[connection.id], stamp, written)
    return target
