"""Depth learned from true depth, or from images and poses alone: the same houses, iterations and everything else.

    ./lingbot dataset rooms --out DATA --houses 400
    ./lingbot dataset rooms --out VALIDATION --houses 60 --split validation
    ./lingbot python benchmarks/rooms_without_depth.py --data DATA --validation VALIDATION --run RUN --iterations 600

Needs MiniWorld. Trains on one thread; repeated with the same --run it goes on where it stopped. The drives are of the
validation split, as in `rooms_ablations.py`.
"""

import argparse
import time
from pathlib import Path
from unittest.mock import patch

import torch

from lingbot_ros.model.scene import scene
from lingbot_ros.shared_files import find_shared
from lingbot_ros.tasks.rooms.dataset.episode import Episode, draw_drive, render_drive
from lingbot_ros.tasks.rooms.dataset.reader import RoomsDataset
from lingbot_ros.tasks.rooms.report.measure import Measures, imagine_drive
from lingbot_ros.tasks.rooms.report.report import FRAMES, summarise_measures
from lingbot_ros.tasks.rooms.simulator.house import draw_house, house_seed
from lingbot_ros.tasks.rooms.simulator.renderer import HouseRenderer
from lingbot_ros.training.scene.config import SceneTrainConfig
from lingbot_ros.training.scene.drive_views import DriveViews
from lingbot_ros.training.scene.train import DepthTrainer
from lingbot_ros.world import World

CONTEXT = 4
SHOWN = ("imagined.psnr_in_view_db_mean", "imagined.psnr_db_mean", "depth_error_median")
VARIANTS = {"true depth": True, "images and poses": False}


def trained(args: argparse.Namespace, name: str) -> DepthTrainer:
    """The variant's run, taken to the end; prints the processor's time that this call spent."""
    config = SceneTrainConfig.load(find_shared("models", "rooms-small", "train.yaml"))
    assert config is not None
    data = RoomsDataset(args.data)
    source = DriveViews(data, range(min(args.houses, len(data))), with_depth=VARIANTS[name])
    trainer = DepthTrainer(config, args.run / name.replace(" ", "_"), bf16=args.precision == "bf16")
    began, first = time.process_time(), trainer.iteration
    trainer.train(source, args.iterations, None)
    print(f"{name}: iterations {first} to {trainer.iteration} in {time.process_time() - began:.0f} s of the processor")
    return trainer


def drives(count: int) -> list[Episode]:
    """Validation drives with their truth."""
    renderer = HouseRenderer()
    houses = [draw_house(house_seed("validation", 0, index)) for index in range(count)]
    return [render_drive(renderer, house, draw_drive(house, CONTEXT + FRAMES[-1], 16.0)) for house in houses]


def main() -> None:
    """Train what is not trained yet and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--validation", type=Path, help="houses of the validation split, to measure depth on")
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--houses", type=int, default=400)
    parser.add_argument("--iterations", type=int, default=600)
    parser.add_argument("--drives", type=int, default=8)
    parser.add_argument("--precision", choices=("bf16", "f32"), default="bf16")
    parser.add_argument("--variant", choices=tuple(VARIANTS), action="append", help="only this one (default: all)")
    args = parser.parse_args()
    torch.set_num_threads(1)
    trainers = {name: trained(args, name) for name in args.variant or VARIANTS}
    if args.validation:
        held_out = RoomsDataset(args.validation)
        for name, trainer in trainers.items():
            print(f"{name}: {trainer.measure(DriveViews(held_out, range(len(held_out)))).text()}", flush=True)
    if not args.drives:
        return
    world, episodes = World.load("rooms-small", threads=1), drives(args.drives)
    print("| | " + " | ".join(name.rsplit("_", 1)[0] for name in SHOWN) + f" | at frames {FRAMES}")
    for name, trainer in trainers.items():
        world.model.depth.load_state_dict(trainer.average.state_dict())
        measures = Measures(FRAMES)
        with patch.object(scene, "TILT_DEG", 90.0):  # to a network of few minutes some level cameras look tilted
            for episode in episodes:
                measures.add(imagine_drive(world, episode, CONTEXT, FRAMES)[0])
        figures = summarise_measures(measures)
        digits = {"depth_error_median": 3}
        cells = (" / ".join(f"{value:.{digits.get(key, 1)}f}" for value in figures[key]) for key in SHOWN)
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
