"""Files that are damaged at random: cards, worlds, images, snapshots, bags and LeRobot sets."""

import json
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, replace
from io import StringIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from lingbot_ros.checkpoints.cards import ModelCard
from lingbot_ros.cli.main import main
from lingbot_ros.errors import LingbotError
from lingbot_ros.input_files.encoded_image import read_image
from lingbot_ros.recording.bag_file import BagFile
from lingbot_ros.recording.writer import Topic
from lingbot_ros.runtime.intrinsics import CameraDefaults
from lingbot_ros.runtime.scene import parse_scene, read_scene
from lingbot_ros.runtime.session_table import Limits, SessionTable
from lingbot_ros.world import Snapshot, World
from test.fuzz.damage import damaged_bytes, damaged_text
from test.fuzz.outcomes import Outcomes
from test.support.bags import Said, raw_image, rewritten, robot_action, write_bag
from test.support.lerobot_sets import CAMERA, write_v2, write_v3
from test.support.tiny_model import write_tiny_model

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
OutcomesOf = Callable[[str], Outcomes]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec="utf-8")) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=8,
)


def each(count: int, strategy: st.SearchStrategy[Any], judge: Callable[[Any], None]) -> None:
    """`count` examples; they are counted, not shrunk."""

    @seed(0)
    @settings(max_examples=count, phases=[Phase.generate], suppress_health_check=list(HealthCheck), database=None)
    @given(strategy)
    def run(example: Any) -> None:
        judge(example)

    run()


def test_cards(outcomes_of: OutcomesOf, tmp_path: Path) -> None:
    """210 as they were counted first, in text and in bytes."""
    outcomes, chance = outcomes_of("cards"), random.Random(0)
    cards = sorted((ROOT / "models").glob("*/card.yaml"))
    path = tmp_path / "card.yaml"
    for number in range(420):
        good = chance.choice(cards)
        if number % 2:
            path.write_bytes(damaged_bytes(good.read_bytes(), chance))
        else:
            path.write_text(damaged_text(good.read_text(encoding="utf-8"), chance))
        outcomes.judge(f"{number} of {good.parent.name}", lambda: ModelCard.load(path))


def test_worlds(outcomes_of: OutcomesOf, tmp_path: Path) -> None:
    shipped = sorted((ROOT / "config" / "worlds").glob("*.yaml"))
    assert shipped
    outcomes, chance, path = outcomes_of("world files"), random.Random(0), tmp_path / "world.yaml"
    for number in range(500):
        data = chance.choice(shipped).read_bytes()
        text = damaged_text(data.decode(), chance).encode() if number % 2 else damaged_bytes(data, chance)
        path.write_bytes(text)
        outcomes.judge(str(number), lambda: read_scene(path))
    outcomes = outcomes_of("worlds as text")
    keys = ("name", "model", "description", "tags", "image", "prompt", "seed", "control", "intrinsics", "start_pose")
    good = {"name": "a", "model": "tiny", "control": [1.0, 2.0], "seed": 1}
    pose = st.fixed_dictionaries({}, optional={"position": JSON, "orientation": JSON})
    spoilt = st.dictionaries(st.sampled_from(keys), JSON | pose, min_size=1, max_size=3)
    each(500, spoilt, lambda some: outcomes.judge(str(some), lambda: parse_scene(json.dumps({**good, **some}))))
    each(500, st.text(), lambda text: outcomes.judge(repr(text), lambda: parse_scene(text)))


def test_images(outcomes_of: OutcomesOf, tmp_path: Path) -> None:
    outcomes, chance, path = outcomes_of("images"), random.Random(0), tmp_path / "image"
    rgb = np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8)
    good = [cv2.imencode(kind, image)[1].tobytes() for kind in (".png", ".jpg") for image in (rgb, rgb[..., 0])]
    good.append(cv2.imencode(".png", rgb.astype(np.uint16) * 256)[1].tobytes())
    for number in range(2000):
        path.write_bytes(damaged_bytes(chance.choice(good), chance))
        outcomes.judge(str(number), lambda: read_image(path, "image"))


