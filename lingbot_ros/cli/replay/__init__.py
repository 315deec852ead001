"""`lingbot replay BAG`: imagine a recording again and compare the frames."""

import argparse
import itertools
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from lingbot_ros.cli.model_arguments import add_model_arguments, load_options
from lingbot_ros.model_options import MODEL_OPTIONS, Plain

if TYPE_CHECKING:
    from lingbot_ros.recording.reader import BagReader
    from lingbot_ros.recording.replay import ReplayedSession

T = TypeVar("T")

HELP = "imagine a recorded bag again from its controls, and print the first frame that differs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the bag, and options that override those stored in it."""
    parser.description = "Model, engine and the node's parameters are read from the bag; options override them."
    parser.add_argument("bag", type=Path, help="folder of a bag written by the node's service ~/record")
    parser.add_argument(
        "--jpeg-quality", type=int, help="for bags with JPEG images: their quality (publish.jpeg_quality of the node)"
    )
    parser.add_argument("--unit-step", type=float, metavar="M", help="for camera models: camera.unit_step of the node")
    add_model_arguments(parser, "default: the value in the bag")


def run(args: argparse.Namespace) -> int:
    """Returns 0 when all frames are equal, 1 when one differs or none could be compared."""
    from tqdm import tqdm

    from lingbot_ros.recording.reader import BagReader
    from lingbot_ros.recording.replay import NodeSettings, replay
    from lingbot_ros.world import World

    with BagReader(args.bag) as bag:
        frames = bag.frames()
        first = next(frames, None)
        world = World.load(options=load_options(args, _recorded_options(bag, first.model if first else "")))
        settings = NodeSettings(
            _given(args.jpeg_quality, bag.parameter("publish.jpeg_quality", NodeSettings.jpeg_quality, int)),
            _given(args.unit_step, bag.parameter("camera.unit_step", NodeSettings.unit_step, float)),
        )
        print(f"{args.bag}: replaying {bag.frame_count} frames with {world.info.name}, {world.info.engine}")
        recorded = itertools.chain([first] if first else [], frames)
        bar = tqdm(recorded, total=bag.frame_count, unit="frame", leave=False)
        results = list(replay(world, bar, settings))
        world.close()
    for result in results:
        print(_line(result))
    compared = sum(result.frames for result in results)
    return 0 if compared and all(result.first_difference is None for result in results) else 1


def _given(option: T | None, recorded: T) -> T:
    return recorded if option is None else option


def _recorded_options(bag: "BagReader", model: str) -> dict[str, Plain]:
    """The model options of the recording node, with `auto` replaced by the actual value."""
    options = {o.name: bag.parameter(o.parameter, o.default, o.parse) for o in MODEL_OPTIONS if o.name != "name"}
    options["name"] = _model(bag, model)
    if ran := bag.engine():
        options |= {"engine": ran.engine, "device": ran.device, "precision": ran.precision, "threads": ran.threads}
    return options


def _model(bag: "BagReader", name: str) -> str:
    """The folder from which the node loaded the model, if it exists here, else the model's name."""
    folder = bag.parameter("model.name", "", str)
    return folder if (Path(folder) / "card.yaml").is_file() else name


def _line(result: "ReplayedSession") -> str:
    note = f"; {result.note}" if result.note else ""
    if not result.frames:
        return f"  {result.session_id}: nothing compared{note}"
    real = f"{result.observed} real frames observed again, " if result.observed else ""
    said = f"  {result.session_id}: {result.frames} frames imagined again, {real}"
    if result.first_difference is not None:
        return f"{said}first difference at frame {result.first_difference} (lowest PSNR {result.worst_db:.1f} dB){note}"
    if result.exact:
        return f"{said}all bit-identical{note}"
    return f"{said}all identical after JPEG encoding{note}"
