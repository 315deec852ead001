"""`lingbot replay BAG`: imagine a recording again and say where it differs."""

import argparse
import itertools
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from lingbot_ros.recording.reader import BagReader
    from lingbot_ros.recording.replay import ReplayedSession

T = TypeVar("T")

HELP = "imagine a recorded bag again from its controls, and name the first frame that differs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How it was imagined is read from the bag; options only override."""
    parser.description = "How it was imagined - model, engine, the node's parameters - is read from the bag."
    parser.add_argument("bag", type=Path, help="folder that the node's ~/record wrote")
    parser.add_argument("--model", help="name or folder of the model")
    parser.add_argument("--engine", help="what executes the model")
    parser.add_argument("--device", help="cpu, cuda or cuda:N")
    parser.add_argument("--precision", help="f32, bf16, f16, int8, fp8")
    parser.add_argument("--threads", type=int, help="CPU threads")
    parser.add_argument("--light-decoder", metavar="FILE", help="the node's model.light_decoder; '' for none")
    parser.add_argument("--memory", type=int, metavar="N", help="the node's model.memory")
    parser.add_argument("--jpeg-quality", type=int, help="a bag of JPEGs: the node's publish.jpeg_quality")
    parser.add_argument("--unit-step", type=float, metavar="M", help="camera models: the node's camera.unit_step")


def run(args: argparse.Namespace) -> int:
    """0 when every frame is the same, 1 when one differs or none could be compared."""
    from tqdm import tqdm

    from lingbot_ros.recording.reader import BagReader
    from lingbot_ros.recording.replay import NodeSettings, replay
    from lingbot_ros.world import MemoryOptions, World

    with BagReader(args.bag) as bag:
        frames = bag.frames()
        first = next(frames, None)
        was = bag.engine()
        light = _given(args.light_decoder, bag.parameter("model.light_decoder", ""))
        world = World.load(
            args.model or _model(bag, first.model if first else ""),
            engine=args.engine or (was.engine if was else "auto"),
            device=args.device or (was.device if was else "auto"),
            precision=args.precision or (was.precision if was else "auto"),
            threads=(was.threads if was else 0) if args.threads is None else args.threads,
            light_decoder=light or None,
            offload_expert=bag.parameter("model.offload_expert", "False") == "True",
            memory=MemoryOptions.of_places(_given(args.memory, int(bag.parameter("model.memory", "0")))),
        )
        settings = NodeSettings(
            _given(args.jpeg_quality, int(bag.parameter("publish.jpeg_quality", str(NodeSettings.jpeg_quality)))),
            _given(args.unit_step, float(bag.parameter("camera.unit_step", str(NodeSettings.unit_step)))),
        )
        print(f"{args.bag}: {bag.frame_count} frames; imagining them again with {world.info.name}, {world.info.engine}")
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


def _model(bag: "BagReader", name: str) -> str:
    """The folder that the node had the model from, if it is here, else the model of that name."""
    folder = bag.parameter("model.name", "")
    return folder if (Path(folder) / "card.yaml").is_file() else name


def _line(result: "ReplayedSession") -> str:
    note = f"; {result.note}" if result.note else ""
    if not result.frames:
        return f"  {result.session_id}: nothing compared{note}"
    said = f"  {result.session_id}: {result.frames} frames imagined again, "
    if result.first_difference is not None:
        return f"{said}the first that differs is {result.first_difference} (lowest PSNR {result.worst_db:.1f} dB){note}"
    if result.exact:
        return f"{said}none differs in any bit{note}"
    return f"{said}none differs after JPEG encoding{note}"