def test_snapshots(outcomes_of: OutcomesOf, tmp_path: Path) -> None:
    """448 damaged ones, none of which is restored; and as many that are signed anew."""
    world = World.load(write_tiny_model(tmp_path / "models"), threads=1)
    session = world.start(np.zeros((32, 32, 3), np.uint8))
    session.step([[10.0, 20.0]])
    session.snapshot({"start_stamp_ns": 5, "parent_id": "trunk"}).save(tmp_path / "true.snapshot")
    table = SessionTable(world, Limits(), tmp_path, CameraDefaults())
    outcomes, chance = outcomes_of("snapshots, damaged"), random.Random(0)
    data = (tmp_path / "true.snapshot").read_bytes()

    def restore() -> None:
        served = table.restore("lie.snapshot", "lie", 10**18, activate=False)
        try:
            table.view(served)
            served.session.step([[10.0, 20.0]])
        finally:
            table.end("lie")

    for number in range(448):
        damaged = damaged_bytes(data, chance)
        while damaged == data:
            damaged = damaged_bytes(data, chance)
        (tmp_path / "lie.snapshot").write_bytes(damaged)
        outcomes.judge(str(number), restore)
    assert not [count for outcome, count in outcomes.counts.items() if outcome.name == "ACCEPTED"]
    true, outcomes = Snapshot.load(tmp_path / "true.snapshot"), outcomes_of("snapshots, signed anew")
    names = [*(name for name in asdict(true.meta) if name not in ("outside", "schema")), "outside.start_stamp_ns"]
    names += [f"outside.{name}" for name in ("parent_id", "branch_frame", "given_intrinsics", "start_pose")]
    numbers = st.sampled_from([-1, 0, 1, 2, 10**9, 2**31, 2**62, 2**63, 2**64, 2**70, 0.5, True])

    def judge(change: tuple[str, Any]) -> None:
        name, value = change
        if name.startswith("outside."):
            changed = {"outside": {**true.meta.outside, name.partition(".")[2]: value}}
        else:
            changed = {name: value}
        try:
            Snapshot(replace(true.meta, **changed), true.tensors).save(tmp_path / "lie.snapshot")
        except UnicodeEncodeError:
            return  # it cannot be written either
        outcomes.judge(str(change), restore)

    each(448, st.tuples(st.sampled_from(names), numbers | JSON), judge)


def run_quietly(*words: object) -> None:
    """A command as a user gives it; a code other than 0 is a refusal in words."""
    said = StringIO()
    with redirect_stderr(said), redirect_stdout(said):
        try:
            code = main([str(word) for word in words])
        except SystemExit as error:
            code = int(error.code or 0)
    if code:
        last = said.getvalue().strip().splitlines()[-1:]
        if "Traceback" in said.getvalue() or not last:
            raise AssertionError(f"code {code}: {said.getvalue()[-1000:]}")
        raise LingbotError(last[0])


def broken_copies(folder: Path, to: Path, count: int, suffixes: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    """Copies of a folder in which one file is damaged, that file in turn."""
    chance = random.Random(0)
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.suffix in suffixes)
    for number in range(count):
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(folder, to)
        path = to / files[number % len(files)]
        if path.suffix in (".yaml", ".json", ".jsonl") and chance.random() < 0.7:
            path.write_text(damaged_text(path.read_text(), chance))
        else:
            path.write_bytes(damaged_bytes(path.read_bytes(), chance))
        yield f"{number}: {path.name}", to


def rewritten_copies(bag: Path, to: Path, count: int) -> Iterator[tuple[str, Path]]:
    """Copies of an .mcap file with damage that no checksum tells of: in one definition, or in about one message."""
    chance = random.Random(0)
    with BagFile(bag) as opened:
        messages = sum(opened.counts.values())
        definitions = len(opened.counts)

    def damaged(data: bytes, of: int) -> bytes:
        return damaged_bytes(data, chance) if chance.randrange(of) == 0 else data

    for number in range(count):
        if number % 2:
            changed = rewritten(bag, to, definition=lambda data: damaged(data, definitions))
        else:
            changed = rewritten(bag, to, message=lambda data: damaged(data, messages))
        yield str(number), changed


