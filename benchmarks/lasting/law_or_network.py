"""What moves a pushed block better at an equal budget: a law of contact, or a network that reads distances.

    ./lingbot python benchmarks/lasting/law_or_network.py --data DATA [--windows 100] [--json FILE]

Poses alone, no images, the block's true outline. Both know the same data set: the law's search takes 4,000 of its
pushes, the network all transitions in which the pusher comes near the block. The network is trained for 12 s of
processor time, which is what finding all constants takes at most, and for 150 s. Both move the pusher by the same law.
Measured on held-out windows that are pushed early: the outline's error
(mean over its corners, units of 512) 1 and 12 frames after a frame in which the block is pushed, from its true state;
and the IoU of the true T at the imagined and the true pose, frames 1, 16 and 64 from the start of a window.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from contact_network import ContactNetwork, look, push, train
from numpy.typing import NDArray
from shapely.geometry import Polygon
from torch import Tensor

from lingbot_ros.evaluate.machine import describe_machine
from lingbot_ros.model.rigid_layers.config import RigidLayersConfig
from lingbot_ros.model.rigid_layers.constants import Constants
from lingbot_ros.model.rigid_layers.outline import area_and_centroid, skewness
from lingbot_ros.tasks.pusht.dataset.held_out import held_out_windows, stack_windows
from lingbot_ros.tasks.pusht.dataset.reader import PushTDataset
from lingbot_ros.tasks.pusht.geometry import ARENA_SIZE, CENTROID, IMAGE_SIZE, OUTLINE, place, to_pixels
from lingbot_ros.tasks.pusht.layer_learning import learn_constants
from lingbot_ros.tasks.pusht.windows import PushTWindows
from lingbot_ros.world import World

Floats = NDArray[np.float64]
Mover = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Poses [B, 3] after a frame, of poses before, the pusher's paths [B, 2 + substeps, 2] and targets [B, 2]."""

_SCALE = IMAGE_SIZE / ARENA_SIZE
_CONTROL_HZ = 10.0
_CONTEXT, _HORIZON = 4, 64
_STEPS, _FRAMES = (1, 12), (1, 16, 64)
_START_EVERY = 3
_PUSHED_UNITS = 0.3
_BUDGETS_S = (12.0, 150.0)


class States:
    """Simulator states [..., T, ·] in pixels of the image: pusher and its velocity per frame, block, targets [T-1]."""

    def __init__(self, pusher: Floats, velocity: Floats, block: Floats, actions: Floats) -> None:
        self.pusher = torch.from_numpy(to_pixels(pusher, IMAGE_SIZE)).float()
        self.velocity = torch.from_numpy(np.asarray(velocity, np.float64) * (_SCALE / _CONTROL_HZ)).float()
        # A shape's place is its centroid here.
        centroid = place(CENTROID, np.asarray(block, np.float64))
        turned = np.asarray(block[..., 2:], np.float64)
        self.block = torch.from_numpy(np.concatenate([to_pixels(centroid, IMAGE_SIZE), turned], -1)).float()
        self.targets = torch.from_numpy(np.asarray(actions, np.float64) * _SCALE - 0.5).float()


OUTLINE_PX = torch.from_numpy((OUTLINE - CENTROID) * _SCALE).float()


def by_law(constants: Constants) -> Mover:
    """The law of contact with these constants."""
    centre = area_and_centroid(OUTLINE_PX)[1] + constants.leaning * skewness(OUTLINE_PX)

    def move(pose: Tensor, path: Tensor, target: Tensor) -> Tensor:
        rows = len(pose)
        outlines, centres = OUTLINE_PX.expand(rows, 1, -1, 2), centre.expand(rows, 1, 2)
        return constants.contact(pose[:, None], outlines, centres, path[:, None, None])[:, 0, 0]

    return move


def by_network(network: ContactNetwork, walls: Tensor) -> Mover:
    """A trained network."""
    return lambda pose, path, target: push(network, pose, path, target, OUTLINE_PX, walls)