def test_bags(outcomes_of: OutcomesOf, tmp_path: Path) -> None:
    camera, action = Topic("/camera", "sensor_msgs/msg/Image"), Topic("/action", "lingbot_msgs/msg/RobotAction")
    said = []
    for n in range(60):
        ms = 100.0 * n + (n >= 30) * 10_000  # two takes
        said.append(Said(camera, ms, raw_image(np.full((32, 32, 3), n, np.uint8), ms)))
        said.append(Said(action, ms + 1, robot_action([n, -n], ms)))
    folder, outcomes = write_bag(tmp_path / "good", said), outcomes_of("bags, from-bag")
    options = (
        "--images",
        "/camera",
        "--actions",
        "/action",
        "--size",
        "16x16",
        "--shortest",
        "4",
        "--out",
        tmp_path / "set",
    )
    run_quietly("dataset", "from-bag", folder, *options)
    for label, bag in broken_copies(folder, tmp_path / "bag", 300, (".mcap", ".yaml")):
        shutil.rmtree(tmp_path / "set", ignore_errors=True)
        outcomes.judge(label, lambda bag=bag: run_quietly("dataset", "from-bag", bag, *options))
    outcomes = outcomes_of("bags rewritten, from-bag")
    for label, bag in rewritten_copies(next(folder.glob("*.mcap")), tmp_path / "copy.mcap", 300):
        shutil.rmtree(tmp_path / "set", ignore_errors=True)
        outcomes.judge(label, lambda bag=bag: run_quietly("dataset", "from-bag", bag, *options))


def test_bags_of_the_node(outcomes_of: OutcomesOf, tmp_path: Path) -> None:
    pytest.importorskip("lingbot_msgs.msg", reason="lingbot_msgs is not built")
    from lingbot_msgs.msg import RobotAction
    from lingbot_msgs.srv import Step
    from test.support.imagination import running_node

    options = {"model__name": write_tiny_model(tmp_path / "models"), "mode": "lockstep", "recording__on_start": "true"}
    with running_node(tmp_path, recording__folder=tmp_path / "bags", **options) as (node, probe):
        probe.bring_up()
        probe.start(session_id="taped")
        assert probe.call(Step, "step", Step.Request(actions=[RobotAction(values=[1.0, 2.0])] * 5)).error_msg == ""
        assert node.stop() == 0
    (folder,) = (tmp_path / "bags").iterdir()
    outcomes = outcomes_of("bags of the node, replay")
    run_quietly("replay", folder)
    for label, bag in broken_copies(folder, tmp_path / "bag", 100, (".mcap", ".yaml")):
        outcomes.judge(label, lambda bag=bag: run_quietly("replay", bag))
    outcomes, model = outcomes_of("bags rewritten, replay"), options["model__name"]
    for label, bag in rewritten_copies(next(folder.glob("*.mcap")), tmp_path / "copy.mcap", 100):
        outcomes.judge(label, lambda bag=bag: run_quietly("replay", bag, "--model", model))


@pytest.mark.parametrize(("version", "write"), [("v2.1", write_v2), ("v3.0", write_v3)])
def test_lerobot_sets(outcomes_of: OutcomesOf, version: str, write: Callable[[Path], Path], tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    folder, outcomes = write(tmp_path / "good"), outcomes_of(f"LeRobot sets {version}")
    options = ("--camera", CAMERA, "--size", "16x16", "--shortest", "4", "--out", tmp_path / "set")
    run_quietly("dataset", "from-lerobot", folder, *options)
    kinds = (".json", ".jsonl", ".parquet", ".mp4")
    for label, root in broken_copies(folder, tmp_path / "set-in", 200, kinds):
        shutil.rmtree(tmp_path / "set", ignore_errors=True)
        outcomes.judge(label, lambda root=root: run_quietly("dataset", "from-lerobot", root, *options))