def path_of(constants: Constants, position: Tensor, velocity: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The pusher's position and velocity [B, 2] after a frame, and its path [B, 2 + substeps, 2]."""
    after, velocity_after, way = constants.drive(position, velocity, target)
    before = position - velocity / constants.config.substeps
    return after, velocity_after, torch.cat((before[:, None], position[:, None], way), dim=1)


def near_transitions(constants: Constants, data: PushTDataset) -> tuple[Tensor, Tensor, Tensor]:
    """What the network is trained on: what it sees [N, ·], how the block moved [N, 3], where the pusher headed [N]."""
    states = States(data.pusher, data.pusher_velocity, data.block, data.actions)
    before = [t[:, :-1].flatten(0, 1) for t in (states.pusher, states.velocity, states.block)]
    target, after = states.targets.flatten(0, 1), states.block[:, 1:].flatten(0, 1)
    _, _, path = path_of(constants, before[0], before[1], target)
    seen, heading, near = look(before[2], path, target, OUTLINE_PX, constants.contact.walls)
    return seen[near], (after - before[2])[near], heading[near]


@torch.inference_mode()
def imagine(move: Mover, constants: Constants, states: States, starts: Tensor, frames: int) -> Tensor:
    """Blocks [N, frames, 3] after true states at `starts` int64 [N, 2]: a window, a frame of it."""
    window, first = starts.T
    position, velocity, pose = (t[window, first] for t in (states.pusher, states.velocity, states.block))
    poses = []
    for frame in range(frames):
        target = states.targets[window, first + frame]
        position, velocity, path = path_of(constants, position, velocity, target)
        pose = move(pose, path, target)
        poses.append(pose)
    return torch.stack(poses, dim=1)


def corners(poses: Tensor) -> Floats:
    """Of the T, [..., 8, 2] pixels."""
    return place(OUTLINE_PX.double().numpy(), poses.double().numpy()[..., None, :])


def overlap(imagined: Floats, true: Floats) -> float:
    """Intersection over union of two outlines [8, 2]."""
    one, other = Polygon(imagined), Polygon(true)
    return float(one.intersection(other).area / one.union(other).area)


def figures(move: Mover, constants: Constants, states: States) -> dict[str, dict[str, float]]:
    """Errors after a push, and the IoU over whole windows."""
    windows, length = states.block.shape[:2]
    grid = torch.cartesian_prod(torch.arange(windows), torch.arange(_CONTEXT - 1, length - _STEPS[-1], _START_EVERY))
    shift = corners(states.block[grid[:, 0], grid[:, 1] + 1]) - corners(states.block[grid[:, 0], grid[:, 1]])
    starts = grid[torch.from_numpy(np.linalg.norm(shift, axis=-1).mean(-1) / _SCALE > _PUSHED_UNITS)]
    found: dict[str, dict[str, float]] = {"pushes": {"count": len(starts)}}
    rolled = imagine(move, constants, states, starts, _STEPS[-1])
    for step in _STEPS:
        true = corners(states.block[starts[:, 0], starts[:, 1] + step])
        error = np.linalg.norm(corners(rolled[:, step - 1]) - true, axis=-1).mean(-1) / _SCALE
        found[f"outline_units_{step}"] = {
            "median": round(float(np.median(error)), 4),
            "p90": round(float(np.quantile(error, 0.9)), 3),
            "mean": round(float(error.mean()), 3),
        }
    firsts = torch.stack((torch.arange(windows), torch.full((windows,), _CONTEXT - 1)), dim=1)
    whole = corners(imagine(move, constants, states, firsts, _HORIZON))
    for frame in _FRAMES:
        true = corners(states.block[:, _CONTEXT - 1 + frame])
        iou = [overlap(*pair) for pair in zip(whole[:, frame - 1], true, strict=True)]
        found[f"iou_{frame}"] = {"mean": round(float(np.mean(iou)), 3), "median": round(float(np.median(iou)), 4)}
    return found


def compare(data: PushTDataset, windows: PushTWindows, seed: int) -> dict[str, object]:
    """Every row of the table."""
    config = World.load("pusht-lasting", threads=1).card.architecture
    assert isinstance(config, RigidLayersConfig)
    states = States(windows.pusher, windows.pusher_velocity, windows.block, windows.actions)
    began_s = time.process_time()
    constants = learn_constants(data, config)
    law_s = round(time.process_time() - began_s, 1)
    rows: dict[str, object] = {}

    def report(name: str, move: Mover, budget_s: float, **known: int) -> None:
        rows[name] = {"processor_s": budget_s, **known, **figures(move, constants, states)}
        print(name, json.dumps(rows[name]), flush=True)

    report("rest", lambda pose, path, target: pose, 0.0)
    report("law", by_law(constants), law_s)
    seen, moved, heading = near_transitions(constants, data)
    for budget_s in _BUDGETS_S:
        network = train(seen, moved, heading, budget_s, seed)
        parameters = sum(parameter.numel() for parameter in network.parameters())
        name = f"network, {budget_s:g} s"
        report(name, by_network(network, constants.contact.walls), budget_s, near=len(seen), parameters=parameters)
    return rows


def main() -> None:
    """Find or train each of them, measure it, print a line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="of `lingbot dataset pusht`: 400 episodes, seed 0")
    parser.add_argument("--windows", type=int, default=100)
    parser.add_argument("--seed", type=int, default=12, help="of the windows (default: %(default)s)")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    windows = stack_windows(list(held_out_windows(args.windows, args.seed, _CONTEXT, _HORIZON)), _CONTEXT, _HORIZON)
    rows = compare(PushTDataset(args.data), windows, seed=0)
    if args.json:
        report = {"windows": args.windows, "seed": args.seed, "rows": rows, "machine": describe_machine()}
        args.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
